"""How a reading differs from what is usual for its template: drift, noticed before anything fails.

Two kinds of evidence, two kinds of test:

*Structure* (a header that is missing, new, renamed; words nobody claims) is held against the template itself, from the
first report on: the template says what may be printed, and everything else is drift.

*Habit* (places, sheet, rates, scores) is held against the readings that were accepted before. Places count from
`PLACES_FROM` readings on, rates from `RATES_FROM` readings and `RECORDS_FROM` records on: fewer say nothing about how
much a layout varies by itself. A rate is unusual only if it is so in three ways at once (`_unusual`), so that neither a
small day nor a busy Monday raises an alarm.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median_high
from typing import Final

from records.geometry import Region
from records.layout import ChangeKind, Landmark, LandmarkKind, LayoutChange, LayoutSignature, Rate, ScoreSums, Stranger

PLACES_FROM: Final = 3
"""Readings before places count: with two one cannot see whether a layout sets its columns anew every day."""

RATES_FROM: Final = 5
"""Readings before rates count: a working week, so that no single odd day is what is usual."""

RECORDS_FROM: Final = 40
"""Records before rates count: the chance of an event never seen in 40 is known no better than to be below 7 %."""

MOVED: Final = 6.0
"""Points a column may stand off by itself: a digit of 11-point type. Beyond, a value may change its column."""

TOGETHER: Final = 18.0
"""Points everything may have moved by together: a quarter of an inch, what printer drivers differ by in their margins.

