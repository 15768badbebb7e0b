from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.human_name import NameOrder, NameParts, split_name

ORDERS: tuple[NameOrder, ...] = ("family-first", "given-first", "auto")
WORDS = st.from_regex(r"[A-Z][a-z]{4,9}", fullmatch=True).filter(
    lambda word: word.lower() not in {"junior", "senior", "della", "dello", "degli", "professor", "reverend", "santa"}
)


def parts(name: str, order: NameOrder = "auto") -> tuple[str | None, str | None, str | None, str | None]:
    split = split_name(name, order=order)
    return split.family, split.given, split.middle, split.suffix


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Harmon, Lucy M", ("Harmon", "Lucy", "M", None)),
        ("Harmon, Lucy M.", ("Harmon", "Lucy", "M", None)),
        ("Harmon,Lucy", ("Harmon", "Lucy", None, None)),
        ("Harmon , Lucy", ("Harmon", "Lucy", None, None)),
        ("Harmon， Lucy", ("Harmon", "Lucy", None, None)),
        ("HARMON, LUCY MAE", ("HARMON", "LUCY", "MAE", None)),
        ("Harmon, Lucy,", ("Harmon", "Lucy", None, None)),
        ("Harmon, Lucy, M", ("Harmon", "Lucy", "M", None)),
        ("O'Malley, Christy P", ("O'Malley", "Christy", "P", None)),
        ("De la Cruz, Maria", ("De la Cruz", "Maria", None, None)),
        ("Berg, Jan van den", ("van den Berg", "Jan", None, None)),
        ("Holloway- Riley, Julie", ("Holloway-Riley", "Julie", None, None)),
        ("Miller Jr, William K", ("Miller", "William", "K", "Jr")),
        ("Miller Jr., William", ("Miller", "William", None, "Jr")),
        ("Miller, Jr., William", ("Miller", "William", None, "Jr")),
        ("Miller, William, Sr", ("Miller", "William", None, "Sr")),
        ("Miller, William K III", ("Miller", "William", "K", "III")),
        ("MILLER JR, WILLIAM K", ("MILLER", "WILLIAM", "K", "Jr")),
        ("Miller V, William", ("Miller", "William", None, "V")),
    ],
)
def test_a_comma_ends_the_family_name_in_every_order(
    name: str, expected: tuple[str | None, ...], order: NameOrder
) -> None:
    assert parts(name, order) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Lucy Harmon", ("Harmon", "Lucy", None, None)),
        ("Lucy M. Harmon III", ("Harmon", "Lucy", "M", "III")),
        ("Lucy M.Harmon", ("Harmon", "Lucy", "M", None)),
        ("J. R. Harmon", ("Harmon", "J", "R", None)),
        ("Julie J. Holloway-Riley", ("Holloway-Riley", "Julie", "J", None)),
        ("Maria de la Cruz", ("de la Cruz", "Maria", None, None)),
        ("Jan van den Berg", ("van den Berg", "Jan", None, None)),
        ("Anna Sophie von Arnim", ("von Arnim", "Anna", "Sophie", None)),
        ("Ali bin Hassan", ("bin Hassan", "Ali", None, None)),
        ("Adele St. James", ("St. James", "Adele", None, None)),
        ("Al Harmon", ("Harmon", "Al", None, None)),
        ("Kim Le", ("Le", "Kim", None, None)),
        ("William Miller, Jr", ("Miller", "William", None, "Jr")),
        ("William Miller V", ("Miller", "William", None, "V")),
        ("William Miller Junior", ("Miller", "William", None, "Jr")),
        ("Thi Anh Vi", ("Vi", "Thi", "Anh", None)),
        ("Lucy HARMON", ("HARMON", "Lucy", None, None)),
        ("LUCY HARMON", ("HARMON", "LUCY", None, None)),
    ],
)
def test_without_a_comma_the_given_name_comes_first(name: str, expected: tuple[str | None, ...]) -> None:
    assert parts(name, "given-first") == expected
    assert parts(name, "auto") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Harmon Lucy M", ("Harmon", "Lucy", "M", None)),
        ("Harmon Jr Lucy", ("Harmon", "Lucy", None, "Jr")),
        ("De la Cruz Maria", ("De la Cruz", "Maria", None, None)),
        ("Le Kim", ("Le", "Kim", None, None)),
    ],
)
def test_a_layout_may_print_the_family_name_first_without_a_comma(name: str, expected: tuple[str | None, ...]) -> None:
    assert parts(name, "family-first") == expected


@pytest.mark.parametrize("name", ["HARMON Lucy Mae", "McHARMON Lucy Mae", "DE LA HARMON Lucy Mae"])
def test_capitals_alone_mark_a_family_name_that_leads(name: str) -> None:
    split = split_name(name, order="auto")
    assert (split.given, split.middle) == ("Lucy", "Mae")
    assert split.family == name.removesuffix(" Lucy Mae")


def test_initials_in_capitals_are_no_family_name() -> None:
    assert parts("JD Harmon") == ("Harmon", "JD", None, None)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Dr. Lucy Harmon, PhD", "Dr PhD"),
        ("Harmon, Dr. Lucy", "Dr"),
        ("Mrs Lucy Harmon", "Mrs"),
        ("Lucy Harmon, MD", "MD"),
        ("Lucy Harmon M.D.", "MD"),
        ("Harmon, Lucy, Mr.", "Mr"),
    ],
)
def test_titles_and_credentials_are_no_names(name: str, title: str) -> None:
    assert split_name(name, order="auto") == NameParts(family="Harmon", given="Lucy", title=title)


