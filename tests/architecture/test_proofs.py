"""What is promised has a test: every trap of docs/traps.md, and every reason that keeps a record back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from records.finding import REASONS

TESTS = Path(__file__).parents[1]
TRAPS = TESTS.parent / "docs" / "traps.md"
ROW = re.compile(r"^\| (.+?) \| (.+?) \|", re.MULTILINE)
TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
HEADS = {"trap", "print"}


def traps() -> list[str]:
    """The first cells of the tables about traps, in their order."""
    told, _, _ = TRAPS.read_text("utf-8").partition("## The test of each trap")
    return [trap for trap, _ in ROW.findall(told) if trap not in HEADS]


def proofs() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each trap with the files and names of its tests."""
    _, _, tested = TRAPS.read_text("utf-8").partition("## The test of each trap")
    yield from ((trap, TEST.findall(tests)) for trap, tests in ROW.findall(tested) if trap not in HEADS)


def test_every_trap_names_its_tests() -> None:
    # A trap that stands in one of the two only is new, renamed, or told no longer.
    assert set(traps()) ^ {trap for trap, _ in proofs()} == set()
    assert len(traps()) == len(list(proofs()))
    assert [trap for trap, tests in proofs() if not tests] == []


def test_every_test_that_a_trap_names_is_there() -> None:
    named = {test for _, tests in proofs() for test in tests}
    assert {
        (file, name)
        for file, name in named
        if not re.search(rf"^def {name}\(", (TESTS / file).read_text("utf-8") if (TESTS / file).is_file() else "", re.M)
    } == set()


def test_every_reason_is_asked_for_by_a_test() -> None:
    written = "\n".join(path.read_text("utf-8") for path in TESTS.rglob("*.py") if path != Path(__file__))
    asked = {code: re.escape(code).replace(r"\{n\}", r"(\d|\{\w+\})") for code in REASONS}
    assert [code for code, pattern in asked.items() if not re.search(f'"{pattern}"', written)] == []


@pytest.mark.xdist_group("kept-together")
def test_several_workers_keep_the_tests_of_a_group_together(request: pytest.FixtureRequest) -> None:
    # pytest and pytest-xdist must agree on how a group is told: where they do not, every worker sets up everything.
    grouped = getattr(request.config.option, "loadgroup", False)
    assert not grouped or request.node.nodeid.endswith("@kept-together")
