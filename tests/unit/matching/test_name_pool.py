from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from matching.name_pool import NamePool

NAMES = st.text(alphabet="abcdeéß ñ", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(st.lists(NAMES, unique=True, max_size=20), NAMES)
def test_every_name_one_slip_away_is_found(names: list[str], name: str) -> None:
    pool = NamePool(["", *names])
    found = pool.one_slip_away(name)
    letters = name.replace(" ", "")
    for other in names:
        theirs = other.replace(" ", "")
        if other != name and min(len(letters), len(theirs)) >= 3 and OSA.distance(letters, theirs) <= 1:
            assert other in found
    assert name not in found


@given(st.lists(NAMES, unique=True, max_size=20), NAMES)
def test_names_found_are_at_two_slips_at_most(names: list[str], name: str) -> None:
    for other in NamePool(["", *names]).one_slip_away(name):
        assert OSA.distance(name.replace(" ", ""), other.replace(" ", "")) <= 2


def test_a_name_keeps_its_id_when_others_are_added() -> None:
    pool = NamePool()
    riley = pool.add("riley")
    assert pool.one_slip_away("reily") == ["riley"]
    assert pool.add("reilly") != riley
    assert (pool.add("riley"), pool.find("riley"), pool.find("stone")) == (riley, riley, None)
    assert pool.one_slip_away("reily") == ["reilly", "riley"]


def test_a_copy_can_be_added_to_without_the_first_pool_noticing() -> None:
    pool = NamePool()
    pool.add("riley")
    other = pool.copy()
    other.add("stone")
    assert (pool.find("stone"), other.find("riley")) == (None, pool.find("riley"))


def test_spelling_sound_and_beginning_have_codes() -> None:
    pool = NamePool(["", "de la cruz", "delacruz", "smith", "smyth"])
    codes = pool.codes
    assert codes.whole[1] == codes.whole[2] != codes.whole[3]
    assert codes.sound[3] == codes.sound[4]
    assert codes.beginning[1] == codes.beginning[2]
    assert codes.several.tolist() == [False, True, False, False, False]
