"""What a reading looked like, as a small signature: where the template's words stand, what is strange, how often."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from parsers.dates import UnreadableDateError, read_date
from parsers.header import find_headers
from parsers.labels import find_labels
from parsers.lines import Line, find_wrapped, folded, lines_of
from parsers.template import Template
from parsers.template_parts import Column, Field, LabelledField
from records.assessment import SymptomAssessment
from records.document import Page, TableFile, Word
from records.geometry import Region, around
from records.layout import Landmark, LandmarkKind, LayoutSignature, Rate, ScoreSums, Stranger
from records.report import ExtractedReport

# A layout is printed alike on all its pages; whatever is different on a later one is a finding there.
_PAGES_LOOKED_AT: Final = 3
# Two finds of a landmark this near each other, in points, are one place.
_SAME_PLACE: Final = 1.0
# A header of which fewer than this share of the required columns is there is no header.
_RECOGNISABLE: Final = 0.5
# Headers printed over several lines: the deepest, in heights of a line.
_DEEPEST: Final = 4.5
_MOST_STRAY_PLACES: Final = 10
_LONGEST_STRANGER: Final = 40
# Older than this against the newest of its report, a date may be one whose day and month were taken for each other.
_LONG_AGO: Final = timedelta(days=31)
_NUMBER: Final = re.compile(r"-\d+[a-z]?(?=-|$)")


@dataclass(frozen=True, slots=True)
class _Found:
    """A landmark's words at one place of a page."""

    landmark: Landmark
    words: tuple[Word, ...]


def signature_of(
    pages: Sequence[Page], template: Template, report: ExtractedReport, assessments: Sequence[SymptomAssessment]
) -> LayoutSignature:
    """What a PDF report looked like.

    Args:
        pages: Its pages in the first reading; the first three are enough.
        template: The template that fits it.
        report: What extraction took out of it.
        assessments: What validation made of that.
    """
    found: list[_Found] = []
    strangers: list[Stranger] = []
    tables, labels = _tables(template), _labels(template)
    headless = any(finding.code == "table-not-found" for finding in report.findings)
    for page in pages[:_PAGES_LOOKED_AT]:
        lines = lines_of(page.words)
        headers = [header for columns in tables for header in _headers(lines, columns, headless=headless)]
        found += [*(each for header in headers for each in header), *_label_places(lines, labels)]
        strangers += _strangers(page, headers, report, _names_in(assessments))
    here = {each.landmark.name for each in found}
    return LayoutSignature(
        template=template.name,
        pages=report.pages,
        sheet=(round(pages[0].width, 1), round(pages[0].height, 1)) if pages else (0.0, 0.0),
        landmarks=_places(each.landmark for each in found),
        missing=(*_missing_columns(tables, here, headless=headless), *_missing_labels(template, report, here)),
        strangers=tuple({(s.printed, s.after, s.before): s for s in reversed(strangers)}.values())[::-1],
        headless=headless,
        stray_places=_stray_places(report, strangers),
        rates=_rates(template, report, assessments),
        scores=_scores(assessments),
    )


def table_signature_of(
    file: TableFile, template: Template, report: ExtractedReport, assessments: Sequence[SymptomAssessment]
) -> LayoutSignature:
    """What a table file looked like; places are the numbers of its columns, from 1."""
    tables = _tables(template)
    columns = [column for table in tables for column in table]
    cells = max((row.cells for row in file.rows), key=lambda cells: _matching(cells, columns), default=())
    names = [folded(cell) for cell in cells]
    landmarks: list[Landmark] = []
    for column in columns:
        wording = next((text for text in (column.header, *column.also) if folded(text) in names), None)
        if wording is not None:
            place = names.index(folded(wording)) + 1
            landmarks.append(
                Landmark(name=_name(column), kind=LandmarkKind.COLUMN, printed=wording, page=0, x0=place, x1=place)
            )
    here = {landmark.name for landmark in landmarks}
    headless = any(finding.code == "table-not-found" for finding in report.findings)
    recognisable = len(here) >= _RECOGNISABLE * sum(not column.optional for column in columns)
    return LayoutSignature(
        template=template.name,
        pages=0,
        sheet=(0.0, 0.0),
        landmarks=tuple(landmarks),
        missing=_missing_columns(tables, here, headless=headless),
        strangers=tuple(_strange_cells(cells, landmarks, _names_in(assessments))) if recognisable else (),
        headless=headless,
        rates=_rates(template, report, assessments),
        scores=_scores(assessments),
    )


