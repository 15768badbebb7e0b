"""What the levels of the match evidence are called on a screen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from matching.comparison import birth_date_level, mrn_level
from matching.name_comparison import family_level, given_level
from matching.person import printed_person
from matching.roster_columns import known_person
from records.decision import Evidence
from records.patient import PatientIdentity, RosterPatient


class Mark(StrEnum):
    """How an identifier of the print and of a patient compare; shown as a word and a shape, never by colour alone."""

    SAME = "same"
    CLOSE = "close"
    DIFFERENT = "different"
    NOTHING = "nothing"  # missing on either side: there is nothing to compare


_SIGNS: Final = {Mark.SAME: "✓", Mark.CLOSE: "≈", Mark.DIFFERENT: "✕", Mark.NOTHING: "–"}
# Levels of `matching.comparison` and `matching.name_comparison`. A level not listed here is shown by its own words and
# counts as close, so that a new one can never pass as "same".
_WORDS: Final = {
    "exact": (Mark.SAME, "same"),
    "different": (Mark.DIFFERENT, "different"),
    "missing": (Mark.NOTHING, "not compared"),
    "swapped": (Mark.CLOSE, "swapped"),
    "preferred": (Mark.CLOSE, "called name"),
    "former": (Mark.CLOSE, "former name"),
    "nickname": (Mark.CLOSE, "short form"),
    "one-edit": (Mark.CLOSE, "one character differs"),
    "two-edits": (Mark.CLOSE, "two characters differ"),
    "part": (Mark.CLOSE, "part of it"),
    "middle": (Mark.CLOSE, "middle name"),
    "cut-off": (Mark.CLOSE, "cut off"),
    "initial": (Mark.CLOSE, "initial only"),
    "similar": (Mark.CLOSE, "similar"),
    "other-name": (Mark.DIFFERENT, "is another name"),
    "either-reading": (Mark.CLOSE, "same in one reading"),
    "transposed": (Mark.CLOSE, "two digits exchanged"),
    "one-digit": (Mark.CLOSE, "one digit differs"),
    "two-parts": (Mark.DIFFERENT, "day, month or year differs"),
    "year-only": (Mark.DIFFERENT, "only the year is the same"),
    "without-letters": (Mark.CLOSE, "same digits, letters left out"),
    "only-printed": (Mark.CLOSE, "on the print only"),
    "vetoed": (Mark.DIFFERENT, "a person said no before"),
    "alias": (Mark.SAME, "a person said yes before"),
}
# What the bars of the sum are called; the last ones are about no identifier.
LABELS: Final = {
    "name": "Name", "birth_date": "Born", "mrn": "Record number", "sex": "Sex", "suffix": "Suffix",
    "middle": "Middle name", "phone": "Telephone", "clinician": "Clinician", "visit": "Visit", "person": "A person",
    "prior": "Start", "alternatives": "Others", "calibration": "Calibration",
}  # fmt: skip
_OF_THE_SUM: Final = {
    "prior": "any one patient of this roster",
    "alternatives": "all others, and nobody on the roster",
    "calibration": "what people decided about such odds",
}
_GRAVITY: Final = (Mark.NOTHING, Mark.SAME, Mark.CLOSE, Mark.DIFFERENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEvidence:
    """One identifier of one candidate.

    Attributes:
        identifier: "name", "birth_date", "mrn", "sex", "middle", "suffix", "phone", "clinician" or "visit".
        mark: How it compares.
        words: The comparison in words, sentence case.
    """

    identifier: str
    mark: Mark
    words: str

    @property
    def sign(self) -> str:
        """A shape that says the same as the words."""
        return _SIGNS[self.mark]


def field_evidence(identifier: str, level: str) -> FieldEvidence:
    """The words of one level, such as "one-digit" or "swapped, given nickname, family exact"."""
    marks: list[Mark] = []
    said: list[str] = []
    for part in level.split(", "):
        side, _, rest = part.partition(" ")
        is_side = side in ("given", "family") and bool(rest)
        mark, words = _WORDS.get(rest if is_side else part, (Mark.CLOSE, (rest if is_side else part).replace("-", " ")))
        marks.append(mark)
        said.append(f"{side} name {words}" if is_side else words)
    text = ", ".join(said)
    return FieldEvidence(identifier=identifier, mark=max(marks, key=_GRAVITY.index), words=text[:1].upper() + text[1:])


def from_match(evidence: tuple[Evidence, ...]) -> dict[str, FieldEvidence]:
    """The evidence of a candidate by identifier, without the parts of the sum that are about no identifier."""
    return {
        bar.identifier: field_evidence(bar.identifier, bar.level)
        for bar in evidence
        if bar.identifier not in (*_OF_THE_SUM, "person")
    }


def words_of(bar: Evidence) -> str:
    """What a bar of the sum says."""
    return _OF_THE_SUM.get(bar.identifier) or field_evidence(bar.identifier, bar.level).words


def from_comparison(identity: PatientIdentity, patient: RosterPatient) -> dict[str, FieldEvidence]:
    """The evidence for a patient whom a person found and the matching did not propose."""
    printed, known = printed_person(identity), known_person(patient)
    # Nothing is known to be a name of its own here, so a near name shows as one slip: a person judges it.
    given = given_level((printed.given,), known, is_known=_nobody)
    family = family_level((printed.family,), known, is_known=_nobody)
    name = str(given) if given == family else f"given {given}, family {family}"
    levels = {"name": name, "mrn": str(mrn_level(printed.mrn, known.mrn)), "birth_date": "missing"}
    if printed.birth_dates and known.birth_dates:
        readings = [str(birth_date_level(day, known.birth_dates[0])) for day in printed.birth_dates]
        levels["birth_date"] = min(readings, key=lambda level: _GRAVITY.index(field_evidence("birth_date", level).mark))
    for field, ours, theirs in (("sex", printed.sex, known.sex), ("suffix", printed.suffix, known.suffix)):
        if ours and theirs:
            levels[field] = "exact" if ours == theirs else "different"
    return {field: field_evidence(field, level) for field, level in levels.items()}


def _nobody(_: str, /) -> bool:
    return False
