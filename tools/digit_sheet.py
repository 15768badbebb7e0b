"""Makes the picture of typefaces that drawn digits are compared with: `python -m tools.digit_sheet FOLDER…`.

A row of digits, white on black, for each of the PDF standard faces as pdfium draws them, and for each of the free faces
found in the folders that the rows before do not already stand for. The folders hold unpacked font packages, such as
Debian's fonts-liberation, fonts-dejavu-core, fonts-roboto-unhinted, fonts-open-sans, fonts-lato, fonts-inter.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageDraw, ImageFont

from parsers.readers import digit_shapes
from parsers.readers.digit_shapes import TILE_HEIGHT, TILE_WIDTH, Picture

SHEET = Path(__file__).parents[1] / "parsers" / "readers" / "digit_shapes.png"
STANDARD = tuple(
    f"{family}{style}"
    for family, styles in (
        ("Helvetica", ("", "-Bold", "-Oblique", "-BoldOblique")),
        ("Times", ("-Roman", "-Bold", "-Italic", "-BoldItalic")),
        ("Courier", ("", "-Bold", "-Oblique", "-BoldOblique")),
    )
    for style in styles
)
# Families under the Open Font License, the Apache, Bitstream Vera or GUST licence, each in the cuts that reports use.
FREE = (
    "DejaVuSans", "DejaVuSansCondensed", "DejaVuSansMono", "DejaVuSerif", "LiberationSans", "LiberationSerif",
    "LiberationMono", "LiberationSansNarrow", "Roboto", "RobotoCondensed", "OpenSans", "Lato", "Carlito", "Caladea",
    "Inter", "Cousine", "FiraCode", "JetBrainsMono", "Inconsolata", "EBGaramond12", "CourierPrime", "Comfortaa",
    "Quicksand", "Karla", "Hack", "B612", "B612Mono", "AnonymousPro", "Vollkorn", "OCRA", "spleen12x24", "mononoki",
    "TeXGyreAdventor", "TeXGyreBonum", "TeXGyrePagella", "TeXGyreSchola",
)  # fmt: skip
_CUTS = ("", "Regular", "Book", "Light", "Bold", "Italic", "Oblique", "BoldItalic", "BoldOblique", "I", "B", "BI")
_DIGITS = "0123456789"
_TALL = 34  # pixels of the tallest digit
# A face whose digits all are this near to their own, and farther from any other by this much, needs no row of its own.
_NEAR, _ALIKE = 0.4, 0.3


def main(folders: Sequence[str]) -> None:
    """Write the picture and print how many faces it holds."""
    rows = [_standard(name) for name in STANDARD]
    for path in _fonts(folders):
        row = _drawn(path)
        if not _stood_for(rows, row):
            rows.append(row)
            print(path.name)
    _write(rows)
    print(f"{len(rows)} faces, {SHEET.stat().st_size} bytes")


def _fonts(folders: Sequence[str]) -> Iterator[Path]:
    wanted = {(family + cut).casefold() for family in FREE for cut in _CUTS}
    found = {_plain(path.stem): path for f in folders for path in Path(f).rglob("*.[ot]tf")}
    yield from (found[name] for name in sorted(wanted & found.keys()))


def _plain(name: str) -> str:
    return name.replace(" ", "").replace("-", "").casefold()


def _standard(name: str) -> list[Picture]:
    pdf = pypdfium2.PdfDocument.new()
    font = pdfium_c.FPDFText_LoadStandardFont(pdf, name.encode())
    tiles = []
    for digit in _DIGITS:
        page = pdf.new_page(100, 100)
        text = pdfium_c.FPDFPageObj_CreateTextObj(pdf, font, 44)
        letters = (digit + "\0").encode("utf-16-le")
        pdfium_c.FPDFText_SetText(text, (pdfium_c.FPDF_WCHAR * (len(letters) // 2)).from_buffer_copy(letters))
        pdfium_c.FPDFPageObj_Transform(text, 1, 0, 0, 1, 30.3, 30.3)
        pdfium_c.FPDFPage_InsertObject(page, text)
        pdfium_c.FPDFPage_GenerateContent(page)
        grey = page.render(scale=1, grayscale=True).to_numpy()
        tiles.append(_tile(1 - grey.reshape(100, 100).astype(np.float32) / 255))
    return tiles


def _drawn(path: Path) -> list[Picture]:
    """The digits of a font, drawn four times too large and brought down, which leaves soft edges."""
    font = ImageFont.truetype(str(path), 4 * _TALL, layout_engine=ImageFont.Layout.BASIC)
    tiles = []
    for digit in _DIGITS:
        left, top, right, bottom = font.getbbox(digit)
        large = Image.new("L", (int(right - left) + 32, int(bottom - top) + 32))
        ImageDraw.Draw(large).text((17 - left, 17 - top), digit, font=font, fill=255)
        small = large.resize((large.width // 4, large.height // 4), Image.Resampling.BOX)
        tiles.append(_tile(np.asarray(small, np.float32) / 255))
    return tiles


def _tile(ink: Picture) -> Picture:
    """The shape in the upper left corner of a tile, made smaller if it does not fit."""
    rows, columns = np.flatnonzero((ink > 0.05).any(axis=1)), np.flatnonzero((ink > 0.05).any(axis=0))
    shape = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    factor = min(1.0, _TALL / shape.shape[0], (TILE_WIDTH - 4) / shape.shape[1])
    size = max(1, round(shape.shape[1] * factor)), max(1, round(shape.shape[0] * factor))
    fitted = Image.fromarray((shape * 255).astype(np.uint8)).resize(size, Image.Resampling.BOX)
    tile = np.zeros((TILE_HEIGHT, TILE_WIDTH), np.float32)
    tile[2 : 2 + size[1], 2 : 2 + size[0]] = np.asarray(fitted, np.float32) / 255
    return tile


def _stood_for(rows: Sequence[Sequence[Picture]], row: Sequence[Picture]) -> bool:
    """Whether each digit of the row is much nearer to its own digit of the rows so far than to any other."""
    known = digit_shapes.outlines([tile for kept in rows for tile in kept])
    away = digit_shapes.distances(digit_shapes.outlines(list(row)), known)
    return all(
        float(np.delete(away[digit], digit).min() - away[digit][digit]) >= _ALIKE and away[digit][digit] < _NEAR
        for digit in range(10)
    )


def _write(rows: Sequence[Sequence[Picture]]) -> None:
    pixels = np.vstack([np.hstack(list(row)) for row in rows])
    # Sixteen greys are enough for a shape.
    Image.fromarray((np.round(pixels * 15) * 17).astype(np.uint8)).save(SHEET, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