def _tables(template: Template) -> tuple[tuple[Column, ...], ...]:
    """The columns of every table that has a printed header."""
    headers = (*(table.columns for table in template.table), *(items.columns for items in template.items))
    return tuple(columns for columns in headers if columns)


def _labels(template: Template) -> tuple[LabelledField, ...]:
    parts = (*(items.fields for items in template.items), *(blocks.fields for blocks in template.blocks))
    return (*template.fields, *(label for fields in parts for label in fields))


def _name(column: Column) -> str:
    """What tells a column from others: the same header may stand below several headings."""
    return f"{column.under}: {column.header}" if column.under else column.header


# --- where the template's words stand


def _headers(lines: Sequence[Line], columns: Sequence[Column], *, headless: bool) -> list[list[_Found]]:
    """A table's headers on a page: whole ones, or in a headless report as many columns as stand together.

    Where the table was found, a page without its header is one that goes on; single words of it are in the text.
    """
    headers = find_headers(lines, columns)
    if not headers:
        partial = _partial_header(lines, columns) if headless else []
        return [[_column_at(column, words) for column, words in partial]] if partial else []
    # A header that is a value itself is no word of the template.
    return [[_column_at(cell.column, cell.words) for cell in h.cells if cell.value is None] for h in headers]


def _partial_header(lines: Sequence[Line], columns: Sequence[Column]) -> list[tuple[Column, tuple[Word, ...]]]:
    """The columns that stand together in most; empty if they are too few to be this table's header.

    The order does not count: columns that have changed places are found as well.
    """
    places = {
        column.header: [words for text in (column.header, *column.also) for words in find_wrapped(lines, text)]
        for column in columns
    }
    tops = sorted({_box(words).top for found in places.values() for words in found})
    best: list[tuple[Column, tuple[Word, ...]]] = []
    for top in tops:
        taken = _together(places, columns, top=top)
        if (len(taken), -_depth(taken)) > (len(best), -_depth(best)):
            best = taken
    required = sum(not column.optional for column in columns)
    return best if len(best) >= max(1, _RECOGNISABLE * required) else []


def _together(
    places: dict[str, list[tuple[Word, ...]]], columns: Sequence[Column], *, top: float
) -> list[tuple[Column, tuple[Word, ...]]]:
    """One place for each column, as far as it has one little below `top`; longer headers choose their words first."""
    used: set[int] = set()
    taken: list[tuple[Column, tuple[Word, ...]]] = []
    for column in sorted(columns, key=lambda c: -len(c.header.split())):
        for words in sorted(places[column.header], key=lambda words: (_box(words).top, _box(words).x0)):
            box, height = _box(words), words[0].region.bottom - words[0].region.top
            within = top - 0.5 <= box.top and box.bottom <= top + _DEEPEST * height
            if within and not used & {id(word) for word in words}:
                used |= {id(word) for word in words}
                taken.append((column, words))
                break
    return taken


def _depth(taken: Sequence[tuple[Column, tuple[Word, ...]]]) -> float:
    boxes = [_box(words) for _, words in taken]
    return max((box.bottom for box in boxes), default=0.0) - min((box.top for box in boxes), default=0.0)


def _column_at(column: Column, words: tuple[Word, ...]) -> _Found:
    return _found(_name(column), (column.header, *column.also), LandmarkKind.COLUMN, words)


def _label_places(lines: Sequence[Line], labels: Sequence[LabelledField]) -> list[_Found]:
    by_name = {label.label: label for label in labels}
    return [
        _found(place.label, (place.label, *by_name[place.label].also), LandmarkKind.LABEL, place.words)
        for place in find_labels(lines, labels)
    ]


def _found(name: str, wordings: Sequence[str], kind: LandmarkKind, words: tuple[Word, ...]) -> _Found:
    box, text = _box(words), folded("".join(word.text for word in words)).rstrip(":")
    printed = next((wording for wording in wordings if folded(wording).rstrip(":") == text), name)
    x0, top, x1, bottom = (round(edge, 1) for edge in (box.x0, box.top, box.x1, box.bottom))
    landmark = Landmark(name=name, kind=kind, printed=printed, page=box.page, x0=x0, x1=x1, top=top, bottom=bottom)
    return _Found(landmark, words)


