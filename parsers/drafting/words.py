"""What headings and labels usually mean, and what values look like: the knowledge behind a drafted template."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from parsers.instrument_library import load_instruments, resolve
from parsers.lines import folded
from parsers.template import Field

_SYNONYMS: Final[dict[Field, str]] = {
    Field.NAME: "name|patient|client|member|person|resident|individual|consumer|respondent|patient name|client name|"
    "member name|person served|full name|patient name last first|name last first|patient full name",
    Field.FAMILY: "last name|surname|family name|lastname|patient last name|client last name",
    Field.GIVEN: "first name|forename|given name|firstname|patient first name|client first name",
    Field.MIDDLE: "middle|middle name|mi|m i|middle initial",
    Field.SUFFIX: "suffix|gen|generation|name suffix",
    Field.BIRTH_DATE: "dob|d o b|birth date|birthdate|date of birth|born|birthday|birth day|birth dt|born on|birth",
    Field.MRN: "mrn|m r n|chart|chart #|chart no|chart number|chart id|record #|record no|record number|case no|"
    "case id|"
    "medical record number|medical record no|med rec no|patient number|patient id|patient no|patient #|client id|"
    "client no|client number|client #|case number|case #|member no|member id|member number|file no|file number|"
    "account|acct|acct #|acct no|account no|account number|id|id number|medical record #",
    Field.SEX: "sex|gender|sex at birth",
    Field.PHONE: "phone|telephone|phone number|phone no|tel|mobile",
    Field.INSTRUMENT: "instrument|instrument name|assessment|assessment name|measure|measure code|measure name|meas|"
    "test|"
    "test name|scale|tool|questionnaire|screening|screen|screener|survey|screening tool|assessment tool",
    Field.TOTAL: "total|score|total score|raw score|points|value|measure total|sum|sum score|score max|total points|"
    "latest total|latest score|score total|overall score|current score",
    Field.SEVERITY: "severity|severity level|severity band|level|band|interpretation|finding|reading|result|"
    "latest band|"
    "category|risk level|range|latest level|severity range|score category|meaning",
    Field.AUTHORED_ON: "date|assessment date|visit|visit date|session|session date|service date|svc date|completed|"
    "completed on|date completed|given on|administered|administered on|date administered|date given|performed|"
    "performed on|test date|measure date|answered on|filled in on|assessed at|assessed on|latest on|date of service|"
    "dos|score date|screening date|screened on|taken on|date taken|completion date|latest date",
    Field.AUTHORED_TIME: "time|visit no|visit number|visit #",
    Field.LABEL: "question|questions|statement|problem|symptom|item text|over the last two weeks|over the last 2 weeks|"
    "question text|item",
    Field.ANSWER: "answer|response|answer given|reply",
    Field.POINTS: "pts|score|points|value|item score",
    Field.IGNORE: "provider|clinician|therapist|program|location|age|notes|comment|comments|no|#|row|nr|line|status|"
    "department|unit|ward|insurance|payer|visit type",
}  # fmt: skip

_ITEM_FIELDS: Final = (Field.LABEL, Field.ANSWER, Field.POINTS)
# A second score of the same row ("Previous Total") is not the one to send.
_OTHER_TIME: Final = frozenset(
    {"previous", "prior", "baseline", "change", "delta", "trend", "last", "first", "initial"}
)
_SEVERITIES: Final = frozenset({
    "none", "minimal", "mild", "moderate", "moderately severe", "severe", "low", "high", "low risk", "moderate risk",
    "high risk", "severe risk", "normal", "subthreshold", "positive", "negative", "absent", "substantial", "borderline",
})  # fmt: skip
_SEX: Final = frozenset({"f", "m", "x", "female", "male", "other", "u", "unknown", "w"})
NO_SCORE: Final = frozenset({
    "declined", "decl", "refused", "n/a", "na", "not done", "not given", "none", "-", "--", "–", "—", "nd",
    "incomplete", "no score", "not assessed", "deferred",
})  # fmt: skip
_CLINIC: Final = re.compile(
    r"\b(health|clinic|counseling|counselling|psychiatry|psychology|cent(?:er|re)|hospital|associates|practice|"
    "behavioral|"
    r"behavioural|medical|medicine|therapy|services|institute|family|wellness|partners|group)\b", re.IGNORECASE
)  # fmt: skip
_SCORE: Final = re.compile(r"\d{1,3}(\s*/\s*\d{1,3})?(\s*[-–—:(]?\s*[^\W\d][^\d]*)?")
_MRN: Final = re.compile(r"[A-Za-z]{0,4}[- ]?\d[\d-]{2,}")
_NAME: Final = re.compile(r"[^\W\d_][^\d]*")

USUAL_DATE_FORMATS: Final = (
    "%m/%d/%Y", "%d/%m/%Y", "%Y-%m-%d", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%m.%d.%Y", "%Y/%m/%d", "%m/%d/%y",
    "%d/%m/%y", "%d.%m.%y", "%m-%d-%y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
    "%d-%b-%y",
    "%Y%m%d", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M", "%m/%d/%Y %I:%M %p", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
    "%d.%m.%Y %H:%M",
)  # fmt: skip


def plain(text: str) -> str:
    """A heading in plain words: "ChartNo." and "chart no" are the same."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", text))
    return " ".join(re.findall(r"[a-z0-9]+|#", spaced.casefold()))


