"""Write the tables of reasons in docs/operations.md from `records.finding`; `--check` only compares.

Run as `python -m tools.reasons_table [--check]`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

import records.finding
from records.finding import REASONS

DOCUMENT = Path(__file__).parent.parent / "docs" / "operations.md"
START = "<!-- reasons: written by tools/reasons_table.py -->"
END = "<!-- end of reasons -->"

FILE_GROUP: Final = "whole file"

_COMMENT: Final = re.compile(r"    # (.+)")
_ENTRY: Final = re.compile(r'    "([^"]+)":')

# What an operator does about a file that could not be taken or read. The keys are the codes of the first group.
_AGAIN = "Print the report again; if it comes out the same, keep the file and ask the EHR's vendor."
_STRANGE = "Look at what this file is. If it is a report, raise the limit and run `report again`."
STEPS: Final[dict[str, str]] = {
    "damaged": _AGAIN,
    "empty-file": _AGAIN,
    "not-a-pdf": "Find out what printed it; exclude it with `patterns` if it is no report.",
    "encrypted": "Switch protection off in the print job.",
    "incomplete": "Wait for the rest: changed bytes are taken up by themselves. Else print again.",
    "pages-missing": _AGAIN,
    "too-many-pages": "Print in parts, or raise `reading.max_pages` and run `report again`.",
    "too-complex": "Look at what this file is: no report draws that much on a page.",
    "page-too-large": "Print on paper of a usual size.",
    "reader-timeout": _STRANGE.replace("the limit", "`reading.timeout_seconds`"),
    "reader-memory": _STRANGE.replace("the limit", "`reading.memory_mb`"),
    "reader-died": "Run `report again` once. If it dies again, report the place named in the log.",
    "no-text": "Print as text, not as a picture. The report's page shows it; `reading.ocr_pages` can fill it in.",
    "csv-malformed": "Open it in an editor, not a spreadsheet, and mend the export.",
    "file-vanished": "Check whether it was printed again, and what else removes files there.",
    "file-locked": "Nothing, if it passes: the file is tried at every scan. Else find the program that holds it.",
    "file-too-large": _STRANGE.replace("the limit", "`reading.max_file_mb`"),
    "unsafe-path": "Print into the folder itself; links are not followed.",
}

# What a person does about the other groups.
_ADVICE: Final[dict[str, str]] = {
    "template": "for the template author",
    "claimed page": "for the template author, mostly after a change of the print layout",
    "readers agree": "compare with the picture of the page",
    "label beside value": "compare with the picture of the page; then the template author",
    "clinical": "compare with the picture of the page, correct or reject",
    "text quality": "compare with the picture of the page",
    "patient": "choose the patient, or say that it is nobody",
    "new": "say whether it is a correction, a second administration or a duplicate",
}


def groups() -> dict[str, list[str]]:
    """The codes under the comment that heads them in `records.finding`, in order.

    Raises:
        ValueError: A code stands under no comment.
    """
    found: dict[str, list[str]] = {}
    heading = ""
    for line in Path(str(records.finding.__file__)).read_text("utf-8").splitlines():
        if comment := _COMMENT.fullmatch(line):
            heading = comment[1]
        elif (entry := _ENTRY.match(line)) and entry[1] in REASONS:
            found.setdefault(heading, []).append(entry[1])
    if sorted(code for codes in found.values() for code in codes) != sorted(REASONS):
        raise ValueError("records.finding lists a code in a way this script does not understand")
    return found


def tables() -> str:
    """The table of files that cannot be read, and one of reasons why records wait, in Markdown."""
    by_group = groups()
    files = by_group.pop(FILE_GROUP)
    if set(files) != set(STEPS):
        raise ValueError(f"tools.reasons_table.STEPS differs from the codes: {sorted(set(files) ^ set(STEPS))}")
    lines = ["### Why a file is not read", "", "| code | what it means | what to do |", "|---|---|---|"]
    lines += [f"| `{code}` | {REASONS[code]} | {STEPS[code]} |" for code in files]
    lines += ["", "### Why a record waits for a person", "", "| code | what it means |", "|---|---|"]
    for heading, codes in by_group.items():
        lines.append(f"| **{heading}** | *{_ADVICE[heading]}* |")
        lines += [f"| `{code}` | {REASONS[code]} |" for code in codes]
    return "\n".join(lines)


def document(text: str) -> str:
    """`text` with the present tables between the marks."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{tables()}\n\n{END}{after}"


def main() -> int:
    """Exit status 1 when `--check` finds the document out of date."""
    text = DOCUMENT.read_text("utf-8")
    wanted = document(text)
    if "--check" in sys.argv[1:]:
        if text != wanted:
            print("docs/operations.md is out of date: run python -m tools.reasons_table", file=sys.stderr)
        return int(text != wanted)
    DOCUMENT.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
