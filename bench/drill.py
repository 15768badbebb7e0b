"""The authoring drill: draft a template from the first day of an unseen layout, read both days, compare with the truth.

    python -m bench.drill FOLDER… [--only NAME] [--templates DIR] [--why] [--json]

A FOLDER holds a folder per layout: `day1.pdf` and `day2.pdf` (or `.csv`), `roster.csv`, and `truth.json` (site;
records of each day as printed). With `--templates`, a template `NAME.yaml` there is read with, not the draft,
and the lines in which it differs from the draft are counted: what an author had to change.
"""

from __future__ import annotations

import argparse
import difflib
import json
from collections import Counter
from datetime import date
from pathlib import Path

from ingest.dry_read import DryRead, kind_of
from ingest.roster_file import read_roster
from ingest.workers import FileToRead
from matching.roster_index import RosterIndex
from parsers.drafting.draft import Sample, draft_template
from parsers.instrument_library import load_instruments
from parsers.reading import ReadingRequest, read_report
from parsers.template import Template
from parsers.template_file import parse_template
from records.assessment import ReportReading
from records.errors import ScorebridgeError
from records.patient import LinkPolicy

_TODAY = date(2026, 11, 20)
_DAYS = ("day1", "day2")
_COLUMNS = ("records", "confirmed", "review", "wrong", "unread", "lost", "extra", "no_score_off", "file_held")


class _Here:
    """Reads in this process: the drill's files are our own."""

    def read(self, content: bytes, file: FileToRead) -> ReportReading:
        request = ReadingRequest(
            kind=file.kind, templates=file.templates, instruments=load_instruments(), site=file.site, today=file.today
        )
        return read_report(content, request)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--only", default="")
    parser.add_argument("--templates", type=Path, help="edited drafts, NAME.yaml")
    parser.add_argument("--drafts", type=Path, help="where to write the drafts")
    parser.add_argument("--why", action="store_true", help="show what is held back, and the first differences")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    totals: Counter[str] = Counter()
    print(f"{'layout':28}{'day':5}" + "".join(f"{name:>14}" for name in _COLUMNS))
    edits: dict[str, int | None] = {}
    untouched = 0
    for layout in sorted(path.parent for folder in given.folders for path in folder.glob("*/truth.json")):
        if given.only not in layout.name:
            continue
        truth = json.loads((layout / "truth.json").read_text("utf-8"))
        template, edits[layout.name] = _template(layout, truth["site"], given)
        whole = True
        for day in _DAYS:
            counts, why = _day(layout, day, truth, template)
            totals += counts
            whole = whole and counts["confirmed"] == counts["records"] and not counts["file_held"]
            print(f"{layout.name:28}{day:5}" + "".join(f"{counts[column]:14}" for column in _COLUMNS))
            if given.why:
                print("\n".join(f"    {line}" for line in why))
        untouched += whole and not edits[layout.name]
    changed = sorted(count for count in edits.values() if count is not None)
    print(f"{'all':33}" + "".join(f"{totals[column]:14}" for column in _COLUMNS))
    print(f"read fully without an edit: {untouched} of {len(edits)}; lines changed: {changed}")
    if given.json:
        figures = {**{column: totals[column] for column in _COLUMNS}, "layouts": len(edits), "untouched": untouched}
        goals = {"wrong": 0, "lost": 0, "extra": 0, "untouched": len(edits) / 2}
        print(json.dumps({"bench": "drill", "figures": figures, "goals": goals}))
    return 1 if totals["wrong"] or totals["lost"] else 0


def _template(layout: Path, site: str, given: argparse.Namespace) -> tuple[Template | None, int | None]:
    """The template to read with, and how many lines of the draft an author changed; None where nothing was drafted."""
    sample = next(layout.glob("day1.*"))
    try:
        draft = draft_template(
            [Sample(name=sample.name, content=sample.read_bytes(), kind=kind_of(sample.name))],
            site=site, today=_TODAY, name=layout.name,
        )  # fmt: skip
        text, template = draft.text, draft.template
    except ScorebridgeError as error:
        print(f"{layout.name}: {error}")
        text, template = "", None
    if given.drafts is not None:
        given.drafts.mkdir(parents=True, exist_ok=True)
        (given.drafts / f"{layout.name}.yaml").write_text(text, "utf-8")
    edited = given.templates / f"{layout.name}.yaml" if given.templates else None
    if edited is None or not edited.exists():
        return template, 0 if template is not None else None
    theirs = edited.read_text("utf-8")
    lines = difflib.unified_diff(text.splitlines(), theirs.splitlines(), lineterm="", n=0)
    kinds = [line[0] for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return parse_template(theirs, source=edited.name), max(kinds.count("+"), kinds.count("-"))


def _day(layout: Path, day: str, truth: dict, template: Template | None) -> tuple[Counter[str], list[str]]:
    path = next(layout.glob(f"{day}.*"))
    dry = DryRead(
        site=truth["site"],
        templates=(template,) if template is not None else (),
        index=RosterIndex.build(read_roster(layout / "roster.csv", site=truth["site"]).roster),
        policy=LinkPolicy(),
        pool=_Here(),  # type: ignore[arg-type]
        today=_TODAY,
    )
    read = dry.read(str(path))
    records = read.get("records") or []
    expected = truth[day]["records"]
    counts: Counter[str] = Counter(records=len(expected), file_held=int(bool(read["reasons"])))
    why = [f"file: {', '.join(read['reasons'])} {read.get('message') or ''}"] if read["reasons"] else []
    left = list(records)
    for wanted in expected:
        found = next((r for r in left if _same(r, wanted)), None)
        if found is None:
            # A report that waits as a whole is not lost; one that seems read while a record of it is missing is.
            kind = "unread" if counts["file_held"] else "lost"
            counts[kind] += 1
            why.append(f"{kind}: {wanted['name']}, {wanted['instrument']}, {wanted['total']}, page {wanted['page']}")
            continue
        left.remove(found)
        faults = _faults(found, wanted)
        held = "review" if found["decision"] != "confirmed" else "wrong" if faults else "confirmed"
        counts[held] += 1
        if held != "confirmed":
            why.append(f"{held}: {wanted['name']}, {wanted['instrument']}: {found['reasons']} {faults}")
    counts["extra"] = sum(record["decision"] == "confirmed" for record in left)
    why += [f"more than printed: {record['patient']['name']} {record['total']} {record['reasons']}" for record in left]
    counts["no_score_off"] = abs((read.get("balance") or {}).get("no_score", 0) - truth[day]["no_score"])
    return counts, why[:12]


def _same(record: dict, wanted: dict) -> bool:
    """Whether this is the record of that print: its page, and its person or all its values."""
    if record["page"] != wanted["page"]:
        return False
    patient = record["patient"]
    person = (patient["mrn"] or "-") == wanted["mrn"] or patient["family"] == wanted["family"]
    # A record that waits may lack what it waits for.
    return person and all(record[name] in (None, wanted[name]) for name in ("instrument", "authored_on"))


def _faults(record: dict, wanted: dict) -> list[str]:
    patient = record["patient"]
    # What a template leaves out is not sent; what it reads must be right.
    faults = [name for name in ("birth_date", "mrn") if patient[name] not in (None, wanted[name])]
    faults += [name for name in ("instrument", "authored_on", "total", "items") if record[name] != wanted[name]]
    return faults + (["another patient"] if record["match"]["patient_id"] != wanted["patient_id"] else [])


if __name__ == "__main__":
    raise SystemExit(main())