_MEANINGS: Final = {
    words: field for field, phrases in _SYNONYMS.items() if field not in _ITEM_FIELDS for words in phrases.split("|")
}
_ITEM_MEANINGS: Final = {words: field for field in _ITEM_FIELDS for words in _SYNONYMS[field].split("|")}
LONGEST_HEADING: Final = max(len(words.split()) for words in _MEANINGS)


def heading_means(heading: str) -> Field | None:
    """The field a heading or label usually stands for, or None."""
    words = plain(heading)
    if set(words.split()) & _OTHER_TIME and words not in _MEANINGS:
        return Field.IGNORE
    return _MEANINGS.get(words)


def heading_hints(heading: str) -> Field | None:
    """The field a heading's single words point at, where the whole is not known; or None."""
    words = set(plain(heading).split())
    if words & _OTHER_TIME:
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
    return Field.LABEL if words.startswith("over the last") else _ITEM_MEANINGS.get(words)


def named_instrument(text: str) -> str | None:
    """The one instrument a text names, or None."""
    found = resolve(text, load_instruments())
    return None if found.ambiguous else found.instrument_id


def is_clinic_name(text: str) -> bool:
    """Whether a line reads like a clinic's name and nothing else."""
    words = text.split()
    return (
        2 <= len(words) <= 7
        and _CLINIC.search(text) is not None
        and not re.search(r"[\d:]|patient", text, re.IGNORECASE)
    )


def is_severity(text: str) -> bool:
    """Whether a text is a usual severity word and nothing else."""
    return text.strip().casefold() in _SEVERITIES


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
        or resolve(value, load_instruments()).instrument_id is not None,
        Field.TOTAL: _SCORE.fullmatch(value) is not None or words in NO_SCORE,
        Field.SEVERITY: value.casefold() in _SEVERITIES,
        Field.SEX: value.casefold() in _SEX,
        Field.MRN: _MRN.fullmatch(value) is not None and not is_date,
        Field.NAME: _NAME.fullmatch(value) is not None and len(re.findall(r"[^\W\d_]+", value)) >= 2,
        Field.FAMILY: _NAME.fullmatch(value) is not None,
        Field.GIVEN: _NAME.fullmatch(value) is not None,
        Field.MIDDLE: _NAME.fullmatch(value) is not None,
        Field.SUFFIX: _NAME.fullmatch(value) is not None or value.endswith(("nd", "rd", "th")),
    }
    return known.get(field, True)


def date_formats(values: Sequence[str]) -> tuple[str, ...]:
    """The formats that read all filled values (or all but one in ten), likeliest first; empty if none does."""
    filled = [" ".join(value.split()) for value in values if value.strip("_-–—/. ")]
    if not filled:
        return ()
    reading = [(form, sum(_reads(value, form) for value in filled)) for form in USUAL_DATE_FORMATS]
    best = max(count for _, count in reading)
    return tuple(form for form, count in reading if count == best) if best >= 0.9 * len(filled) else ()


def middle_year(values: Sequence[str], form: str) -> int:
    """The year in the middle of the dates, to tell births from visits; 0 where nothing is read."""
    years = sorted(datetime.strptime(" ".join(v.split()), form).year for v in values if _reads(v, form))  # noqa: DTZ007
    return years[len(years) // 2] if years else 0


def _reads(value: str, form: str) -> bool:
    try:
        read = datetime.strptime(" ".join(value.split()), form)  # noqa: DTZ007 - dates on paper have no zone
    except ValueError:
        return False
    # strptime finds years such as 426 in a six-digit record number.
    return 1900 <= read.year <= 2100
