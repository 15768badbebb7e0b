"""Write the tables of docs/instruments.md from the instrument library; `--check` only compares.

Run as `python -m tools.instruments_table [--check]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from parsers.instrument_library import load_instruments
from records.instrument import Instrument, ScoringRule

DOCUMENT = Path(__file__).parent.parent / "docs" / "instruments.md"
START = "<!-- tables: written by tools/instruments_table.py -->"
END = "<!-- end of tables -->"


def tables() -> str:
    """One table of scoring and one of sources, in Markdown."""
    instruments = [entry for _, entry in sorted(load_instruments().items())]
    scoring = ["| id | title | items | total | bands | critical | LOINC total | to a person because |"]
    scoring += ["|" + "---|" * 8]
    scoring += [_scoring_row(entry) for entry in instruments]
    sources = ["| id | fact | source | verified |", "|" + "---|" * 4]
    sources += [
        f"| `{entry.instrument_id}` | {fact} | {sourced.source} | {'yes' if sourced.verified else '**no**'} |"
        for entry in instruments
        for fact, sourced in entry.sources
    ]
    return "\n".join(["## Scoring", "", *scoring, "", "## Sources", "", *sources])


def document(text: str) -> str:
    """`text` with the present tables between the marks."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{tables()}\n\n{END}{after}"


def _scoring_row(entry: Instrument) -> str:
    total = f"{entry.minimum}–{entry.maximum}"
    if entry.rule is ScoringRule.LEVEL:
        total = "levels " + ", ".join(entry.levels)
    if not entry.higher_is_worse:
        total += ", higher is better"
    bands = "; ".join(f"{band.minimum}–{band.maximum} {band.label}" for band in entry.bands) or "–"
    rules = [
        f"item {rule.link_id} ≥ {rule.at_least}" + ("" if rule.verified else " (unverified)") for rule in entry.critical
    ]
    rules += [f"level {level}" for level in entry.critical_levels]
    cells = [
        f"`{entry.instrument_id}`",
        entry.title,
        str(entry.item_count),
        total,
        bands,
        "; ".join(rules) or "–",
        entry.total_loinc or "–",
        ", ".join(entry.unverified) or "–",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    """Exit status 1 when `--check` finds the document out of date."""
    text = DOCUMENT.read_text("utf-8")
    wanted = document(text)
    if "--check" in sys.argv[1:]:
        if text != wanted:
            print("docs/instruments.md is out of date: run python -m tools.instruments_table", file=sys.stderr)
        return int(text != wanted)
    DOCUMENT.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
