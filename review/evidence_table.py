"""The table beside which a person decides: what is printed, and what the list says of each patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from records.patient import PatientIdentity
from review.case_summary import CandidateSummary, CaseSummary
from review.evidence_words import LABELS, FieldEvidence, Mark
from review.letters import Piece, marked, marked_words, misread
from review.rendering import format_day

_ALWAYS: Final = ("name", "birth_date", "mrn")
_WHERE_KNOWN: Final = ("sex", "phone", "clinician", "visit")
_ABSENT: Final = "not on the list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What the list says of one patient.

    Attributes:
        pieces: The value; letters that differ from the print are marked.
        evidence: How it compares, or None where nothing was compared.
        notes: More about it: other names, the middle name.
    """

    pieces: tuple[Piece, ...]
    evidence: FieldEvidence | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One identifier across print and patients.

    Attributes:
        printed: As printed, or "not printed".
        notes: How the print was read, where that is not plain.
        cells: One for each candidate, in their order.
    """

    identifier: str
    label: str
    printed: str
    notes: tuple[str, ...]
    cells: tuple[Cell, ...]


def evidence_table(summary: CaseSummary) -> tuple[Line, ...]:
    """The lines to be compared: the three that name a person always, the others where the print has them."""
    who = summary.patient
    shown = [*_ALWAYS, *(field for field in _WHERE_KNOWN if _is_shown(field, summary))]
    return tuple(
        Line(
            identifier=field,
            label=LABELS[field],
            printed=_printed(field, who) or "not printed",
            notes=_reading(field, who),
            cells=tuple(_cell(field, who, one) for one in summary.candidates),
        )
        for field in shown
    )


def doubted(summary: CaseSummary) -> frozenset[str]:
    """The identifiers in which the patient shown first is not simply the same as the print."""
    first = summary.candidates[0].evidence if summary.candidates else {}
    return frozenset(field for field, found in first.items() if found.mark in (Mark.CLOSE, Mark.DIFFERENT))


def differences(summary: CaseSummary, lines: tuple[Line, ...]) -> str:
    """How the patient shown first differs from the print, in one sentence; empty if nobody is shown or nothing does."""
    if not summary.candidates:
        return ""
    found = [(line.label, line.cells[0].evidence) for line in lines]
    said = [
        f"{label.lower()} {'differs' if one.mark is Mark.DIFFERENT else 'is close'} ({one.words})"
        for label, one in found
        if one is not None and one.mark in (Mark.CLOSE, Mark.DIFFERENT)
    ]
    text = ", ".join(said[:-1]) + " and " + said[-1] if len(said) > 1 else "".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _is_shown(field: str, summary: CaseSummary) -> bool:
    compared = any(field in one.evidence for one in summary.candidates)
    return bool(_printed(field, summary.patient)) or compared


def _printed(field: str, who: PatientIdentity) -> str:
    values = {
        "name": who.name,
        "birth_date": _day(who.birth_date),
        "mrn": who.mrn,
        "sex": who.sex,
        "phone": who.phone,
        "clinician": who.clinician,
        "visit": _day(who.visit_date),
    }
    return values[field] or ""


def _day(day: date | None) -> str:
    return format_day(day) if day else ""


def _reading(field: str, who: PatientIdentity) -> tuple[str, ...]:
    if field == "birth_date" and who.birth_date_other_reading:
        return (f"or {format_day(who.birth_date_other_reading)}",)
    if field == "name" and who.family:
        names = (f"{who.family.upper()}, {who.given}" if who.given else who.family.upper(), who.middle, who.suffix)
        read = " ".join(name for name in names if name)
        return (f"read as {read}",) if read.casefold() != who.name.casefold() else ()
    return ()


def _cell(field: str, who: PatientIdentity, one: CandidateSummary) -> Cell:
    known = {
        "name": one.name,
        "birth_date": _day(one.birth_date),
        "mrn": one.mrn,
        "sex": one.sex,
        "phone": one.phone,
        "clinician": one.clinician,
        "visit": _day(one.last_visit),
    }
    value, printed, evidence = known[field] or "", _printed(field, who), one.evidence.get(field)
    if not value:
        return Cell(pieces=(Piece(_ABSENT, differs=False),), evidence=evidence)
    is_same = evidence is None or evidence.mark in (Mark.SAME, Mark.NOTHING)
    pieces = (Piece(value, differs=False),) if is_same or not printed else _pieces(field, value, printed)
    slip = misread(printed, value) if field == "mrn" and printed else None
    if evidence is not None and evidence.mark is Mark.CLOSE and slip:
        evidence = FieldEvidence(identifier=field, mark=Mark.CLOSE, words=slip)
    return Cell(pieces=pieces, evidence=evidence, notes=_more(field, one))


def _pieces(field: str, value: str, printed: str) -> tuple[Piece, ...]:
    return (marked_words if field in ("name", "clinician") else marked)(value, printed)


def _more(field: str, one: CandidateSummary) -> tuple[str, ...]:
    if field != "name":
        return ()
    parts = [one.evidence[part] for part in ("middle", "suffix") if part in one.evidence]
    said = [f"{LABELS[part.identifier]}: {part.words.lower()}" for part in parts]
    return (*((one.other_names,) if one.other_names else ()), *said)
