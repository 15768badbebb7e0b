"""Honest and lying digits in many typefaces: how many are told apart by their drawn shapes.

`python -m bench.lying_digits [FOLDER…] [--json]`: the PDF standard faces by ReportLab, and every TrueType or OpenType
face with digits in the folders by fpdf2, at four sizes. Each of the 45 pairs of digits is exchanged by its map. A
false alarm is an honest digit held to be another one; a lie is found if it is held to be another digit or none.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

from fpdf import FPDF
from reportlab.pdfgen.canvas import Canvas

from fixtures.press.lying import with_maps_saying, with_standard_font_saying
from parsers.readers import drawn_digits, pdfium
from parsers.readers.drawn_digits import Place, Sight
from tools.digit_sheet import STANDARD

SIZES = (6, 8, 10, 14)
Press = Callable[[dict[str, str]], bytes]


def standard_face(name: str) -> Press:
    """Prints the digits in a face that every reader of PDF has."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, 792), invariant=1, pageCompression=0)
    for line, size in enumerate(SIZES):
        canvas.setFont(name, size)
        for digit in range(10):
            canvas.drawString(50 + 40 * digit + 0.37 * line, 700 - 40 * line - 0.21 * digit, str(digit))
    canvas.save()
    honest = out.getvalue()
    return lambda says: with_standard_font_saying(honest, name, says) if says else honest


def embedded_face(path: Path) -> Press:
    """Prints the digits in a face out of a file."""
    pdf = FPDF(unit="pt", format="Letter")
    pdf.set_compression(False)
    pdf.add_page()
    pdf.add_font("face", fname=str(path))
    for line, size in enumerate(SIZES):
        pdf.set_font("face", size=size)
        for digit in range(10):
            pdf.text(50 + 40 * digit + 0.37 * line, 100 + 40 * line + 0.21 * digit, str(digit))
    honest = bytes(pdf.output())
    return lambda says: with_maps_saying(honest, says)


def seen(content: bytes) -> list[tuple[str, Sight]]:
    """Each digit of the text, and what the eye sees there."""
    glyphs = pdfium.glyphs_of(content, [1])
    places = {Place(g.region, digits=True): g.text for page in glyphs.pages for g in page.words if g.text.isdigit()}
    sights = drawn_digits.look(content, glyphs, places)
    return [(text, sights[place]) for place, text in places.items()]


def measure(press: Press) -> tuple[Counter[Sight], Counter[Sight], int]:
    """What is seen of honest digits and of exchanged ones, and of how many exchanged pairs neither digit is found."""
    honest = Counter(sight for _, sight in seen(press({})))
    lies, missed = Counter[Sight](), 0
    for one, other in itertools.combinations("0123456789", 2):
        sights = [sight for text, sight in seen(press({one: other, other: one})) if text in (one, other)]
        lies.update(sights)
        missed += not set(sights) & {Sight.OTHER, Sight.NOTHING}
    return honest, lies, missed


def faces(folders: list[str]) -> Iterator[tuple[str, Press]]:
    """Every face at hand by its name."""
    yield from ((name, standard_face(name)) for name in STANDARD)
    for path in sorted({p for folder in folders for p in Path(folder).rglob("*.[ot]tf")}, key=lambda p: p.name):
        try:
            yield path.stem, embedded_face(path)
        except Exception as error:  # noqa: BLE001 - fonts that fpdf2 cannot embed are left out, and said so
            print(f"{path.name}: left out ({type(error).__name__})", file=sys.stderr)


def main(arguments: list[str]) -> None:
    """Print the table; with `--json`, one object as the last line."""
    honest, lies = Counter[Sight](), Counter[Sight]()
    began, count, missed = time.process_time(), 0, 0
    for name, press in faces([a for a in arguments if not a.startswith("--")]):
        own, exchanged, escaped = measure(press)
        found = exchanged[Sight.OTHER] + exchanged[Sight.NOTHING]
        if not exchanged.total() or own.total() != 10 * len(SIZES):
            print(f"{name}: left out (no digits read)", file=sys.stderr)
            continue
        count, honest, lies, missed = count + 1, honest + own, lies + exchanged, missed + escaped
        print(
            f"{name:36} false alarms {own[Sight.OTHER] + own[Sight.NOTHING]:3}"
            f" unclear {own[Sight.UNCLEAR]:3} of {own.total():4}   lies found {found / exchanged.total():7.2%}"
            f" unclear {exchanged[Sight.UNCLEAR]:4} believed {exchanged[Sight.SAME]:4}"
            f" pairs missed {escaped}"
        )
    figures = {
        "faces": count,
        "honest_digits": honest.total(),
        "false_alarms": honest[Sight.OTHER] + honest[Sight.NOTHING],
        "honest_unclear": honest[Sight.UNCLEAR],
        "lies": lies.total(),
        "lies_found": lies[Sight.OTHER] + lies[Sight.NOTHING],
        "lies_unclear": lies[Sight.UNCLEAR],
        "pairs": 45 * count,
        "pairs_missed": missed,
        "lies_believed": lies[Sight.SAME],
        "cpu_seconds": round(time.process_time() - began, 1),
    }
    print(figures)
    if "--json" in arguments:
        print(json.dumps({"bench": "lying-digits", "figures": figures, "goals": {"false_alarms": 0}}))


if __name__ == "__main__":
    main(sys.argv[1:])
