"""What headings and labels usually mean, and what values look like: the knowledge behind a drafted template."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from parsers.dates import date_by
from parsers.drafting.vocabulary import (
    ABBREVIATIONS,
    ASKING,
    CHOICES,
    CLINIC,
    ITEM_FIELDS,
    ITEM_NUMBER,
    LONGEST_NAME,
    LONGEST_TEXT,
    MRN,
    NAME,
    NO_SCORE,
    NO_VISIT,
    OTHER_TIME,
    OWNERS,
    SCORE,
    SEVERITIES,
    SEX,
    SYNONYMS,
    TITLES,
    USUAL_DATE_FORMATS,
    VISITS,
)
from parsers.instrument_library import load_instruments, resolve, severity_band
from parsers.lines import folded
from parsers.template_parts import Field


def plain(text: str) -> str:
    """A heading in plain words: "ChartNo." and "chart no" are the same."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", text))
    return " ".join(re.findall(r"[a-z0-9]+|#", spaced.casefold()))


_MEANINGS: Final = {
    words: field for field, phrases in SYNONYMS.items() if field not in ITEM_FIELDS for words in phrases.split("|")
}
_ITEM_MEANINGS: Final = {words: field for field in ITEM_FIELDS for words in SYNONYMS[field].split("|")}
_LEGEND: Final = re.compile(r"(?P<short>[^\s=]+)\s*=\s*(?P<meaning>[^=]+?)(?=[\s,;]+[^\s=]+\s*=|[,;.]?\s*$)")
_REMARK: Final = re.compile(r"\s+\(([^()]+)\)$")
_ASIDES: Final = frozenset({"age", "yrs", "years", "last first", "last first mi", "last first middle"})
LONGEST_HEADING: Final = max(len(words.split()) for words in _MEANINGS)


@lru_cache(maxsize=8192)
def heading_means(heading: str) -> Field | None:
    """The field a heading or label usually stands for, or None."""
    remark = _REMARK.search(heading)
    if remark is not None and _says_no_field(remark[1]):
        return heading_means(heading[: remark.start()])
    words = plain(heading)
    if words in _MEANINGS:
        return _MEANINGS[words]
    whole = " ".join(" ".join(ABBREVIATIONS.get(word, word) for word in words.split()).split())
    if whole in _MEANINGS:
        return _MEANINGS[whole]
    owner, _, rest = whole.partition(" ")
    if owner in OWNERS and rest in _MEANINGS:
        return _MEANINGS[rest]
    return Field.IGNORE if set(words.split()) & OTHER_TIME else None


def _says_no_field(remark: str) -> bool:
    """Whether what a heading says in brackets leaves its meaning as it is: "(Age)", "(mm/dd/yyyy)", "(0-27)"."""
    shape = re.fullmatch(r"(?:[mdy]{1,4}[/.-]?){2,3}|[\d\s–-]+", remark, re.IGNORECASE)
    return shape is not None or plain(remark) in _ASIDES


def is_other_time(heading: str) -> bool:
    """Whether a heading is about another time than this administration ("Prior Score")."""
    return bool(set(plain(heading).split()) & OTHER_TIME)


def is_no_visit(heading: str) -> bool:
    """Whether a heading is that of a date of something else than a questionnaire ("Enrolled", "Follow-up Due")."""
    return plain(heading) in NO_VISIT


def is_visit(heading: str) -> bool:
    """Whether a label names the day of a visit, and nothing that may as well be the day of a print ("Date")."""
    words = set(plain(heading).split())
    return heading_means(heading) is Field.AUTHORED_ON and bool(words & VISITS)


def heading_hints(heading: str) -> Field | None:
    """The field a heading's single words point at, where the whole is not known; or None."""
    words = set(plain(heading).split())
    if words & OTHER_TIME:
        return Field.IGNORE
    if words & {"birth", "dob", "born"}:
        return Field.BIRTH_DATE
    if words & {"date", "day", "on"}:
        return Field.AUTHORED_ON
    if words & {"score", "total", "points"}:
        return Field.TOTAL
    if words & {"severity", "level", "band", "risk"}:
        return Field.SEVERITY
    if words & {"mrn", "id", "number", "no", "#", "chart", "record"}:
        return Field.MRN
    if words & {"instrument", "assessment", "questionnaire", "measure", "scale", "test"}:
        return Field.INSTRUMENT
    return Field.NAME if "name" in words else None


