"""Draw docs/flow.svg: what becomes of a printed report. `--check` only compares.

Run as `python -m tools.flow_picture [--check]`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

PICTURE = Path(__file__).parent.parent / "docs" / "flow.svg"

_WIDTH, _HEIGHT = 1000, 424
_BOX = 132
_INK, _MUTED, _LINE, _BRAND = "#17212b", "#4d5b6a", "#8795a4", "#0b4f78"
_OK, _WARN, _BAD = ("#e5f3eb", "#12633f"), ("#fff4d9", "#7a4b00"), ("#fdeceb", "#a11a14")
_PLAIN = ("#ffffff", _BRAND)
_FONT: Final = 'font-family="Inter, system-ui, Segoe UI, Roboto, Liberation Sans, sans-serif"'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """A box: its upper left corner, its title and at most two lines below it."""

    x: int
    y: int
    title: str
    lines: tuple[str, ...]
    colours: tuple[str, str] = _PLAIN
    width: int = _BOX
    height: int = 84


_STAGES: Final = (
    _Stage(x=16, y=130, title="print folder", lines=("PDF and CSV,", "may be read-only"), colours=("#f4f6f8", _MUTED)),
    _Stage(x=182, y=130, title="take", lines=("whole, once,", "encrypted copy")),
    _Stage(x=348, y=130, title="read", lines=("one template fits,", "three readings")),
    _Stage(x=514, y=130, title="match", lines=("two identifiers", "must agree")),
    _Stage(x=680, y=130, title="gates", lines=("one doubt is", "enough to stop")),
    _Stage(x=846, y=130, title="portal", lines=("each value once,", "looked up after"), colours=_OK),
    _Stage(x=348, y=12, title="person on call", lines=("told at once; escalates",), colours=_BAD, width=298, height=62),
    _Stage(x=182, y=284, title="quarantine", lines=("a copy, a reason,", "a notice"), colours=_WARN),
    _Stage(x=514, y=284, title="duplicate", lines=("known already,", "not sent"), colours=("#f4f6f8", _MUTED)),
    _Stage(x=680, y=284, title="person", lines=("values beside the", "picture of the row"), colours=_WARN),
    _Stage(x=846, y=284, title="rejected", lines=("kept, can be", "reopened"), colours=("#f4f6f8", _MUTED)),
)

# Straight lines from (x, y) to (x, y), with words beside the middle.
_ARROWS: Final = (
    (148, 172, 182, 172, ""),
    (314, 172, 348, 172, ""),
    (480, 172, 514, 172, ""),
    (646, 172, 680, 172, ""),
    (812, 172, 846, 172, ""),
    (414, 130, 414, 74, "answer about self-harm"),
    (248, 214, 248, 284, "not readable"),
    (696, 214, 630, 284, ""),
    (746, 214, 746, 284, "any doubt"),
    (806, 290, 866, 214, ""),
    (812, 336, 846, 336, ""),
)


def picture() -> str:
    """The whole SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-labelledby="t d" {_FONT}>',
        '<title id="t">What becomes of a printed report</title>',
        '<desc id="d">From the print folder a report is taken, read and matched; records that pass every gate go '
        "to the portal, others to a person; an answer about self-harm goes to the person on call right after reading."
        "</desc>",
        f'<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{_LINE}"/></marker></defs>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="10" fill="#ffffff"/>',
    ]
    parts += [_arrow(*arrow) for arrow in _ARROWS]
    parts += [_box(stage) for stage in _STAGES]
    parts.append(
        f'<text x="{_WIDTH / 2:g}" y="404" text-anchor="middle" font-size="16" fill="{_INK}">'
        '<tspan font-weight="600">printed = sent + waiting + rejected + duplicate</tspan>'
        f'<tspan fill="{_MUTED}">, per report and per day, counted from the rows</tspan></text>'
    )
    return "\n".join([*parts, "</svg>", ""])


def _box(stage: _Stage) -> str:
    fill, edge = stage.colours
    middle = stage.x + stage.width / 2
    first = stage.y + stage.height / 2 - 8 * len(stage.lines) + 2
    words = [
        f'<text x="{middle:g}" y="{first:g}" text-anchor="middle" font-size="15" font-weight="600" fill="{edge}">'
        f"{escape(stage.title)}</text>"
    ]
    words += [
        f'<text x="{middle:g}" y="{first + 20 + 17 * number:g}" text-anchor="middle" font-size="12.5" fill="{_INK}">'
        f"{escape(line)}</text>"
        for number, line in enumerate(stage.lines)
    ]
    box = (
        f'<rect x="{stage.x}" y="{stage.y}" width="{stage.width}" height="{stage.height}" rx="8" '
        f'fill="{fill}" stroke="{edge}" stroke-width="1.5"/>'
    )
    return "\n".join([box, *words])


def _arrow(x1: int, y1: int, x2: int, y2: int, words: str) -> str:
    line = f'<path d="M{x1} {y1}L{x2} {y2}" stroke="{_LINE}" stroke-width="2" fill="none" marker-end="url(#a)"/>'
    if not words:
        return line
    return (
        f'{line}\n<text x="{(x1 + x2) / 2 + 8:g}" y="{(y1 + y2) / 2 + 4:g}" font-size="12.5" fill="{_MUTED}">'
        f"{escape(words)}</text>"
    )


def main() -> int:
    """Exit status 1 when `--check` finds the picture out of date."""
    wanted = picture()
    if "--check" in sys.argv[1:]:
        same = PICTURE.read_text("utf-8") == wanted
        if not same:
            print("docs/flow.svg is out of date: run python -m tools.flow_picture", file=sys.stderr)
        return int(not same)
    PICTURE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
