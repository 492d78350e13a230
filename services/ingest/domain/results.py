"""What became of a notification on each of its channels, in one answer (F2-1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_DONE = frozenset({"sent", "delivered"})
_ENDED = _DONE | {"failed", "bounced", "suppressed", "expired", "cancelled", "deferred"}
UNDECIDED = "undecided"
NOT_PLANNED = "not-planned-yet"


@dataclass(frozen=True, slots=True)
class ChannelState:
    """Some deliveries of a channel are in a state, for a reason. `waits`: another attempt will be made."""

    channel: str
    state: str
    reason: str
    waits: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a notification has come. `notes` are `reason:channel` of channels without deliveries."""

    in_app: bool
    notes: tuple[str, ...]
    expanding: bool
    states: tuple[ChannelState, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """`channels` says whether anybody was reached on each, `errors` why not. `settled`: it stays like this."""

    settled: bool
    channels: dict[str, bool] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether any channel reached anybody."""
        return any(self.channels.values())


def result(progress: Progress | None, asked: Iterable[str] = ()) -> Result:
    """The answer as of now. What is not decided yet, or was put off, has reached nobody; its reason says so."""
    if progress is None:
        return Result(False, dict.fromkeys(asked, False), dict.fromkeys(asked, NOT_PLANNED))
    channels, errors = ({"in-app": True}, {}) if progress.in_app else ({}, dict[str, str]())
    for note in progress.notes:
        reason, _, channel = note.rpartition(":")
        channels[channel], errors[channel] = False, reason
    for channel in dict.fromkeys(state.channel for state in progress.states):
        reached, why = _of_channel([s for s in progress.states if s.channel == channel])
        channels[channel] = reached
        errors.pop(channel, None)
        if why is not None:
            errors[channel] = why
    for channel in asked:
        if channel not in channels:
            channels[channel], errors[channel] = False, UNDECIDED if progress.expanding else "nobody-addressed"
    settled = not progress.expanding and all(_ended(state) for state in progress.states)
    return Result(settled, channels, errors)


def _of_channel(states: Sequence[ChannelState]) -> tuple[bool, str | None]:
    if any(s.state in _DONE for s in states):
        return True, None
    open_ones = [s for s in states if not _ended(s)]
    if open_ones:
        return False, open_ones[0].reason if open_ones[0].waits else UNDECIDED
    return False, states[0].reason


def _ended(state: ChannelState) -> bool:
    return state.state in _ENDED or (state.state == "unknown" and not state.waits)
