"""Writing a golden case: a synthetic report and what must be read from it."""

from __future__ import annotations

import json
from pathlib import Path

from ingest.report_json import Json
from parsers.twin.invented_records import InventedRecord
from parsers.twin.twin import Twin
from records.errors import TemplateError


def write_case(folder: Path, twin: Twin, *, site: str, suffix: str) -> None:
    """Write `report.pdf` or `report.csv` and `expected.json` into a folder.

    Args:
        folder: The case's folder; made if need be.
        twin: A twin made with its template.
        site: The clinic of the report.
        suffix: ".pdf" or ".csv".

    Raises:
        TemplateError: The folder holds a case already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise TemplateError(f"{folder}: is not empty.", next_step="Name another folder for the case.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"report{suffix}").write_bytes(twin.content)
    expected = _expected(twin, site=site, file=f"report{suffix}")
    written = json.dumps(expected, indent=1, ensure_ascii=False) + "\n"
    (folder / "expected.json").write_text(written, encoding="utf-8")


def _expected(twin: Twin, *, site: str, file: str) -> dict[str, Json]:
    return {
        "file": file,
        "site": site,
        "pages": twin.pages,
        "balance": {"printed": len(twin.records), "no_score": twin.no_score},
        "records": [_record(record) for record in twin.records],
    }


def _record(record: InventedRecord) -> dict[str, Json]:
    who = record.patient
    return {
        "page": record.page,
        "patient": {
            "name": who.name,
            "family": who.family,
            "given": who.given,
            "middle": who.middle,
            "suffix": who.suffix,
            "birth_date": who.birth_date.isoformat() if who.birth_date else None,
            "mrn": who.mrn,
            "sex": who.sex,
        },
        "instrument": record.instrument,
        "authored_on": record.authored_on.isoformat() if record.authored_on else None,
        "total": record.total,
        "result": record.result,
        "items": list(record.items) if record.items is not None else None,
        "severity": record.severity,
        "critical": record.critical,
        "must_review": bool(record.reasons),
        "why": list(record.reasons),
    }
