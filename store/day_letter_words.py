"""What the letter about a day says: counts and sources, and nothing of a patient."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from store.day_signing import DaySnapshot
from store.day_sources import SourceDay, SourceState


def subject_of(told: DaySnapshot, sources: Sequence[SourceDay]) -> str:
    """One line that says whether everything arrived."""
    missing = sum(one.state is SourceState.MISSING for one in sources)
    awaited = sum(one.state is SourceState.EXPECTED for one in sources)
    if missing:
        arrived = f"{missing} {_of(missing, 'report')} MISSING"
    elif not told.reports:
        arrived = "no report came" if not awaited else "no report yet"
    else:
        arrived = f"{told.reports} {_of(told.reports, 'report')} so far" if awaited else "everything arrived"
    alerts = next((one.count for one in told.open if one.kind == "alerts"), 0)
    urgent = f", {alerts} URGENT {_of(alerts, 'answer')} not taken" if alerts else ""
    wrong = "" if told.adds_up else ", THE SUM DOES NOT ADD UP"
    counts = f"{told.figures.records} {_of(told.figures.records, 'record')}, {told.figures.waiting} waiting"
    return f"[{' '.join(told.site.split())}] {told.day:%d-%b}: {arrived}, {counts}{urgent}{wrong}"


def body_of(
    told: DaySnapshot, sources: Sequence[SourceDay], *, paused: Collection[str], address: str | None, now: datetime
) -> str:
    """The letter.

    Args:
        paused: Destinations to which nothing goes.
        address: Where the day's page is, or None for no link.
        now: On the clocks of the site.
    """
    return "\n".join(_lines(told, sources, paused=paused, address=address, now=now)) + "\n"


def _lines(
    told: DaySnapshot, sources: Sequence[SourceDay], *, paused: Collection[str], address: str | None, now: datetime
) -> Iterator[str]:
    sums = told.figures
    yield f"{told.site}, {told.day:%A %d %B %Y}, as of {now:%H:%M}"
    yield ""
    yield (
        f"{sums.records} records = {sums.automatic} automatic + {sums.reviewed} decided by a person "
        f"+ {sums.waiting} waiting + {sums.failed} failed"
    )
    yield f"Delivered {sums.delivered}, sending {sums.sending}, held {sums.held}, shadow mode {sums.shadow}."
    yield f"Rejected {sums.rejected}, known already {sums.duplicate}, without a score {told.no_score}."
    if not told.adds_up:
        yield "THE SUM DOES NOT ADD UP: records are missing of what was printed. Run: scorebridge doctor"
    yield ""
    for one in sources:
        yield _source_line(one)
    for name in sorted(paused):
        yield f"Nothing is sent to {name}: it is paused."
    yield ""
    yield "Still open:" if told.open else "Nothing is open."
    for item in told.open:
        yield f"- {item.sentence}"
    if address is not None:
        yield ""
        yield f"{address.rstrip('/')}/?site={told.site}&day={told.day.isoformat()}"


def _source_line(one: SourceDay) -> str:
    by = f"{one.source.expected_by:%H:%M}" if one.source.expected_by else ""
    match one.state:
        case SourceState.MISSING:
            return f"{one.source.folder}: NO REPORT CAME, expected by {by}"
        case SourceState.EXPECTED:
            return f"{one.source.folder}: expected by {by}"
        case SourceState.NOTHING:
            return f"{one.source.folder}: nothing came, nothing was expected"
    wrong = f", {one.unreadable} unreadable" if one.unreadable else ""
    held = ", layout on hold" if one.state is SourceState.LAYOUT_HELD else ""
    return (
        f"{one.source.folder}: {one.reports} {_of(one.reports, 'report')}, {one.figures.records} records{wrong}{held}"
    )


def _of(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
