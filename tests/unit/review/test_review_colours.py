"""Words on the pages can be read by people who see little (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re

import pytest

from review.rendering import static_file

TOKENS = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", static_file("app.css").decode()))


def _luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(TOKENS[one]), _luminance(TOKENS[other])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("words", "ground"),
    [
        ("ink", "paper"), ("ink", "ground"), ("ink", "print"), ("ink", "chosen"), ("muted", "paper"),
        ("muted", "ground"), ("muted", "print"), ("brand", "paper"), ("brand", "ground"), ("brand", "chosen"),
        ("on-top", "top"), ("on-top", "brand"), ("on-top", "bad"), ("ok", "paper"), ("ok", "ok-ground"),
        ("ok", "chosen"), ("warn", "warn-ground"), ("warn", "paper"), ("warn", "chosen"), ("bad", "bad-ground"),
        ("bad", "paper"), ("bad", "chosen"),
    ],
)  # fmt: skip
def test_words_stand_out_from_their_ground(words: str, ground: str) -> None:
    assert _contrast(words, ground) >= 4.5


@pytest.mark.parametrize("line", ["control", "outline", "brand"])
def test_borders_that_carry_meaning_stand_out(line: str) -> None:
    assert _contrast(line, "paper") >= 3