def item_heading_means(heading: str) -> Field | None:
    """The part of an item table a heading stands for, or None."""
    words = plain(heading)
    if ASKING.match(words):
        return Field.LABEL
    return _ITEM_MEANINGS.get(words) or (Field.CHOICE if choice_words(heading) in CHOICES else None)


def choice_words(heading: str) -> str:
    """A heading without the points in brackets behind it: "Several days (1)" is "several days"."""
    return re.sub(r" \d$", "", plain(heading))


def is_item_number(heading: str) -> bool:
    """Whether a heading is that of one question's column: "Q1", "Item 3", "PHQ9_4"."""
    return item_number(heading) is not None


def item_number(heading: str) -> int | None:
    """The number of the question whose column a heading heads, or None."""
    match = ITEM_NUMBER.fullmatch(heading.strip())
    return int(match[1]) if match else None


@lru_cache(maxsize=8192)
def named_instrument(text: str) -> str | None:
    """The one instrument a text names, or None."""
    found = resolve(text, load_instruments())
    return None if found.ambiguous else found.instrument_id


@lru_cache(maxsize=4096)
def instruments_in(text: str) -> tuple[str, ...]:
    """Every instrument that some words of a text name, in the order of the text; of overlapping names the longest."""
    words = [word.strip("()[],;:") for word in text.replace("/", " / ").split()][:LONGEST_TEXT]
    found: list[str] = []
    start = 0
    while start < len(words):
        ends = range(min(len(words), start + LONGEST_NAME), start, -1)
        end = next((e for e in ends if named_instrument(" ".join(words[start:e])) is not None), None)
        if end is not None:
            found.append(named_instrument(" ".join(words[start:end])) or "")
        start = end if end is not None else start + 1
    return tuple(dict.fromkeys(found))


def named_by_legend(texts: Iterable[str]) -> dict[str, str]:
    """What lines such as "AUDC = AUDIT-C" say that abbreviations stand for: folded abbreviation to instrument.

    What the library knows already is left to it; what two lines say differently is not known.
    """
    found: dict[str, set[str]] = {}
    for text in texts:
        for match in _LEGEND.finditer(text):
            instruments = instruments_in(match["meaning"])
            if len(instruments) == 1 and named_instrument(match["short"]) is None:
                found.setdefault(folded(match["short"]), set()).update(instruments)
    return {short: meant.pop() for short, meant in found.items() if len(meant) == 1}


def is_legend(text: str) -> bool:
    """Whether a line says what several abbreviations stand for."""
    return len(_LEGEND.findall(text)) > 1


def begins_with_instrument(heading: str) -> tuple[str | None, Field | None]:
    """The instrument a heading begins with and the field the rest of it means ("PHQ9_Date"), or two None."""
    words = heading.replace("_", " ").split()
    for n in range(len(words) - 1, 0, -1):
        instrument = named_instrument(" ".join(words[:n]))
        if instrument is not None:
            rest = " ".join(words[n:])
            return instrument, heading_means(rest) or heading_hints(rest)
    return None, None


def is_severity(text: str) -> bool:
    """Whether a text is a usual severity word."""
    return text.strip().casefold() in SEVERITIES


def is_clinic_name(text: str) -> bool:
    """Whether a line reads like a clinic's name and nothing else."""
    words = text.split()
    return (
        2 <= len(words) <= 7
        and CLINIC.search(text) is not None
        and not re.search(r"[\d:#]|patient", text, re.IGNORECASE)
        and not {word.casefold() for word in words} & TITLES
    )


def share(field: Field, values: Sequence[str]) -> float:
    """How many of the values look like this field, 0..1; 0.5 where there are none."""
    filled = [value.strip() for value in values if value.strip(" -–—_.")]
    if not filled:
        return 0.5
    return sum(_looks_like(field, value) for value in filled) / len(filled)


