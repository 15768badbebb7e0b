"""Every stage except storing and sending: what `scorebridge read` shows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ingest.confirmation import Known, decide_record
from ingest.report_json import Json, file_json
from ingest.workers import FileToRead, ReaderPool
from matching.decision import decide
from matching.normalisation import fingerprint
from matching.roster_index import RosterIndex
from parsers.template import Kind, Template
from records.assessment import ReportReading, SymptomAssessment
from records.balance import Balance
from records.decision import DecidedRecord, Decision, MatchDecision, MatchGrade
from records.errors import DocumentError
from records.patient import LinkPolicy

_TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})


def kind_of(name: str) -> Kind:
    """What kind of file the name promises."""
    return Kind.CSV if Path(name).suffix.casefold() in _TABLE_SUFFIXES else Kind.PDF


@dataclass(slots=True, kw_only=True)
class DryRead:
    """One invocation: knows the files and assessments it has seen, and nothing else.

    Attributes:
        today: Today at the site.
    """

    site: str
    templates: tuple[Template, ...]
    index: RosterIndex
    policy: LinkPolicy
    pool: ReaderPool
    today: date
    _files: set[str] = field(default_factory=set)
    _values: dict[str, set[tuple[object, ...]]] = field(default_factory=dict)

    def read(self, path: str) -> dict[str, Json]:
        """The JSON object of one file; never raises for what is wrong with the file."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            return file_json(
                file=path,
                sha256=None,
                status="rejected",
                reasons=["file-vanished" if isinstance(error, FileNotFoundError) else "file-locked"],
                message=f"The file cannot be opened: {error.strerror}. Check the path and its rights.",
            )
        sha256 = hashlib.sha256(content).hexdigest()
        again = sha256 in self._files
        self._files.add(sha256)
        file = FileToRead(kind=kind_of(path), templates=self.templates, site=self.site, today=self.today)
        try:
            reading = self.pool.read(content, file)
        except DocumentError as error:
            unknown_layout = error.code in ("no-template", "ambiguous-template")
            return file_json(
                file=path,
                sha256=sha256,
                status="review" if unknown_layout else "rejected",
                reasons=[error.code or "damaged"],
                message=str(error),
            )
        records = self._decided(reading)
        blocked = [finding.code for finding in reading.findings if finding.blocking]
        waits = any(record.decision is Decision.REVIEW for record in records) or bool(blocked)
        return file_json(
            file=path,
            sha256=sha256,
            status="review" if waits else "parsed",
            reasons=list(dict.fromkeys([*(["duplicate-file"] if again else []), *blocked])),
            template=reading.template,
            pages=reading.pages,
            balance=_balance(records, reading.no_score),
            records=records,
        )

    def _decided(self, reading: ReportReading) -> list[DecidedRecord]:
        records: list[DecidedRecord] = []
        for assessment in reading.assessments:
            match = decide(assessment.patient, self.index, self.policy)
            records.append(
                decide_record(assessment, match, file_findings=reading.findings, known=self._known(assessment, match))
            )
        return records

    def _known(self, assessment: SymptomAssessment, match: MatchDecision) -> Known:
        if not assessment.can_be_known_again:
            return Known.NEW
        what = f"{assessment.instrument}|{assessment.authored_on}|{assessment.authored_time}"
        keys = [f"printed|{fingerprint(assessment.patient)}|{what}"]
        if match.grade is MatchGrade.CERTAIN:
            keys.append(f"patient|{match.patient_id}|{what}")
        seen = set[tuple[object, ...]]().union(*(self._values.get(key, set()) for key in keys))
        for key in keys:
            self._values.setdefault(key, set()).add(assessment.values)
        if assessment.values in seen:
            return Known.SAME_VALUES
        return Known.OTHER_VALUES if seen else Known.NEW


def _balance(records: list[DecidedRecord], no_score: int) -> Balance:
    def count(decision: Decision) -> int:
        return sum(record.decision is decision for record in records)

    return Balance(
        sent=count(Decision.CONFIRMED),
        waiting=count(Decision.REVIEW),
        rejected=count(Decision.REJECTED),
        duplicate=count(Decision.DUPLICATE),
        no_score=no_score,
    )
