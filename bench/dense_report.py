"""A dense report made by script: a ruled table of 31 lines and 8 columns on every page, about 2,000 glyphs a page."""

from __future__ import annotations

import io
import random
from datetime import date, timedelta

from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.pagesizes import landscape, letter
from reportlab.platypus import PageBreak, SimpleDocTemplate, Table, TableStyle

from parsers.template import Template
from parsers.template_file import parse_template

SITE = "NORTH"
TODAY = date(2026, 11, 20)
ROWS = 30  # and the header
_WIDTHS = (60, 118, 96, 62, 62, 44, 130, 68)
_HEADER = ("MRN", "Patient", "Clinician", "Born", "Test", "Score", "Severity", "Given")
_FAMILY = ("Abernathy", "Castell", "Dominguez", "Fisk", "Hutchins", "Kowal", "Montgomery", "Oyelaran")
_GIVEN = ("Alex", "Benjamin", "Charlotte", "Dom", "Elisabeth", "Fred", "Gabriella", "Jon")
_CLINICIANS = ("Okonkwo", "Vanderbilt", "Marchetti", "Lindqvist")
_SEVERITIES = (
    (20, "Severe"),
    (15, "Moderately severe"),
    (10, "Moderate"),
    (5, "Mild"),
    (0, "Minimal"),
)

TEMPLATE: Template = parse_template(
    """
id: dense-listing
revision: 1
anchors: [Outcome listing, Clinician, Severity]
furniture:
  - {text: Outcome listing of all programs}
  - {pattern: 'Page \\d+ of \\d+'}
dates: ['%m/%d/%Y']
names: family-first
table:
  columns:
    - {header: MRN, field: mrn}
    - {header: Patient, field: name}
    - {header: Clinician, field: ignore}
    - {header: Born, field: birth_date}
    - {header: Test, field: instrument}
    - {header: Score, field: total}
    - {header: Severity, field: severity}
    - {header: Given, field: authored_on}
""",
    source="dense-listing.yaml",
)


def dense_report(pages: int, *, seed: int = 1) -> bytes:
    """The report as PDF; the same bytes for the same arguments, people and scores invented."""
    rl_config.useA85 = 0  # compressed streams in binary, as most producers write them
    chance = random.Random(seed)
    style = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("FONTSIZE", (0, 0), (-1, -1), 7.5)])
    story: list[object] = []
    for _ in range(pages):
        rows = [_HEADER, *(_row(chance) for _ in range(ROWS))]
        story += [Table(rows, colWidths=_WIDTHS, rowHeights=15.5, style=style), PageBreak()]
    out = io.BytesIO()
    document = SimpleDocTemplate(out, pagesize=landscape(letter), invariant=1, topMargin=60, bottomMargin=30)

    def furniture(canvas: object, place: object) -> None:
        canvas.setFont("Helvetica", 9)  # type: ignore[attr-defined]
        canvas.drawString(72, 575, "Outcome listing of all programs")  # type: ignore[attr-defined]
        canvas.drawRightString(720, 20, f"Page {place.page} of {pages}")  # type: ignore[attr-defined]

    document.build(story, onFirstPage=furniture, onLaterPages=furniture)
    return out.getvalue()


def _row(chance: random.Random) -> tuple[str, ...]:
    total = chance.randint(0, 27)
    born = date(1940, 1, 1) + timedelta(days=chance.randrange(25_000))
    given = date(2026, 1, 1) + timedelta(days=chance.randrange(300))
    return (
        f"N{chance.randrange(10**6, 10**7)}",
        f"{chance.choice(_FAMILY)}, {chance.choice(_GIVEN)} {chance.choice('ABCDEFGHJKLM')}",
        chance.choice(_CLINICIANS),
        f"{born:%m/%d/%Y}",
        "PHQ-9",
        str(total),
        next(words for least, words in _SEVERITIES if total >= least),
        f"{given:%m/%d/%Y}",
    )
