"""A report with x and 9 in place of letters and digits: for a template's author who must not see patients."""

from __future__ import annotations

import re
from dataclasses import replace

from parsers.readers import artwork, drawing, pdfium, plumber
from parsers.readers.limits import ReadingLimits
from parsers.template import Template
from parsers.twin.marks import legible
from parsers.twin.template_words import template_words


def masked(text: str) -> str:
    """The shape of a text: x for letters, X for capitals, 9 for digits."""
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", lambda m: "X" if m[0].isupper() else "x", text))


def masked_copy(content: bytes, template: Template) -> bytes:
    """A PDF drawn anew: the template's own words as printed, every other word masked, pictures as grey boxes.

    Words keep their exact places, so that a picture of what a template finds fits the original. For a file that may
    leave the clinic make a twin: exact lengths can give names away.

    Raises:
        DocumentError: The file cannot be read.
    """
    pdfium.preflight(content, ReadingLimits())
    document = plumber.read(content)
    pages = []
    for page, sheet in zip(document.pages, artwork.read(content, document), strict=True):
        kept = template_words(page, template, pages=len(document.pages))
        letterings = tuple(
            lettering if id(word) in kept else replace(lettering, text=masked(lettering.text))
            for word, lettering in zip(page.words, sheet.letterings, strict=True)
        )
        pages.append(replace(sheet, letterings=letterings, strokes=legible(sheet.strokes, letterings)))
    return drawing.draw(pages)
