"""What of a page's drawing may mark an answer, whichever library reads it."""

from __future__ import annotations

# A circle or an ellipse is drawn as four curves.
RING_CURVES = 4
# Marks are about as large as a character: 3 to 40 points. Smaller ones are dots of a dotted line, larger ones frames.
_SMALLEST = 3.0
_LARGEST = 40.0
# Grey of 0.8 and lighter is a shaded background.
_LIGHT = 0.8


def is_mark_sized(width: float, height: float) -> bool:
    """Whether a shape of this size, in points, may mark an answer."""
    return max(width, height) >= _SMALLEST and width <= _LARGEST and height <= _LARGEST and min(width, height) > 1


def is_light(color: object) -> bool:
    """Whether a fill is white or nearly so.

    Args:
        color: Parts from 0 to 1: one of grey, three of red, green and blue, four of ink; None for black.
    """
    parts = color if isinstance(color, list | tuple) else [color]
    values = [float(part) for part in parts if isinstance(part, int | float)]
    if not values:
        return False
    return max(values) <= 1 - _LIGHT if len(values) == 4 else min(values) >= _LIGHT
