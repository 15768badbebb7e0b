"""Which digit a drawn shape is: compared with the digits of some 150 typefaces.

What counts is the direction of the outline in each part of the shape, so that size, weight and slant matter little. The
typefaces are rows of the picture `digit_shapes.png`, made by `tools/digit_sheet.py`; anybody can look at them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from enum import Enum
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.float32]
"""Ink of a shape, 0 for none to 1, row by row from the top."""

Outlines = npt.NDArray[np.float32]
"""A row of numbers for each shape; nearness of rows is likeness of shapes."""

TILE_WIDTH, TILE_HEIGHT = 40, 40  # pixels of one digit in the picture of typefaces
_WIDTH, _HEIGHT = 16, 24  # pixels every shape is brought to
_MARGIN = 2
_INK = 0.35  # ink from which on a pixel belongs to the shape
_PARTS_ACROSS, _PARTS_DOWN, _DIRECTIONS = 4, 6, 8
_NEXT = np.float32(np.cos(2 * np.pi / _DIRECTIONS))  # an outline does not count for the direction next to its own
_TURNS = np.array([f(2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS) for f in (np.cos, np.sin)], np.float32)
_BAR, _BOLD_BAR = 0.25, 0.4  # width by height of an upright stroke
_FULL = 0.85  # share of ink of an area without a shape
_SLENDERNESS = 0.5  # weight of width / height beside the outline
_WIDEST = 1.2
# Shapes compared at once, with one typeface at a time: products this small are not spread over threads, whose waiting
# costs ten times the work.
_AT_ONCE = 64

# Distances lie between 0 (equal) and about 1.2. Measured over 110 families (docs/adr/0011-what-the-eye-sees.md).
_LIKE = 0.6  # nearer than this is a good likeness
_CLEARLY = 0.15  # nearer by this much than the digit in the text
_UNLIKE = 0.8  # farther than this is no likeness at all; honest digits of unknown typefaces stay below 0.76


class Likeness(Enum):
    """What a drawn shape says of the digit that the text claims it is."""

    SAME = "the digit"
    OTHER = "another digit"
    NONE = "no digit"
    UNCLEAR = "cannot be told"


def likenesses(shapes: Sequence[Picture], claimed: str) -> list[Likeness]:
    """Whether each shape, which must have an area, is the digit at its place in `claimed`."""
    if not shapes:
        return []
    away = distances(outlines(shapes), _known_outlines())
    return [_told(*one) for one in zip(shapes, away, claimed, strict=True)]


def _told(shape: Picture, away: Outlines, digit: str) -> Likeness:
    slenderness = shape.shape[1] / shape.shape[0]
    is_full = float(shape.mean()) > _FULL
    if slenderness < _BAR or (is_full and slenderness < _BOLD_BAR):
        # Too slender for any digit but the 1 of faces that draw it as an upright stroke.
        return Likeness.SAME if digit == "1" else Likeness.OTHER
    return Likeness.NONE if is_full else _judged(away, int(digit))


def _judged(distances: Outlines, digit: int) -> Likeness:
    own = float(distances[digit])
    other = float(np.delete(distances, digit).min())
    if other <= _LIKE and own - other >= _CLEARLY:
        return Likeness.OTHER
    if own > _UNLIKE:
        return Likeness.NONE
    return Likeness.SAME if own <= other else Likeness.UNCLEAR


def distances(drawn: Outlines, known: Outlines) -> Outlines:
    """How far each shape is from each digit of the typeface in which that digit is most like it; (shapes, 10).

    Args:
        drawn: Outlines of any shapes.
        known: Outlines of the digits 0 to 9 of each typeface, one typeface after the other.
    """
    faces = known.reshape(-1, 10, known.shape[1])
    parts = [drawn[start : start + _AT_ONCE] for start in range(0, len(drawn), _AT_ONCE)]
    return np.concatenate([_nearest(part, faces) for part in parts])


def _nearest(drawn: Outlines, faces: Outlines) -> Outlines:
    products = np.matmul(drawn, faces.swapaxes(1, 2))
    squares = (drawn**2).sum(1)[None, :, None] + (faces**2).sum(2)[:, None, :] - 2 * products
    nearest: Outlines = np.sqrt(np.maximum(squares.min(axis=0), 0))
    return nearest


@cache
def _known_outlines() -> Outlines:
    sheet = resources.files("parsers.readers").joinpath("digit_shapes.png").read_bytes()
    with Image.open(io.BytesIO(sheet)) as picture:
        pixels = np.asarray(picture.convert("L"), dtype=np.float32) / 255
    tiles = pixels.reshape(-1, TILE_HEIGHT, 10, TILE_WIDTH).swapaxes(1, 2).reshape(-1, TILE_HEIGHT, TILE_WIDTH)
    # A few at a time: what is held of a shape on the way to its outlines is a hundred times as large.
    return np.concatenate([outlines(list(tiles[at : at + _AT_ONCE])) for at in range(0, len(tiles), _AT_ONCE)])


def _cut_out(shape: Picture) -> tuple[Picture, float]:
    """The shape without its surroundings in the common size, and its width by its height."""
    ink = shape > _INK * shape.max()
    if not ink.any():
        ink = np.ones_like(ink)  # an empty box is like no digit
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    inner = shape[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    grey = Image.fromarray((inner * 255).astype(np.uint8))
    same_size = np.asarray(grey.resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC), dtype=np.float32)
    cut: Picture = same_size / np.float32(255)
    return cut, inner.shape[1] / inner.shape[0]


def outlines(pictures: Sequence[Picture]) -> Outlines:
    """The strength of the outline by direction in each part of each shape, and its slenderness."""
    cuts = [_cut_out(picture) for picture in pictures]
    shapes = np.pad(np.stack([shape for shape, _ in cuts]), ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN)))
    across, down = np.zeros_like(shapes), np.zeros_like(shapes)
    across[:, :, 1:-1] = shapes[:, :, 2:] - shapes[:, :, :-2]
    down[:, 1:-1, :] = shapes[:, 2:, :] - shapes[:, :-2, :]
    strength = np.hypot(across, down)[:, None]
    turned = _TURNS[0][:, None, None] * across[:, None] + _TURNS[1][:, None, None] * down[:, None]
    planes = np.maximum(turned - _NEXT * strength, 0)
    rows, columns = _windows(shapes.shape[1], _PARTS_DOWN), _windows(shapes.shape[2], _PARTS_ACROSS)
    # Roots keep one strong stroke from drowning the others.
    parts = np.sqrt(rows @ planes @ columns.T).reshape(len(cuts), -1)
    parts /= np.linalg.norm(parts, axis=1, keepdims=True) + 1e-6
    slenderness = np.array([[_SLENDERNESS * min(ratio, _WIDEST)] for _, ratio in cuts], np.float32)
    return np.hstack([parts, slenderness]).astype(np.float32)


def _windows(pixels: int, parts: int) -> npt.NDArray[np.float32]:
    """How much each pixel counts for each part: fully in its middle, fading out towards its neighbours' middles."""
    middles = (np.arange(parts) + 0.5) * pixels / parts
    away = np.abs(np.arange(pixels)[None, :] + 0.5 - middles[:, None]) * parts / pixels
    return np.clip(1 - away, 0, None).astype(np.float32)