def _places(landmarks: Iterable[Landmark]) -> tuple[Landmark, ...]:
    """Each landmark at each distinct place across the page, where it is first."""
    kept: list[Landmark] = []
    for landmark in landmarks:
        known = (other for other in kept if other.name == landmark.name and other.kind == landmark.kind)
        if not any(abs(other.x0 - landmark.x0) <= _SAME_PLACE for other in known):
            kept.append(landmark)
    return tuple(kept)


def _missing_columns(tables: Sequence[Sequence[Column]], here: set[str], *, headless: bool) -> tuple[str, ...]:
    """Required columns that are printed nowhere. A table that was found has them all, if not on the first pages."""
    required = dict.fromkeys(_name(c) for columns in tables for c in columns if not c.optional)
    return tuple(name for name in required if name not in here) if headless else ()


def _missing_labels(template: Template, report: ExtractedReport, here: set[str]) -> tuple[str, ...]:
    said = {finding.detail for finding in report.findings if finding.code == "label-missing"}
    required = tuple(label.label for label in _labels(template) if not label.optional)
    # On question pages and cards a label may be missing from one record; from all of them it is the layout's doing.
    of_records = bool(template.items or template.blocks)
    return tuple(name for name in required if name in said or (of_records and name not in here))


# --- what belongs to nothing


def _strangers(
    page: Page, headers: Sequence[Sequence[_Found]], report: ExtractedReport, names: frozenset[str]
) -> list[Stranger]:
    """The unclaimed words that stand on the height of a header, beside its columns."""
    ours = {id(word) for header in headers for each in header for word in each.words}
    unclaimed = [f.region for f in report.findings if f.code == "unclaimed-word" and f.region is not None]
    free = [
        word
        for word in page.words
        if id(word) not in ours
        and any(region.page == page.number and region.holds(*word.region.center) for region in unclaimed)
    ]
    found: list[Stranger] = []
    for header in filter(None, headers):
        hull = around([_box(each.words) for each in header])
        strange = [word for word in free if hull.top - 1 <= word.region.center[1] <= hull.bottom + 1]
        columns = [each.landmark for each in header]
        found += [_stranger(run, columns, names) for line in lines_of(strange) for run in line.runs()]
    return found


def _stranger(run: tuple[Word, ...], columns: Sequence[Landmark], names: frozenset[str]) -> Stranger:
    box = _box(run)
    left = [column for column in columns if (column.x0 + column.x1) / 2 <= box.center[0]]
    right = [column for column in columns if (column.x0 + column.x1) / 2 > box.center[0]]
    return Stranger(
        printed=_harmless(" ".join(word.text for word in run), names),
        after=max(left, key=lambda column: column.x0).name if left else None,
        before=min(right, key=lambda column: column.x0).name if right else None,
        region=box,
    )


def _strange_cells(cells: Sequence[str], landmarks: Sequence[Landmark], names: frozenset[str]) -> Iterator[Stranger]:
    by_place = {round(landmark.x0): landmark.name for landmark in landmarks}
    for place, cell in enumerate(cells, start=1):
        if cell and place not in by_place:
            after = max((known for known in by_place if known < place), default=None)
            before = min((known for known in by_place if known > place), default=None)
            yield Stranger(
                printed=_harmless(cell, names),
                after=by_place[after] if after else None,
                before=by_place[before] if before else None,
                region=None,
            )


def _harmless(text: str, names: frozenset[str]) -> str:
    """The words, or nothing where they might be somebody's: with digits, as long as a sentence, or in a name."""
    words = {folded(word) for word in re.findall(r"[^\W\d_]{2,}", text)}
    somebodys = bool(words & names) or not words or len(text) > _LONGEST_STRANGER or any(map(str.isdigit, text))
    return "" if somebodys else text


def _names_in(assessments: Sequence[SymptomAssessment]) -> frozenset[str]:
    parts = [
        part
        for who in (assessment.patient for assessment in assessments)
        for part in (who.name, who.family, who.given, who.middle)
        if part
    ]
    return frozenset(folded(word) for part in parts for word in re.findall(r"[^\W\d_]{2,}", part))


def _stray_places(report: ExtractedReport, strangers: Sequence[Stranger]) -> tuple[Region, ...]:
    known = [stranger.region for stranger in strangers if stranger.region]
    strays = [
        Region(region.page, *region.box)
        for finding in report.findings
        if finding.code == "unclaimed-word" and (region := finding.region) is not None
        if not any(region.overlaps(other) for other in known)
    ]
    return tuple(strays[:_MOST_STRAY_PLACES])


