"""Lines between the rows of a sample: headings that speak of the rows below, and lines to be skipped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parsers.drafting.lines import Piece, pattern_of
from parsers.drafting.words import behind_name, date_formats, heading_means, instruments_in, named_instrument, share
from parsers.template_parts import IDENTITY, Field

TRAILING_WORDS: Final = frozenset({
    "subtotal", "subtotals", "total", "totals", "grand", "average", "averages", "mean", "count", "page", "end",
    "printed", "records", "continued", "key", "legend", "note", "notes", "confidential",
})  # fmt: skip
# Of these words those that are surnames too: what begins with one of them may be a patient's row.
_SURNAMES: Final = frozenset({"page", "key", "mean", "count", "note", "grand", "end"})
# "13 scored, 1 not scored".
_COUNTS: Final = re.compile(
    r"(?:\d+ (?:not )?(?:scored|records?|rows?|results?|entries|patients|clients|completed|declined|refused|given|done|"
    r"total|screens?|assessments?)(?:[,;.] ?|$| and ))+"
)
# "4 students - mean score 20.3 6.0 7.0", "27 patients, mean of last scores 13.4 9.3": how many rows, and what they
# amount to.
_MEANS: Final = re.compile(
    r"\d+ (?P<rows>patients?|students?|clients?|members?|residents?|persons?|people|rows?|records?|results?|entries|"
    r"screens?|screenings?|assessments?|visits?|encounters?)\b(?P<said>[^\d]*?)"
    r"(?P<numbers>(?: (?:\d+(?:\.\d+)?%?|[-–—]+))*)"
)
_SAID = IDENTITY | {Field.AUTHORED_ON, Field.INSTRUMENT}
_DATED = (Field.BIRTH_DATE, Field.AUTHORED_ON)
_LONGEST_LABEL = 4  # words of a label such as "Date of Birth:"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPattern:
    """A heading between rows.

    Attributes:
        pattern: Regular expression of the whole line.
        fields: What its named groups are.
        values: Field to what the samples print there.
    """

    pattern: str
    fields: frozenset[Field]
    values: dict[Field, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Label:
    text: str
    field: Field | None
    start: int  # of its first word in the line's words
    end: int


def labels_in(text: str) -> tuple[Field, ...]:
    """The fields that a line names with a label and a colon ("DOB: 01/02/1980")."""
    return tuple(label.field for label in _labels(text.split()) if label.field in _SAID)


def sort_lines(texts: Sequence[str], *, lacking: frozenset[Field]) -> tuple[list[GroupPattern], list[Piece]]:
    """The headings among lines between rows, and what else stands there, as pieces to skip.

    Args:
        texts: The lines, as printed.
        lacking: Fields that the rows themselves do not print: a heading may say them without a label.
    """
    shapes: dict[tuple[str, ...], list[str]] = {}
    skipped: list[Piece] = []
    dated: list[str] = []
    named_days: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        words = text.split()
        labels = _labels(words)
        first = words[0].casefold().rstrip(":.")
        if (counted := _counted(text)) is not None:
            skipped.append(counted)
        elif first in TRAILING_WORDS:
            skipped.append(_general(words))
        elif any(label.field in _SAID for label in labels):
            shapes.setdefault(tuple(label.text for label in labels), []).append(text)
        elif Field.INSTRUMENT in lacking and len(instruments_in(text)) == 1:
            shapes.setdefault((), []).append(text)
        elif Field.AUTHORED_ON in lacking and date_formats([text]):
            dated.append(text)
        elif Field.AUTHORED_ON in lacking and (said := said_day(text)) is not None:
            named_days.setdefault(said[0], []).append(said[1])
        elif named_instrument(text.partition(":")[0]) is not None:
            # "PHQ-9: 14" may be a score of the row above: nothing claims it, so a person sees it.
            continue
        elif labels and labels[0].start == 0 and labels[0].end < len(words):
            skipped.append((_escaped(labels[0].text) + " .+", True))
        else:
            skipped.append(pattern_of(text))
    groups = [of_dates(dated)] if dated else []
    groups += [of_dates(days, label=label) for label, days in named_days.items()]
    groups += [_of_names(lines) if not labels else _of_labels(labels, lines) for labels, lines in shapes.items()]
    return groups, list(dict.fromkeys(skipped))


def is_count(text: str) -> bool:
    """Whether a line counts rows, and perhaps says what they amount to."""
    return _counted(text) is not None


def _counted(text: str) -> Piece | None:
    """A count of rows, for whatever questionnaire they are: "GAD-7: 13 scored, 1 not scored"; else None."""
    match = _MEANS.fullmatch(text)
    if match is not None:
        rows = match["rows"].removesuffix("s") + "s?" if match["rows"] not in ("entries", "people") else match["rows"]
        numbers = r"( (\d+(\.\d+)?%?|[-–—]+))*" if match["numbers"] else ""
        return rf"\d+ {rows}{_escaped(match['said'])}{numbers}", True
    name, _, counts = text.partition(":")
    if named_instrument(name) is None or _COUNTS.fullmatch(counts.strip()) is None:
        return None
    return r"[^:\d]{2,}[^:]*: " + re.sub(r"\d+", r"\\d+", _escaped(counts.strip())), True


def _general(words: Sequence[str]) -> Piece:
    """A subtotal, a legend, the end of a list: its first word, or first two, and whatever follows."""
    if words[0].casefold() in _SURNAMES and [word.casefold() for word in words[1:2]] != ["total"]:
        return pattern_of(" ".join(words))
    kept = words[:2] if len(words) > 1 and words[0].casefold() in ("grand", "total", "end") else words[:1]
    return (" ".join(kept), False) if len(words) == len(kept) else (" ".join(map(re.escape, kept)) + " .+", True)


def _of_names(lines: Sequence[str]) -> GroupPattern:
    """Headings that name the instrument of the rows below, with what else such a line says ("n = 14", "continued")."""
    rests = {behind_name(line) for line in lines}
    alike = len(set(lines)) > 1 and len(rests) == 1
    if alike and all(word.isalpha() for rest in rests for word in rest.split() or "0"):
        # "PHQ-9 SCREEN", "GAD-7 SCREEN": what another day prints before the word is a questionnaire too.
        return GroupPattern(
            pattern=f"(?P<instrument>[^:]+?) {_escaped(rests.pop())}",
            fields=frozenset({Field.INSTRUMENT}),
            values={Field.INSTRUMENT: tuple(lines)},
        )
    names = {name for line in lines if (name := _longest_name(line))}
    texts = sorted(names, key=lambda text: (-len(text), text))
    return GroupPattern(
        pattern=f"(?P<instrument>{'|'.join(_escaped(text) for text in texts)})( .+)?",
        fields=frozenset({Field.INSTRUMENT}),
        values={Field.INSTRUMENT: tuple(texts)},
    )


def _longest_name(line: str) -> str | None:
    """The longest beginning of a line that names an instrument."""
    words = line.split()
    beginnings = (" ".join(words[:n]) for n in range(len(words), 0, -1))
    return next((text for text in beginnings if named_instrument(text) is not None), None)


def said_day(text: str) -> tuple[str, str] | None:
    """The words for a visit that a line begins with and the day it ends with ("Seen on 30-Aug-2026"), or None."""
    words = text.split()
    for n in range(1, min(_LONGEST_LABEL, len(words) - 1) + 1):
        label, day = " ".join(words[:n]), " ".join(words[n:])
        if not label.endswith(":") and heading_means(label) is Field.AUTHORED_ON and date_formats([day]):
            return label, day
    return None


def of_dates(lines: Sequence[str], *, label: str = "") -> GroupPattern:
    """Headings that are the date of the rows below, behind the same words perhaps."""
    pieces = re.split(r"(\d+|[^\W\d_]+)", lines[0])
    pattern = "".join(
        r"\d{1,4}" if piece.isdigit() else r"[^\W\d_]+" if piece.isalpha() else _escaped(piece) for piece in pieces
    )
    return GroupPattern(
        pattern=f"{_escaped(label)} (?P<authored_on>{pattern})" if label else f"(?P<authored_on>{pattern})( .+)?",
        fields=frozenset({Field.AUTHORED_ON}),
        values={Field.AUTHORED_ON: tuple(lines)},
    )


def _of_labels(labels: tuple[str, ...], lines: Sequence[str]) -> GroupPattern:
    cut = [_parts(line) for line in lines]
    leading = [parts[0] for parts in cut]
    pieces: list[str] = []
    values: dict[Field, tuple[str, ...]] = {}
    if any(leading):
        named = share(Field.NAME, leading) >= 0.8
        pieces.append("(?P<name>.+?)" if named else ".+?" if len(set(leading)) > 1 else _escaped(leading[0]))
        values |= {Field.NAME: tuple(leading)} if named else {}
    for number, text in enumerate(labels, start=1):
        field = heading_means(text.rstrip(":"))
        said = field if field in _SAID and field not in values else None
        last = number == len(labels)
        body = ".+" if last else ".+?"
        told = [parts[number] for parts in cut]
        day = _words_of_date(told) if said in _DATED else 0
        if said and day:
            # "DOB: 05/13/1984 41 Y F": the day is what begins it.
            told = [" ".join(each.split()[:day]) for each in told]
            begins = " ".join([r"\S+"] * day)
            pieces.append(f"{_escaped(text)} (?P<{said.value}>{begins}) {body}")
        else:
            pieces.append(f"{_escaped(text)} " + (f"(?P<{said.value}>{body})" if said else body))
        if said:
            values[said] = tuple(told)
    return GroupPattern(pattern=" ".join(pieces), fields=frozenset(values), values=values)


def _words_of_date(values: Sequence[str]) -> int:
    """How many words of each value are a date where more follows; 0 where the values are dates, or begin with none."""
    if date_formats(values):
        return 0
    counts = (n for n in (1, 2, 3) if date_formats([" ".join(value.split()[:n]) for value in values]))
    return next((n for n in counts if all(len(value.split()) > n for value in values)), 0)


def _escaped(text: str) -> str:
    return re.escape(text).replace(r"\ ", " ")


def _parts(line: str) -> list[str]:
    """What stands before the first label, and behind each."""
    words = line.split()
    labels = _labels(words)
    ends = [label.start for label in labels[1:]] + [len(words)]
    return [
        " ".join(words[: labels[0].start]),
        *(" ".join(words[label.end : end]) for label, end in zip(labels, ends, strict=True)),
    ]


def _labels(words: Sequence[str]) -> list[_Label]:
    """What ends with a colon, with the words before it that make it a known label."""
    found: list[_Label] = []
    since = 0
    for number, word in enumerate(words):
        if not word.endswith(":") or (len(word) < 3 and number == since):
            continue
        starts = range(max(since, number - _LONGEST_LABEL + 1), number + 1)
        known = next((n for n in starts if heading_means(" ".join(words[n : number + 1]).rstrip(":"))), None)
        start = known if known is not None else since if not found and number - since < 3 else number
        text = " ".join(words[start : number + 1])
        found.append(_Label(text, heading_means(text.rstrip(":")), start, number + 1))
        since = number + 1
    return found