Columns are found by their words, and their values move with them: that is worth a note. Farther is another form."""

_NOTED: Final = 2.0
# Shifts that differ by no more than this are one shift.
_AS_ONE: Final = 1.5
# How many of its usual steps from day to day a floating place may be off.
_STEPS: Final = 4.0
_SHEET: Final = 2.0
# Of a long report, so few pages with a stray word are a matter of those pages, whose records wait anyway.
_FEW_PAGES: Final = 0.05

# One alarm by chance in a million tests: some 25 rates a report make one false alarm in 40,000 reports.
_CHANCE: Final = 1e-6
_DIFFERENCE: Final = 0.15
_BEYOND: Final = 0.10
_LEAST_HITS: Final = 5
_LEAST_EXCHANGED: Final = 2
_LEAST_SCORES: Final = 10
# Standard errors a mean may be off, and the part of the usual spread that it must at least be off by.
_SCORE_ERRORS: Final = 6.0
_SCORE_SPREAD: Final = 1.0

_FALLING_COUNTS: Final = ("blank:", "order-sure", "no-score")
_ONE_BY_ONE: Final = frozenset({"stray-pages"})


def changes(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> tuple[LayoutChange, ...]:
    """What is different today; the template is on hold if any of it `holds`.

    Args:
        today: The reading in question.
        usual: Accepted readings of the same template, oldest first; may be empty.
    """
    return (
        *_headers(today, usual),
        *_stray_words(today, usual),
        *_sheet(today, usual),
        *_moves(today, usual),
        *_optional(today, usual),
        *_date_order(today, usual),
        *_rates(today, usual),
        *_score_means(today, usual),
    )


# --- structure


def least_usual(shares: Sequence[float]) -> float | None:
    """Below which a share that should stay high is out of its usual range; None while too few readings say so.

    What `_unusual` asks of a rate, without the chance of it: enough from the mean, and beyond every earlier reading.
    """
    if len(shares) < RATES_FROM:
        return None
    return max(0.0, min(sum(shares) / len(shares) - _DIFFERENCE, min(shares) - _BEYOND))


def _headers(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> Iterator[LayoutChange]:
    """Missing, renamed and new headers. What a person has accepted before is only noted."""
    missed = {name for reading in usual for name in reading.missing}
    known = {(s.printed, s.after, s.before) for reading in usual for s in reading.strangers}
    columns = [landmark.name for landmark in today.landmarks if landmark.kind is LandmarkKind.COLUMN]
    left = list(today.strangers)
    for name in today.missing:
        before = _last_place(name, usual)
        renamed = next((s for s in left if columns and _stands_for(s, before)), None)
        if renamed is not None:
            left.remove(renamed)
            told, region = f"“{name}” is now called {_quoted(renamed)}.", renamed.region
            yield LayoutChange(kind=ChangeKind.RENAMED, sentence=told, holds=name not in missed, region=region)
        else:
            region = before.region if before is not None else None
            where = f" It stood on {_place(region)}." if region else ""
            told = f"“{name}” is not printed any more.{where}"
            yield LayoutChange(kind=ChangeKind.MISSING, sentence=told, holds=name not in missed, region=region)
    if today.headless and not today.missing:
        yield _change(ChangeKind.MISSING, "The headers do not stand side by side in their order any more.", None)
    for stranger in left:
        told = f"{_quoted(stranger)} is new {_between(stranger)}."
        holds = (stranger.printed, stranger.after, stranger.before) not in known
        yield LayoutChange(
            kind=ChangeKind.NEW, sentence=told[0].upper() + told[1:], holds=holds, region=stranger.region
        )


def _stands_for(stranger: Stranger, before: Landmark | None) -> bool:
    """Whether the stranger stands where a missing column usually does; without any reading before, it may."""
    if before is None or stranger.region is None or before.region is None:
        return True
    return min(stranger.region.x1, before.x1) - max(stranger.region.x0, before.x0) > 0


def _stray_words(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> Iterator[LayoutChange]:
    rate = today.rate("stray-pages")
    # Where the headers are not found, or others stand among them, every word left over is told of there.
    if rate is None or not rate.hits or today.headless or (today.strangers and not today.stray_places):
        return
    known = [other for reading in usual if (other := reading.rate(rate.name)) is not None and other.hits]
    many = rate.hits > _FEW_PAGES * rate.of
    holds = many and (not known or _unusual(rate, _history(rate.name, usual)))
    first = next(iter(today.stray_places), None)
    where = f", first on {_place(first)}" if first else ""
    if holds or not known:
        pages = f"{rate.hits} of {rate.of} pages" if today.pages else "the file"
        yield LayoutChange(
            kind=ChangeKind.UNCLAIMED,
            sentence=f"Words that the template does not account for stand on {pages}{where}.",
            holds=holds,
            region=first,
        )


# --- places


def _sheet(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> Iterator[LayoutChange]:
    known = [reading.sheet for reading in usual]
    if known and not any(abs(w - today.sheet[0]) + abs(h - today.sheet[1]) <= _SHEET for w, h in known):
        (w, h), (now_w, now_h) = known[-1], today.sheet
        yield _change(ChangeKind.SHEET, f"The page is {now_w:g} by {now_h:g} points now, not {w:g} by {h:g}.", None)


@dataclass(frozen=True, slots=True)
class _Shift:
    landmark: Landmark
    by: float
    limit: float


def _moves(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> Iterator[LayoutChange]:
    if len(usual) < PLACES_FROM:
        return
    shifts = [*_column_shifts(today, usual), *_label_shifts(today, usual)]
    if not shifts:
        return
    common = median_high(shift.by for shift in shifts)
    as_one = len(shifts) > 1 and all(abs(shift.by - common) <= _AS_ONE for shift in shifts)
    farthest = max(shift.limit for shift in shifts)
    if as_one and today.pages and abs(common) > _NOTED:
        holds = abs(common) > max(TOGETHER, farthest)
        if holds or abs(common) > farthest - MOVED + _NOTED:
            sentence = f"Everything moved {_direction(common, today)} together."
            yield LayoutChange(kind=ChangeKind.MOVED, sentence=sentence, holds=holds, region=shifts[0].landmark.region)
        return
    for shift in shifts:
        if abs(shift.by) > shift.limit:
            region = shift.landmark.region
            where = f", to {_place(region)}" if region else ""
            what = f"{shift.landmark.kind.value.capitalize()} “{shift.landmark.name}”"
            yield _change(ChangeKind.MOVED, f"{what} moved {_direction(shift.by, today)}{where}.", region)


def _column_shifts(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> Iterator[_Shift]:
    """How far each header stands from the nearest of its usual places."""
    for landmark in today.landmarks:
        if landmark.kind is LandmarkKind.COLUMN and (known := _known_places(landmark.name, usual)):
            yield _Shift(landmark, _nearest(landmark, known), _limit(landmark.name, usual, pages=today.pages))


def _label_shifts(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> Iterator[_Shift]:
    """As for columns, but of all places of a label only the one that is off least: its words may stand in a value."""
    for name in dict.fromkeys(mark.name for mark in today.landmarks if mark.kind is LandmarkKind.LABEL):
        if known := _known_places(name, usual):
            own = [mark for mark in today.landmarks if mark.name == name]
            nearest = min(own, key=lambda mark: abs(_nearest(mark, known)))
            yield _Shift(nearest, _nearest(nearest, known), _limit(name, usual, pages=today.pages))


def _known_places(name: str, usual: Sequence[LayoutSignature]) -> list[Landmark]:
    return [landmark for reading in usual for landmark in reading.landmarks if landmark.name == name]


def _nearest(landmark: Landmark, known: Sequence[Landmark]) -> float:
    """The least shift from one of the places. A header aligned at one edge keeps that edge in another wording."""
    offs = [min((landmark.x0 - k.x0, landmark.x1 - k.x1), key=abs) for k in known]
    return min(offs, key=abs)


def _limit(name: str, usual: Sequence[LayoutSignature], *, pages: int) -> float:
    """How far a landmark may stand off: by what layouts that set their columns anew move it from day to day.

    The third quartile of the steps between readings, not the range of all: a layout that has moved for good once, and
    was accepted, is as firm as before.
    """
    if not pages:
        return 0.5
    places = [marks for reading in usual if (marks := [m for m in reading.landmarks if m.name == name])]
    steps = [max(abs(_nearest(mark, before)) for mark in after) for before, after in itertools.pairwise(places)]
    return max(MOVED, _STEPS * (median_high(steps) if steps else 0.0))


def _optional(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> Iterator[LayoutChange]:
    """Columns that the template lets come and go, doing so; and other wordings it knows. Worth a note."""
    if len(usual) < PLACES_FROM:
        return
    here = {landmark.name: landmark for landmark in today.landmarks}
    before = [{landmark.name for landmark in reading.landmarks} for reading in usual]
    gone = set.intersection(*before) - here.keys() - set(today.missing) if here and not today.headless else set[str]()
    for name in sorted(gone):
        told = f"“{name}” is missing, as the template allows."
        yield LayoutChange(kind=ChangeKind.MISSING, sentence=told, holds=False)
    for name, landmark in here.items():
        wordings = {mark.printed for reading in usual for mark in reading.landmarks if mark.name == name}
        if not wordings:
            told = f"“{name}” is there now, as the template allows."
            yield LayoutChange(kind=ChangeKind.NEW, sentence=told, holds=False, region=landmark.region)
        elif landmark.printed not in wordings:
            told = f"“{name}” is called “{landmark.printed}” now, as the template allows."
            yield LayoutChange(kind=ChangeKind.RENAMED, sentence=told, holds=False, region=landmark.region)


# --- rates


def _date_order(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> Iterator[LayoutChange]:
    """Dates that are dates only with day and month exchanged: two of them, and a tenth, are no slip of the hand."""
    for rate in today.rates:
        if rate.name.startswith("order-other:") and rate.hits >= max(_LEAST_EXCHANGED, 0.1 * rate.of):
            history = _history(rate.name, usual)
            if not any(other.hits for other in history) or _unusual(rate, history):
                field = rate.name.partition(":")[2].replace("_", " ")
                told = f"{rate.hits} of {rate.of} in {_plain(field)} can only be read with day and month exchanged."
                yield _change(ChangeKind.DATE_ORDER, told, None)


def _rates(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> Iterator[LayoutChange]:
    names = {rate.name for reading in (today, *usual) for rate in reading.rates} - _ONE_BY_ONE
    for name in sorted(name for name in names if not name.startswith("order-other:")):
        rate, history = _today(name, today), _history(name, usual)
        if rate is not None and _unusual(rate, history, falling=name.startswith(_FALLING_COUNTS)):
            usually = sum(other.hits for other in history) / sum(other.of for other in history)
            kind = ChangeKind.DATE_ORDER if name.startswith(("order-", "long-ago")) else ChangeKind.RATE
            told = f"{_rate_words(name)}: {rate.hits} of {rate.of} ({rate.hits / rate.of:.0%}), usually {usually:.0%}."
            yield _change(kind, told, None)


def _today(name: str, reading: LayoutSignature) -> Rate | None:
    """The rate in a reading. A finding that is not named did not occur."""
    rate = reading.rate(name)
    total = reading.rate("finding:any")
    if rate is None and name.startswith("finding:") and total is not None:
        return Rate(name=name, hits=0, of=total.of)
    return rate


def _history(name: str, usual: Sequence[LayoutSignature]) -> list[Rate]:
    return [rate for reading in usual if (rate := _today(name, reading)) is not None]


def _unusual(rate: Rate, history: Sequence[Rate], *, falling: bool = False) -> bool:
    """Whether a rate is out of its usual range.

    It must differ in three ways at once: the chance of it, given all that was seen before, is below one in a million
    (beta-binomial predictive distribution with Jeffreys' prior, Gelman et al., Bayesian Data Analysis, §2.4); it is
    well beyond what any earlier reading of some size showed, for days differ by more than chance; and the difference
    from the mean is large enough to matter. `falling`: whether a drop counts too.
    """
    seen, of = sum(other.hits for other in history), sum(other.of for other in history)
    if len(history) < RATES_FROM or of < RECORDS_FROM or not rate.of:
        return False
    share, usually = rate.hits / rate.of, seen / of
    days = [other.hits / other.of for other in history if other.of >= _LEAST_HITS]
    if share > usually:
        beyond = share >= max(days, default=0.0) + _BEYOND
        tail = _tail(rate.hits, rate.of, seen, of)
        enough = rate.hits
    else:
        beyond = falling and share <= min(days, default=1.0) - _BEYOND
        tail = _tail(rate.of - rate.hits, rate.of, of - seen, of)
        enough = rate.of - rate.hits
    return beyond and enough >= _LEAST_HITS and abs(share - usually) >= _DIFFERENCE and tail < _CHANCE


def _tail(hits: int, of: int, seen: int, seen_of: int) -> float:
    """The chance of at least `hits` of `of`, after `seen` of `seen_of`."""
    a, b = seen + 0.5, seen_of - seen + 0.5
    whole = _log_beta(a, b)
    return math.fsum(math.exp(_log_choose(of, n) + _log_beta(a + n, b + of - n) - whole) for n in range(hits, of + 1))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_choose(of: int, n: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(n + 1) - math.lgamma(of - n + 1)


def _score_means(today: LayoutSignature, usual: Sequence[LayoutSignature]) -> Iterator[LayoutChange]:
    """A questionnaire whose mean is far off: another column may be read in place of the score."""
    if len(usual) < RATES_FROM:
        return
    for sums in today.scores:
        before = [other for reading in usual for other in reading.scores if other.instrument == sums.instrument]
        if sums.count < _LEAST_SCORES or sum(other.count for other in before) < RECORDS_FROM:
            continue
        mean, spread = _mean_and_spread(before)
        now, count = sums.total / sums.count, sum(other.count for other in before)
        error = spread * math.sqrt(1 / sums.count + 1 / count)
        if abs(now - mean) > max(_SCORE_ERRORS * error, _SCORE_SPREAD * spread):
            told = f"The mean of {sums.instrument} is {now:.1f} in {sums.count} records, usually {mean:.1f}."
            yield _change(ChangeKind.SCORES, told, None)


def _mean_and_spread(sums: Sequence[ScoreSums]) -> tuple[float, float]:
    """Mean and standard deviation in points; the latter at least one point, as scores are whole numbers."""
    count = sum(each.count for each in sums)
    mean = sum(each.total for each in sums) / count
    variance = sum(each.squares for each in sums) / count - mean * mean
    return mean, max(1.0, math.sqrt(max(0.0, variance)))


# --- words


def _change(kind: ChangeKind, sentence: str, region: Region | None) -> LayoutChange:
    return LayoutChange(kind=kind, sentence=sentence, holds=True, region=region)


def _last_place(name: str, usual: Sequence[LayoutSignature]) -> Landmark | None:
    return next(iter(reversed(_known_places(name, usual))), None)


def _quoted(stranger: Stranger) -> str:
    return f"“{stranger.printed}”" if stranger.printed else "something that is not quoted here"


def _between(stranger: Stranger) -> str:
    if stranger.after and stranger.before:
        return f"between “{stranger.after}” and “{stranger.before}”"
    beside = f"right of “{stranger.after}”" if stranger.after else f"left of “{stranger.before}”"
    return beside if stranger.after or stranger.before else "among the headers"


def _direction(by: float, reading: LayoutSignature) -> str:
    unit = "point" if reading.pages else "column"
    count = round(abs(by))
    return f"{'right' if by > 0 else 'left'} by {count} {unit}{'' if count == 1 else 's'}"


def _place(region: Region | None) -> str:
    if region is None:
        return "the first page"
    x0, top, x1, bottom = (round(edge) for edge in region.box)
    return f"page {region.page}: {x0},{top} to {x1},{bottom}"


def _plain(field: str) -> str:
    return {"birth date": "the dates of birth", "authored on": "the dates of the questionnaires"}.get(field, field)


def _rate_words(name: str) -> str:
    kind, _, what = name.partition(":")
    match kind:
        case "blank":
            return f"Blank in {what}"
        case "finding":
            return "Records with a finding" if what == "any" else f"Records with {what}"
        case "unmatched":
            return "Records whose patient was not found for certain"
        case "no-score":
            return "Rows without a score"
        case "order-sure":
            return "Dates of birth after the 12th of a month"
        case _:
            return "Questionnaires more than a month older than the newest"
