"""The way round the program: the places at the top of every page, each only for those who may go there."""

from __future__ import annotations

from typing import Final, NamedTuple

from review.access import Policy, Visitor


class _Place(NamedTuple):
    words: str
    path: str
    below: tuple[str, ...] = ()


class Step(NamedTuple):
    """One entry at the top of a page.

    Attributes:
        is_here: The page shown belongs to it.
        waiting: Entries that wait there for a person, or None where nothing is counted.
    """

    words: str
    path: str
    is_here: bool
    waiting: int | None


_QUEUE: Final = "/queue"
_PLACES: Final = (
    _Place("Dashboard", "/", ("/day",)),
    _Place("Review", _QUEUE, ("/cases", "/records", "/reports", "/submissions", "/patients", "/registrations")),
    _Place("Alerts", "/alerts"),
    _Place("Checks", "/blind-audit"),
    _Place("Shadow", "/shadow"),
    _Place("Templates", "/templates"),
    _Place("Audit log", "/audit"),
    _Place("Settings", "/settings", ("/destinations", "/sources", "/patient-lists", "/users")),
)


def steps(path: str, visitor: Visitor, *, reachable: dict[str, Policy], waiting: int) -> tuple[Step, ...]:
    """The places a person may go to, in their order.

    Args:
        path: Address of the page shown.
        visitor: Who looks at it.
        reachable: Address of every page to its policy; a place that is not among them is left out.
        waiting: Cases that wait for review at the person's sites.
    """
    here = _place_of(path)
    return tuple(
        Step(place.words, place.path, place is here, waiting if place.path == _QUEUE else None)
        for place in _PLACES
        if place.path in reachable and visitor.may(reachable[place.path])
    )


def _place_of(path: str) -> _Place | None:
    for place in _PLACES:
        if path == place.path or any(path == one or path.startswith(f"{one}/") for one in (place.path, *place.below)):
            return place
    return None