@pytest.mark.parametrize(
    ("name", "family", "given"),
    [("Rahman, Md", "Rahman", "Md"), ("RAHMAN, MD", "RAHMAN", "MD"), ("Do, Anh", "Do", "Anh"), ("Ma, Li", "Ma", "Li")],
)
def test_a_name_that_looks_like_a_credential_stays_a_name(name: str, family: str, given: str) -> None:
    assert parts(name) == (family, given, None, None)


@pytest.mark.parametrize(
    ("name", "given", "middle"),
    [("Harmon, V", "V", None), ("Harmon, Lucy V", "Lucy", "V"), ("Harmon, J.R.", "J.R.", None)],
)
def test_an_initial_that_looks_like_a_suffix_stays_an_initial(name: str, given: str, middle: str | None) -> None:
    assert parts(name) == ("Harmon", given, middle, None)


def test_a_suffix_alone_after_the_comma_leaves_no_given_name() -> None:
    assert parts("Harmon, Jr") == ("Harmon", None, None, "Jr")


@pytest.mark.parametrize("suffix", ["Jr", "JR", "jr.", "Jr."])
def test_a_suffix_is_told_in_one_spelling(suffix: str) -> None:
    assert split_name(f"Harmon {suffix}, Lucy", order="auto").suffix == "Jr"


def test_swapped_columns_are_not_swapped_back() -> None:
    assert parts("Yolanda, Ramirez C") == ("Yolanda", "Ramirez", "C", None)


@pytest.mark.parametrize("name", ['Harmon, William "Bill" K', "Harmon, William (Bill) K", "Harmon, William K (Bill)"])
def test_a_called_name_in_brackets_or_quotes_is_left_out(name: str) -> None:
    assert parts(name) == ("Harmon", "William", "K", None)


@pytest.mark.parametrize("name", ["Harmon", "Harmon,", "Dr. Harmon", "Harmon, -", "(Harmon)"])
def test_a_single_word_is_a_family_name(name: str) -> None:
    split = split_name(name, order="auto")
    assert (split.family, split.given, split.middle) == ("Harmon", None, None)


def test_a_name_that_begins_with_a_comma_has_no_family_name() -> None:
    assert parts(", Lucy M") == (None, "Lucy", "M", None)


@pytest.mark.parametrize("name", ["", "  ", ",", "--", "***", "( )"])
def test_nothing_readable_gives_no_parts(name: str) -> None:
    assert split_name(name, order="auto") == NameParts()


@given(st.text(max_size=40), st.sampled_from(ORDERS))
def test_no_text_makes_it_fail_and_no_part_is_blank(name: str, order: NameOrder) -> None:
    split = split_name(name, order=order)
    for part in (split.family, split.given, split.middle, split.suffix, split.title):
        assert part is None or part.strip()


@given(WORDS, WORDS, st.one_of(st.none(), WORDS), st.sampled_from([None, "Jr", "Sr", "II", "III"]))
def test_both_usual_ways_to_print_a_name_give_the_same_parts(
    family: str, first: str, middle: str | None, suffix: str | None
) -> None:
    expected = NameParts(family=family, given=first, middle=middle, suffix=suffix)
    inner = " ".join(part for part in (first, middle) if part)
    ending = f" {suffix}" if suffix else ""
    assert split_name(f"{family}{ending}, {inner}", order="auto") == expected
    assert split_name(f"{inner} {family}{ending}", order="auto") == expected


@pytest.mark.parametrize(
    ("name", "order", "expected", "cut_off"),
    [
        ("Gonzalez-Ramirez, Mar…", "family-first", ("Gonzalez-Ramirez", "Mar", None, None), ("given",)),
        ("Gonzalez-Ramirez, Mar...", "auto", ("Gonzalez-Ramirez", "Mar", None, None), ("given",)),
        ("Gonzalez-Ramirez, Maria El ...", "auto", ("Gonzalez-Ramirez", "Maria", "El", None), ("middle",)),
        ("Gonzalez-Ram…", "family-first", ("Gonzalez-Ram", None, None, None), ("family",)),
        ("Gonzalez-Ram…, Maria", "family-first", ("Gonzalez-Ram", "Maria", None, None), ("family",)),
        ("Gonzalez-Ram…, Mar…", "family-first", ("Gonzalez-Ram", "Mar", None, None), ("family", "given")),
        ("Gonzalez Mar…", "family-first", ("Gonzalez", "Mar", None, None), ("given",)),
        ("Maria Gonz…", "given-first", ("Gonz", "Maria", None, None), ("family",)),
        ("Chris…", "given-first", (None, "Chris", None, None), ("given",)),
        ("Gonzalez, …", "family-first", ("Gonzalez", None, None, None), ("given",)),
    ],
)
def test_an_ellipsis_says_which_part_of_a_name_is_cut_off(
    name: str, order: NameOrder, expected: tuple[str | None, ...], cut_off: tuple[str, ...]
) -> None:
    assert parts(name, order) == expected
    assert split_name(name, order=order).cut_off == cut_off


@pytest.mark.parametrize(
    "name", ["Harmon, Lucy M.", "Harmon, J. R.", "Harmon Jr., Lucy", "Harmon, Lucy", "… Harmon, Lucy"]
)
def test_a_name_that_ends_in_no_ellipsis_is_whole(name: str) -> None:
    assert split_name(name, order="auto").cut_off == ()


def test_any_number_of_ellipses_is_one() -> None:
    assert split_name("Harmon, Luc" + " …..." * 3000, order="auto").given == "Luc"


def test_capitals_and_a_particle_are_family_and_given_name() -> None:
    parts = split_name("GARCIA y", order="auto")
    assert (parts.family, parts.given) == ("GARCIA", "y")
