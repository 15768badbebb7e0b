"""Write the table of gates in docs/matching.md from `fixtures/gates.yaml`; `--check` only compares.

Run as `python -m tools.gates_table [--check]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fixtures.gates import GateExample, gate_examples
from records.finding import sentence
from records.patient import PatientIdentity, RosterPatient

DOCUMENT = Path(__file__).parent.parent / "docs" / "matching.md"
START = "<!-- gates: written by tools/gates_table.py -->"
END = "<!-- end of gates -->"
_FIELDS = ("family", "given", "middle", "suffix", "birth_date", "mrn", "sex")


def table() -> str:
    """Every gate, with an example that waits and one that passes, in Markdown."""
    lines = [
        "| what the reviewer reads | why | on the roster | this print waits | this one is confirmed |",
        "|---|---|---|---|---|",
    ]
    lines += [_line(example) for example in gate_examples()]
    return "\n".join(lines)


def document(text: str) -> str:
    """`text` with the present table between the marks."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{table()}\n\n{END}{after}"


def _line(example: GateExample) -> str:
    roster = "; ".join(_patient(patient) for patient in example.roster)
    passes = _said(example.passes) if example.passes else "none: a person decides"
    cells = (f"{sentence(example.reason)} `{example.reason}`", example.story, roster, _said(example.waits), passes)
    return f"| {' | '.join(cells)} |"


def _patient(patient: RosterPatient) -> str:
    said = _said(patient)
    if patient.merged_into:
        return f"{said}, merged into the next"
    return said if patient.active else f"{said}, inactive"


def _said(who: PatientIdentity | RosterPatient) -> str:
    return ", ".join(str(value) for field in _FIELDS if (value := getattr(who, field)))


def main() -> int:
    """Exit status 1 when `--check` finds the document out of date."""
    text = DOCUMENT.read_text("utf-8")
    wanted = document(text)
    if "--check" in sys.argv[1:]:
        if text != wanted:
            print("docs/matching.md is out of date: run python -m tools.gates_table", file=sys.stderr)
        return int(text != wanted)
    DOCUMENT.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
