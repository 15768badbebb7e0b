"""`scorebridge read` against the truth of sample reports: what is confirmed wrongly, lost, confirmed, left to a person.

    python -m bench.samples FOLDER [--templates DIR] [--json]

FOLDER holds the reports, `roster.csv` and `truth/*.json`, one truth per report with `report.clinic_id` and
`records`; a record's `roster_id` is the true patient (null: not on the roster), `ambiguous` marks prints that do not
single out one patient and must never be confirmed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_FIELDS = (("family", "last"), ("given", "first"), ("birth_date", "dob"), ("mrn", "mrn"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--templates", type=Path, default=_ROOT / "fixtures" / "samples")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    totals: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    rows: list[tuple[str, Counter[str]]] = []
    for path in sorted((given.folder / "truth").glob("*.json")):
        truth = json.loads(path.read_text("utf-8"))
        read = _read(given.folder, truth, given.templates)
        counts, why = _compare(truth["records"], read)
        rows.append((truth["file"], counts))
        totals += counts
        reasons += why
    columns = ("records", "confirmed", "review", "duplicate", "lost", "extra", "silently_wrong")
    print(f"{'file':32}" + "".join(f"{name:>16}" for name in columns))
    for name, counts in [*rows, ("all", totals)]:
        print(f"{name:32}" + "".join(f"{counts[column]:16}" for column in columns))
    share = totals["confirmed"] / max(1, totals["records"])
    matchable = totals["confirmed"] / max(1, totals["records"] - totals["not_single"])
    print(f"confirmed share {share:.3f}; of prints that single out one roster patient {matchable:.3f}")
    print("why left to a person:", dict(reasons.most_common()))
    if given.json:
        figures = {**{column: totals[column] for column in columns}, "confirmed_share": round(share, 4)}
        goals = {"silently_wrong": 0, "lost": 0, "extra": 0}
        print(json.dumps({"bench": "samples", "figures": figures, "goals": goals}))
    return 0 if totals["silently_wrong"] == totals["lost"] == totals["extra"] == 0 else 1


def _read(folder: Path, truth: dict, templates: Path) -> dict:
    command = [
        sys.executable, "-m", "ingest.cli", "read", str(folder / truth["file"]), "--site", truth["report"]["clinic_id"],
        "--roster", str(folder / "roster.csv"), "--templates", str(templates), "--json",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise SystemExit(f"{truth['file']}: scorebridge read ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def _compare(records: list[dict], read: dict) -> tuple[Counter[str], Counter[str]]:
    """Match printed records to read ones by what is printed, and judge every decision."""
    waiting: dict[tuple, list[dict]] = defaultdict(list)
    for record in read["records"]:
        waiting[_place(record["page"], record["patient"]["name"], record["instrument"])].append(record)
    counts: Counter[str] = Counter(records=len(records))
    why: Counter[str] = Counter()
    for truth in records:
        counts["not_single"] += truth["ambiguous"] or truth["roster_id"] is None
        same = waiting[_place(truth["page"], truth["patient"]["name"], truth["instrument"])]
        exact = [r for r in same if not _faults(truth, r)]
        if not same:
            counts["lost"] += 1
            continue
        record = (exact or same)[0]
        same.remove(record)
        counts[record["decision"].replace("confirmed", "confirmed")] += 1
        if record["decision"] == "review":
            why.update(record["reasons"])
        elif record["decision"] == "confirmed":
            faults = _faults(truth, record) + _patient_faults(truth, record)
            if faults:
                counts["silently_wrong"] += 1
                print(f"WRONG {truth['id']}: {', '.join(faults)}", file=sys.stderr)
    counts["extra"] = sum(len(rest) for rest in waiting.values())
    return counts, why


def _place(page: int | None, name: str | None, instrument: str | None) -> tuple:
    return page, name, instrument


def _faults(truth: dict, record: dict) -> list[str]:
    wrong = [ours for ours, theirs in _FIELDS if record["patient"][ours] != truth["patient"][theirs]]
    pairs = (("authored_on", "date"), ("total", "total"), ("items", "items"), ("severity", "severity"))
    return wrong + [ours for ours, theirs in pairs if record[ours] != truth[theirs]]


def _patient_faults(truth: dict, record: dict) -> list[str]:
    if truth["ambiguous"]:
        return ["ambiguous: a person must decide"]
    return [] if record["match"]["patient_id"] == truth["roster_id"] else ["another patient"]


if __name__ == "__main__":
    raise SystemExit(main())