def _matching(cells: Sequence[str], columns: Sequence[Column]) -> int:
    names = {folded(cell) for cell in cells}
    return sum(any(folded(text) in names for text in (column.header, *column.also)) for column in columns)


def _box(words: Sequence[Word]) -> Region:
    return around([word.region for word in words])


# --- how often what


def _rates(template: Template, report: ExtractedReport, assessments: Sequence[SymptomAssessment]) -> tuple[Rate, ...]:
    records = len(report.rows)
    # A table file has no pages: a stray cell of it is everybody's.
    pages = {f.region.page if f.region else 1 for f in report.findings if f.code == "unclaimed-word"}
    rates = [
        Rate(name="stray-pages", hits=len(pages), of=max(report.pages, 1)),
        Rate(name="no-score", hits=report.no_score, of=records + report.no_score),
        *_blanks(report),
        *_troubled(assessments),
        *_date_order(template, report),
        *_long_ago(assessments),
    ]
    return tuple(rate for rate in rates if rate.of)


def _blanks(report: ExtractedReport) -> Iterator[Rate]:
    of: Counter[str] = Counter(name for row in report.rows for name, _ in row.cells)
    blank: Counter[str] = Counter(name for row in report.rows for name, cell in row.cells if not cell.text.strip())
    yield from (Rate(name=f"blank:{name}", hits=blank[name], of=count) for name, count in sorted(of.items()))
    answers = [item.points.text.strip() for row in report.rows for item in row.items or ()]
    yield Rate(name="blank:answers", hits=sum(not text for text in answers), of=len(answers))


def _troubled(assessments: Sequence[SymptomAssessment]) -> Iterator[Rate]:
    """Of how many records each kind of blocking finding is said; "item-3-blank" counts with "item-7-blank"."""
    found: Counter[str] = Counter(
        code
        for assessment in assessments
        for code in {_NUMBER.sub("", finding.code) for finding in assessment.findings if finding.blocking}
    )
    yield Rate(name="finding:any", hits=sum(any(f.blocking for f in a.findings) for a in assessments),
               of=len(assessments))  # fmt: skip
    yield from (Rate(name=f"finding:{code}", hits=n, of=len(assessments)) for code, n in sorted(found.items()))


def _date_order(template: Template, report: ExtractedReport) -> Iterator[Rate]:
    """How many dates are only dates as the template writes them, and how many only with day and month exchanged."""
    for field in (Field.BIRTH_DATE, Field.AUTHORED_ON):
        formats = template.date_formats(field)
        exchanged = [_exchanged(form) for form in formats]
        if not formats or any("%d" not in form or "%m" not in form for form in formats):
            continue
        texts = [cell.text for row in report.rows if (cell := row.cell(str(field))) is not None and cell.text.strip()]
        reads = [(_is_date(text, formats), _is_date(text, exchanged)) for text in texts]
        if field is Field.BIRTH_DATE:
            # People are born all through the month; a day's questionnaires are all of one week of it.
            yield Rate(name="order-sure", hits=sum(own and not other for own, other in reads), of=len(reads))
        yield Rate(name=f"order-other:{field}", hits=sum(other and not own for own, other in reads), of=len(reads))


def _exchanged(form: str) -> str:
    return re.sub("%[dm]", lambda match: "%m" if match[0] == "%d" else "%d", form)


def _is_date(text: str, formats: Sequence[str]) -> bool:
    try:
        return read_date(text, formats) is not None
    except UnreadableDateError:
        return False


def _long_ago(assessments: Sequence[SymptomAssessment]) -> Iterator[Rate]:
    """How many questionnaires are much older than the newest of the report that is not in the future."""
    days: list[date] = [
        assessment.authored_on
        for assessment in assessments
        if assessment.authored_on is not None and not any(f.code == "date-in-future" for f in assessment.findings)
    ]
    newest = max(days, default=date.min)
    yield Rate(name="long-ago", hits=sum(newest - day > _LONG_AGO for day in days), of=len(days))


def _scores(assessments: Sequence[SymptomAssessment]) -> tuple[ScoreSums, ...]:
    totals: dict[str, list[int]] = {}
    for assessment in assessments:
        if assessment.instrument is not None and assessment.total is not None:
            totals.setdefault(assessment.instrument, []).append(assessment.total)
    return tuple(
        ScoreSums(instrument=name, count=len(found), total=sum(found), squares=sum(n * n for n in found))
        for name, found in sorted(totals.items())
    )
