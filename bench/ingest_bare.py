"""The loop that ingest is measured beside: read batches of `noti`, send each record on, wait for the acknowledgements.

`python -m bench.ingest_bare BOOTSTRAP TOPIC COUNT` copies about the last COUNT records and prints its CPU seconds.
"""

from __future__ import annotations

import sys
import time

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from libs.kafka.producer import acknowledged, create_producer


async def _copy(bootstrap: str, topic: str, count: int) -> float:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="none")
    producer = create_producer(bootstrap)
    await consumer.start()
    await producer.start()
    try:
        await _seek_back(consumer, count)
        started, copied = time.process_time(), 0
        while copied < count:
            found = await consumer.getmany(timeout_ms=500, max_records=2_000)
            records = [record for of_partition in found.values() for record in of_partition]
            await acknowledged([await producer.send(topic, record.value, record.key) for record in records])
            copied += len(records)
        return (time.process_time() - started) * count / copied
    finally:
        await producer.stop()
        await consumer.stop()


async def _seek_back(consumer: AIOKafkaConsumer, count: int) -> None:
    """To where about COUNT records follow, spread evenly."""
    partitions = [TopicPartition("noti", number) for number in sorted(consumer.partitions_for_topic("noti") or ())]
    if not partitions:
        partitions = [TopicPartition("noti", number) for number in range(8)]
    consumer.assign(partitions)
    for partition, end in (await consumer.end_offsets(partitions)).items():
        # A little further back than their share: the markers of transactions are offsets, but no records.
        consumer.seek(partition, max(0, end - count // len(partitions) - count // 40))


def main() -> None:
    """Copies."""
    bootstrap, topic, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    print(uvloop.run(_copy(bootstrap, topic, count)))


if __name__ == "__main__":
    main()
