"""Sample reports all the way into two portals: what their charts hold, against the truth of the samples.

    python -m bench.delivered_samples FOLDER [--templates DIR] [--json]

FOLDER is that of `bench.samples`. The real service watches a folder for each clinic of the truth, and delivers to the
sandbox portal and to a FHIR portal (Medplum's router; `make portals`). A value in a chart is wrong if the truth has no
such score of that patient; a record is lost if it is neither in the portals nor waiting for a person, rejected or a
duplicate. Every resource at the FHIR portal must be valid for two validators.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from portal.sandbox import SandboxOptions, running_sandbox
from tests.portals.fhir_portal import RunningFhirPortal, patient, running_fhir_portal
from tests.portals.fhir_validators import faults

_ROOT = Path(__file__).parents[1]
_SECONDS = 300.0
# What a portal shows: patient, questionnaire (None where it shows a code only), day, score, answers.
_Value = tuple[str, str, str, int | None, tuple[int | None, ...] | None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--templates", type=Path, default=_ROOT / "fixtures" / "samples")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    truths = [json.loads(path.read_text("utf-8")) for path in sorted((given.folder / "truth").glob("*.json"))]
    with (given.folder / "roster.csv").open(encoding="utf-8", newline="") as file:
        people = [patient(row["patient_id"], birth_date=row["date_of_birth"]) for row in csv.DictReader(file)]
    for person in people:
        if not person["birthDate"]:
            del person["birthDate"]
    with (
        tempfile.TemporaryDirectory() as home,
        running_sandbox(SandboxOptions(token="t")) as plain,
        running_fhir_portal(Path(home), patients=people) as fhir,
    ):
        clinic = _Clinic(Path(home), given.folder, truths, portals=(plain.url, fhir.url))
        clinic.set_up(given.templates)
        balances = clinic.run()
        shown = {
            "JSON portal": [
                (v.patientId, v.instrument, v.administeredOn.isoformat(), v.score, _answers(v.items))
                for v in plain.values.all()
            ],
            "FHIR portal": _observations(fhir),
        }
        invalid = [fault for resource in fhir.resources() for fault in faults(resource)]
    return _tell(truths, balances, shown, invalid, as_json=given.json)


class _Clinic:
    """Settings for each clinic of the truth, and the service."""

    def __init__(self, home: Path, folder: Path, truths: list[dict[str, Any]], *, portals: tuple[str, str]) -> None:
        self._home, self._folder, self._truths, self._portals = home, folder, truths, portals
        self._sites = sorted({truth["report"]["clinic_id"] for truth in truths})
        self._config = home / "scorebridge.toml"

    def set_up(self, templates: Path) -> None:
        shutil.copy(self._folder / "roster.csv", self._home / "roster.csv")
        token = self._home / "token"
        token.write_text("t")
        token.chmod(0o600)
        parts = ['home = "home"', 'alerts = "none"', "[web]", "port = 0"]
        for site in self._sites:
            (self._home / site).mkdir()
            parts += ["[[site]]", f'id = "{site}"', 'roster = "roster.csv"', "roster_max_age_hours = 1000000"]
            parts += ["[[source]]", f'site = "{site}"', f'folder = "{site}"', "quiet_seconds = 0.3"]
            parts += ["start_from = 2020-01-01"]
        for name, file, url in zip(
            ("plain", "fhir"), ("generic-json.yaml", "fhir-r4.yaml"), self._portals, strict=True
        ):
            parts += ["[[destination]]", f'id = "{name}"', f'file = "{file}"', f'base_url = "{url}"', 'mode = "live"']
            parts += [f'token = "file:{token}"', "rate_per_second = 500"]
        self._config.write_text("\n".join(parts), "utf-8")
        self._command("init")
        for template in sorted(templates.glob("*.yaml")):
            self._command("template", "publish", str(template))

    def run(self) -> list[dict[str, Any]]:
        """Drop every report and wait until nothing moves any more; the balance of each clinic."""
        for truth in self._truths:
            shutil.copyfile(self._folder / truth["file"], self._home / truth["report"]["clinic_id"] / truth["file"])
        log = (self._home / "service.log").open("ab")
        service = subprocess.Popen(
            [sys.executable, "-m", "ingest.cli", "run", "--config", str(self._config)],
            cwd=_ROOT, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            return self._settled()
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(timeout=30)
            log.close()

    def _settled(self) -> list[dict[str, Any]]:
        printed, ends = sum(len(truth["records"]) for truth in self._truths), time.monotonic() + _SECONDS
        before: object = None
        while time.monotonic() < ends:
            time.sleep(3)
            balances = json.loads(self._command("status", "--json"))["sites"]
            now = (balances, self._command("submission", "list", "--json"))
            if now == before and sum(balance["printed"] for balance in balances) >= printed:
                return balances
            before = now
        raise SystemExit("the reports were not settled in time: " + (self._home / "service.log").read_text()[-2000:])

    def _command(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "ingest.cli", *words, "--config", str(self._config)],
            cwd=_ROOT, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"},
        )  # fmt: skip
        if done.returncode not in (0, 1) or (not done.stdout and done.returncode):
            raise SystemExit(f"{' '.join(words[:2])}: {done.stderr[-2000:]}")
        return done.stdout


def _answers(items: Any) -> tuple[int | None, ...] | None:
    return tuple(item.value for item in items) or None


def _observations(fhir: RunningFhirPortal) -> list[_Value]:
    titles = {instrument.title: instrument.instrument_id for instrument in _instruments().values()}
    values: list[_Value] = []
    for one in fhir.resources("Observation"):
        score = one.get("valueQuantity", {}).get("value")
        patient_id = one["subject"]["reference"].removeprefix("Patient/")
        values.append((patient_id, titles[one["code"]["text"]], one["effectiveDateTime"], score, None))
    return values


def _instruments() -> dict[str, Any]:
    from parsers.instrument_library import load_instruments

    return dict(load_instruments())


def _tell(
    truths: list[dict[str, Any]],
    balances: list[dict[str, Any]],
    shown: dict[str, list[_Value]],
    invalid: list[str],
    *,
    as_json: bool,
) -> int:
    records = [record for truth in truths for record in truth["records"]]
    figures: dict[str, object] = {"records": len(records)}
    totals: Counter[str] = Counter()
    for balance in balances:
        totals.update({name: balance[name] for name in ("printed", "sent", "waiting", "rejected", "duplicate")})
    figures |= dict(totals)
    lost = len(records) - totals["sent"] - totals["waiting"] - totals["rejected"] - totals["duplicate"]
    figures["lost"] = max(lost, 0)
    for portal, values in shown.items():
        wrong = [value for value in values if not any(_is_true(value, record) for record in records)]
        keys = Counter(value[:3] for value in values)
        figures |= {
            f"{portal}: values": len(values),
            f"{portal}: wrong": len(wrong),
            f"{portal}: twice": sum(count > 1 for count in keys.values()),
        }
        for value in wrong:
            print(f"WRONG at the {portal}: {value}", file=sys.stderr)
    figures["invalid resources"] = len(invalid)
    for fault in invalid[:10]:
        print(fault, file=sys.stderr)
    for name, figure in figures.items():
        print(f"{name:28}{figure!s:>8}")
    goals = {
        name: 0 for name in figures if name.endswith((": wrong", ": twice")) or name in ("lost", "invalid resources")
    }
    if as_json:
        print(json.dumps({"bench": "delivered_samples", "figures": figures, "goals": goals}))
    return 0 if all(figures[name] == goal for name, goal in goals.items()) else 1


def _is_true(value: _Value, record: dict[str, Any]) -> bool:
    patient_id, instrument, day, score, answers = value
    same = record["roster_id"] == patient_id and record["instrument"] == instrument and record["date"] == day
    return same and not record["ambiguous"] and record["total"] == score and answers in (None, _tuple(record["items"]))


def _tuple(items: list[int | None] | None) -> tuple[int | None, ...] | None:
    return None if items is None else tuple(items)


if __name__ == "__main__":
    raise SystemExit(main())
