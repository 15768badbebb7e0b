"""Titles, clinics' names, page numbers and legends of a sample: what may be printed besides records."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from parsers.drafting.words import is_clinic_name, share
from parsers.explanation import Explanation
from parsers.lines import joined, lines_of
from parsers.template_parts import Field
from records.geometry import Region

_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_CHANGING: Final = re.compile(r"\d[\w/.:-]*?[,.;]?|" + _MONTH)
Piece = tuple[str, bool]


def pattern_of(text: str) -> Piece:
    """A line as furniture: exact, or as a pattern where it holds dates or numbers, which change from print to print."""
    words = text.split()
    if not any(_CHANGING.fullmatch(word) for word in words):
        return _ruler(text) or (text, False)
    return " ".join(_generalised(word) for word in words), True


def _generalised(word: str) -> str:
    if re.fullmatch(_MONTH, word):
        return "[A-Z][a-z]+"
    if not _CHANGING.fullmatch(word):
        return re.escape(word)
    stop = word[-1] if word[-1] in ",.;" else ""
    return r"\d[\w/.:-]*" + re.escape(stop)


def _ruler(text: str) -> Piece | None:
    marks = set(text) - {" "}
    if len(text) >= 5 and not any(char.isalnum() for char in text):
        return f"[{re.escape(''.join(sorted(marks)))} ]{{5,}}", True
    return None


def title_of(runs: Sequence[str]) -> str | None:
    """The lasting words of the first run that is a title, without the clinic's name and the date."""
    for run in runs:
        for part in re.split(r"\s+[-–—|]\s+", run):
            kept: list[str] = []
            for word in part.split():
                if _CHANGING.fullmatch(word):
                    break
                kept.append(word)
            text = " ".join(kept).strip(" ,;:-–—")
            if len(text) >= 6 and any(char.isalpha() for char in text) and not is_clinic_name(text):
                return text
    return None


def clinic_of(runs: Sequence[str]) -> str | None:
    """The first text that reads like a clinic's name, or None."""
    parts = [part.strip() for run in runs for part in re.split(r"\s+[-–—|]\s+|,\s", run)]
    return next((part for part in parts if is_clinic_name(part)), None)


def heading_line(text: str) -> str | None:
    """A line inside a table as a group heading ("PROGRAM: .+"), or None if it is none."""
    match = re.match(r"([^\W\d_][\w ]{1,30}):\s+\S", text)
    return f"{re.escape(match[1])}: .+".replace(r"\ ", " ") if match else None


def as_furniture(seen: Explanation) -> list[Piece]:
    """What the draft leaves unclaimed above and below the records of each page, as furniture.

    What stands between records, beside other left-over runs, or looks like a person's name stays unclaimed: it may be
    a row the draft did not understand.
    """
    boxes: dict[int, list[Region]] = {}
    for row in seen.report.rows:
        if row.page is not None and row.region is not None:
            boxes.setdefault(row.page, []).append(row.region)
    left = [f for f in seen.report.findings if f.code == "unclaimed-word"]
    if seen.document is None:
        return [pattern_of(f.detail) for f in left if not is_personal(f.detail)]
    lines = {page.number: lines_of(page.words) for page in seen.document.pages}
    found: list[Piece] = []
    for finding in left:
        region = finding.region
        if region is None or region.page not in boxes:
            continue
        outside = region.bottom <= min(b.top for b in boxes[region.page]) + 1
        outside = outside or region.top >= max(b.bottom for b in boxes[region.page]) - 1
        # Words around it that a title or a clinic's name has claimed belong to the same line of print.
        whole = next((line for line in lines[region.page] if _same_height(line.region, region)), None)
        runs = [joined(run) for run in whole.runs()] if whole is not None else [finding.detail]
        if outside and not any(is_personal(run) for run in runs if len(runs) != 2 or run != runs[1]):
            found.append(pattern_of(" ".join(runs)))
    return found


def _same_height(one: Region, other: Region) -> bool:
    return one.top - 1 <= other.center[1] <= one.bottom + 1


def is_personal(text: str) -> bool:
    """Whether a text may be a row: a person's name with a comma, or a bare date or number."""
    named = "," in text and share(Field.NAME, [text]) == 1 and len(text.split()) <= 4
    return named or share(Field.AUTHORED_ON, [text]) == 1 or re.fullmatch(r"[A-Z]{0,4}-?\d{3,}", text) is not None
