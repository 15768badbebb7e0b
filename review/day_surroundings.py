"""What the day's page needs from the settings: which sources are watched, and who is told of an urgent answer when."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Final

from store.day_sources import WatchedSource

_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRung:
    """Who is told when an alert has been open for so long.

    Attributes:
        after: Since it was raised.
        channels: Names, as in the settings.
    """

    after: timedelta
    channels: tuple[str, ...]


class ShownFlags:
    """Which patients each session was shown on the day's page: a refresh that shows the same again is no new look.

    It lives as long as the program, so that after a restart everything counts as seen anew.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._lock = Lock()

    def is_news(self, session_mark: str, shown: frozenset[str]) -> bool:
        """Whether anything is shown to this session that it has not just been shown; remembers it."""
        with self._lock:
            before = self._seen.pop(session_mark, frozenset())
            self._seen[session_mark] = shown
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return not shown <= before


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySurroundings:
    """The day's part of the settings.

    Attributes:
        sources: Every watched folder, in the order of the settings.
        rungs: The ladder of alerts, lowest first; empty where nobody is told.
    """

    sources: tuple[WatchedSource, ...] = ()
    rungs: tuple[CallRung, ...] = ()
    shown: ShownFlags = field(default_factory=ShownFlags)

    def of_sites(self, sites: tuple[str, ...]) -> tuple[WatchedSource, ...]:
        """The sources of these sites."""
        return tuple(source for source in self.sources if source.site in sites)

    @property
    def target(self) -> timedelta | None:
        """After how long an alert should have been taken: when the next people are told; None without a ladder."""
        return self.rungs[1].after if len(self.rungs) > 1 else None

    def on_call(self, age: timedelta) -> tuple[str, ...]:
        """The channels of the rung that an alert of this age has reached."""
        reached = [rung.channels for rung in self.rungs if rung.after <= max(age, timedelta())]
        return reached[-1] if reached else ()
