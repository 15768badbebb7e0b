"""The escalation ladder: who is told when, as long as nobody takes an alert. The last rung repeats for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Channels to be told when an alert has been open for so long.

    Attributes:
        after: Since the ladder began.
        channels: Names.
    """

    after: timedelta
    channels: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Rungs from the first on, and how often the last one is told again.

    A *step* is a rung being told, from 1; each repeat of the last rung is a step of its own. Steps depend on the time
    alone, so that a channel that fails holds up no other.
    """

    rungs: tuple[Rung, ...]
    repeat: timedelta

    def __post_init__(self) -> None:
        times = [rung.after for rung in self.rungs]
        if not times or times[0] != timedelta(0) or sorted(set(times)) != times or self.repeat <= timedelta(0):
            raise ValueError("rungs begin at 0 and rise, and the last one is repeated after some time")

    def step_at(self, age: timedelta) -> int:
        """The step that is due when an alert has been open for `age`; the first one at once, whatever clocks say."""
        reached = max(1, sum(rung.after <= age for rung in self.rungs))
        if reached < len(self.rungs):
            return reached
        return reached + max(timedelta(0), age - self.rungs[-1].after) // self.repeat

    def owed(self, channel: str, *, begun_at: datetime, now: datetime, told: int, told_at: datetime | None) -> int:
        """The step that a channel is to be told at `now`, or 0.

        Only the latest is owed: after an outage nobody is told the same thing five times over. A repeat leaves `repeat`
        between itself and whatever the channel took before.

        Args:
            told: The last step that the channel took, or 0.
            told_at: When that was.
        """
        step, last = self.step_at(now - begun_at), len(self.rungs)
        if step > last and not self._names(last, channel):
            step = last
        if step <= last:
            step = max((number for number in range(1, step + 1) if self._names(number, channel)), default=0)
        if step <= told:
            return 0
        too_soon = step > last and told_at is not None and now - told_at < self.repeat
        return 0 if too_soon else step

    def _names(self, rung: int, channel: str) -> bool:
        return channel in self.rungs[rung - 1].channels


def even_ladder(channels: Sequence[str], *, steps: int, every: timedelta, repeat: timedelta) -> Ladder:
    """A ladder that tells the same channels on each of its rungs."""
    everybody = frozenset(channels)
    return Ladder(rungs=tuple(Rung(after=number * every, channels=everybody) for number in range(steps)), repeat=repeat)
