"""Which Kafka faults pass by themselves."""

from __future__ import annotations

from aiokafka.errors import (
    IncompatibleBrokerVersion,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    NoBrokersAvailable,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)

#: The record itself is at fault: sending it again fails again.
RECORD_FAULTS = (MessageSizeTooLargeError, RecordTooLargeError)
_CONFIGURATION = (InvalidTopicError, TopicAuthorizationFailedError, IncompatibleBrokerVersion)


def is_passing(error: BaseException) -> bool:
    """Whether the same call may succeed later: broker away, leader change, time-out."""
    if isinstance(error, (*RECORD_FAULTS, *_CONFIGURATION)):
        return False
    return isinstance(error, (KafkaError, NoBrokersAvailable, ConnectionError, TimeoutError, OSError))
