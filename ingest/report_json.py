"""The JSON of `scorebridge read` and `match`: a contract that others script against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from records.assessment import SymptomAssessment
from records.balance import Balance
from records.decision import Candidate, DecidedRecord, MatchDecision

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | dict[str, Json] | None"


def file_json(
    *,
    file: str,
    sha256: str | None,
    status: str,
    reasons: Sequence[str],
    template: str | None = None,
    pages: int = 0,
    balance: Balance | None = None,
    records: Sequence[DecidedRecord] = (),
    message: str | None = None,
) -> dict[str, Json]:
    """One line of `scorebridge read --json`."""
    counts = balance or Balance()
    return {
        "file": file,
        "sha256": sha256,
        "status": status,
        "reasons": list(reasons),
        "message": message,
        "template": template,
        "pages": pages,
        "balance": {
            "printed": counts.printed,
            "confirmed": counts.sent,
            "waiting": counts.waiting,
            "rejected": counts.rejected,
            "duplicate": counts.duplicate,
            "no_score": counts.no_score,
        },
        "records": [record_json(record) for record in records],
    }


def record_json(record: DecidedRecord) -> dict[str, Json]:
    """One record of a file."""
    read = record.assessment
    return {
        "page": read.page,
        "line": read.line,
        "region": list(read.region.box) if read.region else None,
        "patient": _patient(read),
        "instrument": read.instrument,
        "instrument_printed": read.instrument_printed or None,
        "authored_on": read.authored_on.isoformat() if read.authored_on else None,
        "authored_time": read.authored_time,
        "total": read.total,
        "result": read.result,
        "items": list(read.item_points) if read.item_points is not None else None,
        "severity": read.severity,
        "match": _match(record.match),
        "decision": record.decision.value,
        "reasons": list(record.reasons),
        "critical": read.critical,
        "critical_unverified": read.critical_unverified,
    }


def person_json(record_id: str, match: MatchDecision, *, explain: bool = False) -> dict[str, Json]:
    """One line of `scorebridge match --json`; with `explain` every candidate and its evidence."""
    line: dict[str, Json] = {"record_id": record_id, **_match(match), "reasons": list(match.reasons)}
    if explain:
        line["candidates"] = [_candidate(candidate) for candidate in match.candidates]
    return line


def _candidate(candidate: Candidate) -> dict[str, Json]:
    return {
        "patient_id": candidate.patient_id,
        "grade": candidate.grade.value,
        "probability": candidate.probability,
        "score": candidate.score,
        "evidence": [{"identifier": e.identifier, "level": e.level, "weight": e.weight} for e in candidate.evidence],
        "reasons": list(candidate.reasons),
    }


def _match(match: MatchDecision) -> dict[str, Json]:
    return {
        "grade": match.grade.value,
        "patient_id": match.patient_id,
        # Not rounded: 0.9999 and 0.999999 are a hundredfold apart.
        "probability": match.probability,
        "runner_up": match.runner_up,
    }


def _patient(read: SymptomAssessment) -> dict[str, Json]:
    who = read.patient
    return {
        "name": who.name or None,
        "family": who.family,
        "given": who.given,
        "middle": who.middle,
        "suffix": who.suffix,
        "birth_date": who.birth_date.isoformat() if who.birth_date else None,
        "mrn": who.mrn,
        "sex": who.sex,
    }
