"""playa's page as pdfminer would lay it out, its glyphs made with a third of the work."""

from __future__ import annotations

from collections.abc import Iterator

import playa
from playa.content import TextObject
from playa.font import Font
from playa.miner import LTChar, LTPage, process_object
from playa.utils import apply_matrix_pt


def layout_of(page: playa.Page) -> LTPage:
    """As `playa.miner.extract_page` without an analysis.

    playa makes an object with ten attributes for every glyph, and pdfminer's glyph from it by transforming four corners
    of a box. For text that stands upright and runs across, nearly all of it is the same for a whole run of text.
    """
    x0, y0, x1, y1 = page.mediabox
    (xa, ya), (xb, yb) = apply_matrix_pt(page.ctm, (x0, y0)), apply_matrix_pt(page.ctm, (x1, y1))
    layout = LTPage(page.page_idx + 1, (0, 0, abs(xa - xb), abs(ya - yb)))
    for drawn in page:
        font = drawn.gstate.font
        if type(drawn) is TextObject and font is not None and _is_upright(drawn, font):
            layout.extend(_letters(drawn, font))
        else:
            layout.extend(process_object(drawn))
    return layout


def _is_upright(text: TextObject, font: Font) -> bool:
    """Whether the text is neither turned nor slanted nor mirrored; all else is left to playa."""
    if font.vertical or text.ctm is None or text.gstate.fontsize <= 0 or text.gstate.scaling <= 0:
        return False
    (a, b, c, d, _, _), (p, q, r, s, _, _) = text.line_matrix, text.ctm
    return b == c == q == r == 0 and a * p > 0 and d * s > 0


def _letters(text: TextObject, font: Font) -> Iterator[LTChar]:
    """As `TextObject.__iter__` and `LTChar` give them: the same sums in the same order, without those of zeros."""
    state = text.gstate
    size, scaling = state.fontsize, state.scaling * 0.01
    wide = size * scaling
    between = state.charspace / size
    after_space = 0.0 if font.multibyte else state.wordspace / size
    (a, _, _, d, e, f), (p, _, _, s, t, u) = text.line_matrix, text.ctm
    across, up = p * a, s * d
    left, base = p * e + t, s * f + u
    at, height = text._glyph_offset
    x_scale, y_scale = across * wide, up * size
    foot = y_scale * 0.0 + (up * state.rise + (height * up + base))
    lowest = font.descent * font.matrix[3]
    bottom, top = y_scale * lowest + foot, y_scale * (lowest + 1) + foot
    turn = (x_scale * (1 / wide), 0.0, 0.0, y_scale * (1 / size))
    for piece in text.args:
        if isinstance(piece, (int, float)):
            at -= piece * 0.001 * size * scaling
            continue
        for code, character in font.decode(piece):
            width = font.hdisp(code)
            x0 = at * across + left
            x1 = x_scale * width + x0
            letter = LTChar()
            letter._text = f"(cid:{code})" if character is None else character
            letter.mcstack = text.mcstack
            letter.fontname = font.fontname
            letter.graphicstate = state
            letter.render_mode = state.render_mode
            letter.stroking_color = state.scolor
            letter.non_stroking_color = state.ncolor
            letter.scs = state.scs
            letter.ncs = state.ncs
            letter.upright = True
            letter.matrix = (*turn, x0, foot)
            letter.adv = width * size * scaling
            letter.set_bbox((x0, bottom, x1, top) if x0 <= x1 else (x1, bottom, x0, top))
            letter.size = letter.height
            yield letter
            step = width + between
            if code == 32:
                step += after_space
            at += step * size * scaling
    if text._next_glyph_offset is None:
        text._next_glyph_offset = (at, height)
