"""Layouts that no template knew yet: the draft of their first day reads both days, as far as it is known to."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from fixtures.drill.comparison import DAYS, compared, drafted, layouts_in
from parsers.drafting.draft import Draft

_DRILL = Path(__file__).parents[2] / "fixtures" / "drill"
_LAYOUTS = {layout.name: layout for layout in layouts_in(_DRILL)}
_EXPECTED = json.loads((_DRILL / "expected.json").read_text("utf-8"))
# The tests of one layout share its draft, so they run in one process.
_EACH = [pytest.param(name, marks=pytest.mark.xdist_group(f"drill-{name}")) for name in _LAYOUTS]


@cache
def _draft(name: str) -> Draft:
    return drafted(_LAYOUTS[name])


@cache
def _read(name: str) -> dict[str, tuple[Counter[str], list[str]]]:
    layout = _LAYOUTS[name]
    template = _draft(name).template
    return {day: compared(layout, day, template) for day in DAYS}


@pytest.mark.parametrize("name", _EACH)
def test_a_draft_reads_nothing_wrongly_and_loses_nothing(name: str) -> None:
    faults = {
        (day, column): why
        for day, (counts, why) in _read(name).items()
        for column in ("wrong", "lost", "extra")
        if counts[column]
    }
    assert faults == {}


@pytest.mark.parametrize("name", _EACH)
def test_a_draft_confirms_as_many_records_as_before(name: str) -> None:
    read = _read(name)
    confirmed = {day: counts["confirmed"] for day, (counts, _) in read.items()}
    fewer = {day: read[day][1] for day in DAYS if confirmed[day] < _EXPECTED[name][day]["confirmed"]}
    assert fewer == {}


@pytest.mark.parametrize("name", _EACH)
def test_a_draft_leaves_no_file_to_a_person_that_it_read_before(name: str) -> None:
    held = {day: counts["file_held"] for day, (counts, _) in _read(name).items()}
    more = {day: why for day, (_, why) in _read(name).items() if held[day] > _EXPECTED[name][day]["file_held"]}
    assert more == {}


@pytest.mark.parametrize("name", _EACH)
def test_a_draft_holds_no_name_and_no_number_of_a_person_of_its_sample(name: str) -> None:
    text = _draft(name).text.casefold()
    people = _LAYOUTS[name].truth["day1"]["records"]
    # Whole words: a short surname may stand inside a word of a heading.
    words = set(re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text))
    told = {part for each in people for part in (each["family"], each["given"], each["mrn"]) if part}
    assert {part for part in told if len(part) > 3 and part.casefold() in words} == set()


def test_every_layout_has_its_expectation() -> None:
    assert sorted(_EXPECTED) == sorted(_LAYOUTS)