def _looks_like(field: Field, value: str) -> bool:
    words = folded(value)
    is_date = any(_reads(value, form) for form in USUAL_DATE_FORMATS)
    known: dict[Field, bool] = {
        Field.BIRTH_DATE: is_date,
        Field.AUTHORED_ON: is_date,
        Field.INSTRUMENT: bool(resolve(value, load_instruments()).candidates)
        or resolve(value, load_instruments()).instrument_id is not None
        or len(instruments_in(value)) == 1,
        Field.TOTAL: SCORE.fullmatch(value) is not None or words in NO_SCORE,
        Field.SEVERITY: value.casefold() in SEVERITIES,
        Field.SEX: value.casefold() in SEX,
        Field.MRN: MRN.fullmatch(value) is not None and not is_date,
        Field.NAME: NAME.fullmatch(value) is not None and len(re.findall(r"[^\W\d_]+", value)) >= 2,
        Field.FAMILY: NAME.fullmatch(value) is not None,
        Field.GIVEN: NAME.fullmatch(value) is not None,
        Field.MIDDLE: NAME.fullmatch(value) is not None,
        Field.SUFFIX: NAME.fullmatch(value) is not None or value.endswith(("nd", "rd", "th")),
    }
    return known.get(field, True)


def date_formats(values: Sequence[str]) -> tuple[str, ...]:
    """The formats that read all filled values (or all but one in ten), likeliest first; empty if none does."""
    filled = [" ".join(value.split()).rstrip("*†‡§ ") for value in values if value.strip("_-–—/. ")]
    if not filled:
        return ()
    reading = [(form, sum(_reads(value, form) for value in filled)) for form in USUAL_DATE_FORMATS]
    best = max(count for _, count in reading)
    return tuple(form for form, count in reading if count == best) if best >= 0.9 * len(filled) else ()


def middle_year(values: Sequence[str], form: str) -> int:
    """The year in the middle of the dates, to tell births from visits; 0 where nothing is read."""
    read = [date_by(" ".join(value.split()), form) for value in values if _reads(value, form)]
    years = sorted(found.year for found in read if found is not None)
    return years[len(years) // 2] if years else 0


def _reads(value: str, form: str) -> bool:
    read = date_by(" ".join(value.split()), form)
    # strptime finds years such as 426 in a six-digit record number.
    return read is not None and 1900 <= read.year <= 2100


# "0-1-1-0-2", "0, 1, 1": single digits, and in one cell at least as many as no date or phone number has.
_ANSWERS: Final = re.compile(r"[0-6](?:\s?[-,;/|]\s?[0-6]|\s[0-6])+")
_FEWEST_ANSWERS: Final = 5


def lists_answers(values: Sequence[str]) -> bool:
    """Whether cells list all answers of a questionnaire; some may say in words why there are none."""
    filled = [value.strip() for value in values if any(char.isdigit() for char in value)]
    lists = [value for value in filled if _ANSWERS.fullmatch(value)]
    longest = max((sum(char.isdigit() for char in value) for value in lists), default=0)
    return bool(lists) and len(lists) >= 0.9 * len(filled) and longest >= _FEWEST_ANSWERS


_LONGEST_NAME: Final = 5  # words of an instrument's name


def behind_name(text: str) -> str:
    """What stands behind the name of an instrument; empty where the text does not begin with one."""
    words = text.split()
    for count in range(1, min(_LONGEST_NAME + 1, len(words))):
        # "AUDIT C": a letter or digit alone is the end of the name.
        if len(words[count]) > 1 and named_instrument(" ".join(words[:count])) is not None:
            return " ".join(words[count:])
    return ""


_FEWEST_AGREED: Final = 4


def agrees_with_severities(scores: Sequence[str], severities: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the numbers of rows belong to the severity words beside them, by the bands of the instrument named."""
    library = load_instruments()
    agreed: list[bool] = []
    for score, word, name in zip(scores, severities, names, strict=False):
        instrument = library.get(resolve(name, library).instrument_id or named_instrument(name) or "")
        band = severity_band(word, instrument) if instrument is not None else None
        if instrument is not None and band is not None and score.strip().isdecimal():
            agreed.append(instrument.band(int(score)) == band)
    return len(agreed) >= _FEWEST_AGREED and sum(agreed) >= 0.9 * len(agreed)
