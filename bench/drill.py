"""The authoring drill: draft a template from the first day of an unseen layout, read both days, compare with the truth.

    python -m bench.drill [FOLDER…] [--only NAME] [--templates DIR] [--why] [--json]

A FOLDER (`fixtures/drill` unless given) holds a folder per layout: `day1.pdf` and `day2.pdf` (or `.csv`), `roster.csv`,
and `truth.json` (site; records of each day as printed). With `--templates`, a template `NAME.yaml` there is read with,
not the draft, and the lines in which it differs from the draft are counted: what an author had to change.
"""

from __future__ import annotations

import argparse
import difflib
import json
from collections import Counter
from pathlib import Path

from fixtures.drill.comparison import COLUMNS, DAYS, Layout, compared, drafted, layouts_in
from parsers.template import Template
from parsers.template_file import parse_template
from records.errors import ScorebridgeError

_FOLDER = Path(__file__).parents[1] / "fixtures" / "drill"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", default=[_FOLDER])
    parser.add_argument("--only", default="")
    parser.add_argument("--templates", type=Path, help="edited drafts, NAME.yaml")
    parser.add_argument("--drafts", type=Path, help="where to write the drafts")
    parser.add_argument("--why", action="store_true", help="show what is held back, and the first differences")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    totals: Counter[str] = Counter()
    print(f"{'layout':28}{'day':5}" + "".join(f"{name:>14}" for name in COLUMNS))
    edits: dict[str, int | None] = {}
    untouched = 0
    for layout in (layout for folder in given.folders for layout in layouts_in(folder)):
        if given.only not in layout.name:
            continue
        template, edits[layout.name] = _template(layout, given)
        whole = True
        for day in DAYS:
            counts, why = compared(layout, day, template)
            totals += counts
            read = counts["confirmed"] + counts["stranger"]
            whole = whole and read == counts["records"] and not counts["file_held"]
            print(f"{layout.name:28}{day:5}" + "".join(f"{counts[column]:14}" for column in COLUMNS))
            if given.why:
                print("\n".join(f"    {line}" for line in why[:12]))
        untouched += whole and not edits[layout.name]
    changed = sorted(count for count in edits.values() if count is not None)
    print(f"{'all':33}" + "".join(f"{totals[column]:14}" for column in COLUMNS))
    print(f"read fully without an edit: {untouched} of {len(edits)}; lines changed: {changed}")
    if given.json:
        figures = {**{column: totals[column] for column in COLUMNS}, "layouts": len(edits), "untouched": untouched}
        goals = {"wrong": 0, "lost": 0, "extra": 0, "untouched": len(edits) / 2}
        print(json.dumps({"bench": "drill", "figures": figures, "goals": goals}))
    return 1 if totals["wrong"] or totals["lost"] else 0


def _template(layout: Layout, given: argparse.Namespace) -> tuple[Template | None, int | None]:
    """The template to read with, and how many lines of the draft an author changed; None where nothing was drafted."""
    try:
        draft = drafted(layout)
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


if __name__ == "__main__":
    raise SystemExit(main())
