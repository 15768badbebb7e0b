"""One case as a terminal shows it, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ingest.report_json import Json
from ingest.terminal import out, print_table
from records.case import ReviewCase
from records.decision import Candidate
from records.finding import sentence
from records.patient import Roster, RosterPatient
from review.case_summary import CaseSummary, case_summary
from store import roster
from store.database import Session

CaseId = Annotated[int, typer.Argument(help="Number of the case.")]
_SHOWN = 3


def summary_of(session: Session, case: ReviewCase, *, found: Sequence[RosterPatient] = ()) -> CaseSummary:
    """The case with its candidates as the roster knows them today, and then the patients a person found."""
    listed = [roster.patient(session, case.site, one.patient_id) for one in case.match.candidates[:_SHOWN]]
    few = Roster(site=case.site, patients=tuple(one for one in listed if one is not None), as_of=case.opened_at)
    ruled_out = {v.patient_id for v in roster.vetoes(session, case.site) if v.fingerprint == case.fingerprint}
    return case_summary(case, few, found=found, ruled_out=ruled_out)


def print_case(session: Session, case: ReviewCase) -> None:
    """What is printed, why it waits, and the candidates with their evidence."""
    names = _names(session, case)
    read = case.assessment
    print_table(
        f"Case {case.case_id}, version {case.version}, {case.state.value}",
        ("", "printed"),
        [
            ("file", f"{case.file_name}, page {read.page or '–'}"),
            ("name", read.patient.name),
            ("birth date", read.patient.birth_date),
            ("record number", read.patient.mrn),
            ("instrument", read.instrument or read.instrument_printed),
            ("date", read.authored_on),
            ("total", read.total if read.total is not None else read.total_printed),
            ("items", " ".join("–" if p is None else str(p) for p in read.item_points or ())),
            ("severity", read.severity),
        ],
    )
    for code in case.reasons:
        out.print(f"• {sentence(code)} ({code})", markup=False)
    for number, candidate in enumerate(case.match.candidates[:_SHOWN], start=1):
        named = names.get(candidate.patient_id, "")
        title = f"{number}. {candidate.patient_id}  {named}  {candidate.probability:.1%}"
        bars: list[tuple[object, ...]] = [(e.identifier, e.level, f"{e.weight:+.2f}") for e in candidate.evidence]
        print_table(title, ("identifier", "level", "log2 weight"), [*bars, ("sum", "", f"{candidate.score:+.2f}")])


def case_json(session: Session, case: ReviewCase) -> dict[str, Json]:
    """The same for programs."""
    names = _names(session, case)
    return {
        **summary_json(case),
        "patient_printed": case.assessment.patient.name,
        "candidates": [candidate_json(one, names) for one in case.match.candidates[:_SHOWN]],
    }


def summary_json(case: ReviewCase) -> dict[str, Json]:
    """A case in a list; it names no patient but the best candidate's id."""
    read = case.assessment
    return {
        "case": case.case_id,
        "version": case.version,
        "state": case.state.value,
        "site": case.site,
        "report": case.report_id,
        "page": read.page,
        "instrument": read.instrument,
        "authored_on": read.authored_on.isoformat() if read.authored_on else None,
        "total": read.total,
        "critical": read.critical,
        "reasons": list(case.reasons),
        "opened_at": case.opened_at.isoformat(),
        "best_patient": case.match.patient_id,
    }


def candidate_json(candidate: Candidate, names: dict[str, str]) -> dict[str, Json]:
    """One candidate."""
    return {
        "patient_id": candidate.patient_id,
        "name": names.get(candidate.patient_id),
        "grade": candidate.grade.value,
        "probability": round(candidate.probability, 6),
        "reasons": list(candidate.reasons),
    }


def _names(session: Session, case: ReviewCase) -> dict[str, str]:
    listed = [roster.patient(session, case.site, one.patient_id) for one in case.match.candidates[:_SHOWN]]
    return {one.patient_id: f"{one.family}, {one.given}" for one in listed if one is not None}
