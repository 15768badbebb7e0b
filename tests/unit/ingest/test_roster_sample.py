"""A list's headers with a few cells, and how a person's choice of columns goes with the settings file."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ingest.roster_columns import FIELDS
from ingest.roster_layouts import check, read_as
from ingest.roster_sample import sample, sample_of
from ingest.settings import Settings, SiteSettings
from records.errors import RosterError
from review.list_columns import DATE_FORMATS, FIELD_WORDS, ColumnChoice, ListColumns, named_headers, problems
from store.roster_layouts import NOTHING_CHOSEN, ListLayout

ODD = "Kd.-Id,Person A,Person B,Tag\nP1,Avery,Ana,1984-06-30\nP2,Brandt,Bo,1990-01-02\n"


def looked(text: str, chosen: ListLayout = NOTHING_CHOSEN, **settings: object) -> ListColumns:
    return sample(text.encode(), SiteSettings.model_validate({"id": "LMH"} | settings), chosen)


def fields(columns: ListColumns) -> dict[str, tuple[str, ...]]:
    return {one.header: one.fields for one in columns.columns}


def test_every_field_and_date_format_that_can_be_chosen_is_one_that_is_read() -> None:
    assert set(FIELD_WORDS) == set(FIELDS)
    for form in DATE_FORMATS:
        check(ListLayout(columns={"family": "X"}, date_format=form))


def test_headers_come_with_their_first_cells_and_what_they_are_taken_as() -> None:
    text = 'Patients of today\n\npatient_id,Last name,First name,X\n="001",Avery,Ana,\n002,Brandt,Ana,\n'
    found = looked(text)
    assert [(one.header, one.examples) for one in found.columns] == [
        ("patient_id", ("001", "002")),
        ("Last name", ("Avery", "Brandt")),
        ("First name", ("Ana",)),
        ("X", ()),
    ]
    assert list(fields(found).values()) == [("patient_id",), ("family",), ("given",), ()]


def test_headers_that_nobody_knows_are_the_line_with_the_most_cells() -> None:
    found = looked(f"printed by a program\n{ODD}")
    assert list(fields(found)) == ["Kd.-Id", "Person A", "Person B", "Tag"]
    assert not any(fields(found).values())


def test_a_header_that_can_be_two_things_shows_both_columns_as_their_words_say() -> None:
    found = looked("id,Surname,Family name,Given\nP1,A,B,C\n")
    assert fields(found)["Surname"] == fields(found)["Family name"] == ("family",)


@pytest.mark.parametrize(
    "line", ["P1,Avery,Ana,1984-06-30", "P1,Avery,Ana,6/30/84", "D20000,Avery,Ana", "Avery,Ana,BH-40771,x"]
)
def test_a_file_without_headers_is_shown_to_nobody_since_its_first_line_is_a_patient(line: str) -> None:
    with pytest.raises(RosterError) as refused:
        looked(f"{line}\n{line}\n")
    assert "Avery" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b'a,"b\n'])
def test_what_is_no_list_says_so(content: bytes) -> None:
    with pytest.raises(RosterError):
        sample(content, SiteSettings(id="LMH"), NOTHING_CHOSEN)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "cp1252"])
def test_of_a_long_list_only_the_beginning_is_read(encoding: str) -> None:
    text = ODD + "".join(f"P{n},Ávila,Ana,1984-06-30\n" for n in range(20_000))
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    found = sample(mark + text.encode(encoding), SiteSettings(id="LMH"), NOTHING_CHOSEN)
    assert found.columns[1].examples == ("Avery", "Brandt", "Ávila")


def test_columns_without_a_header_of_their_own_cannot_be_named() -> None:
    found = looked("id,Last,First,,Note,note\nP1,A,B,c,d,e\n")
    assert [one.is_nameable for one in found.columns] == [True, True, True, False, False, False]


def test_very_many_columns_are_not_all_shown() -> None:
    header = ",".join(f"c{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(130))
    found = looked(f"{header}\n{header}\n")
    assert (len(found.columns), found.left_out) == (120, 10)


def test_a_choice_names_headers_and_says_of_the_other_fields_that_no_column_is_theirs() -> None:
    found = looked(ODD)
    choice = ColumnChoice(fields={0: "patient_id mrn", 1: "family", 2: "given", 3: ""}, date_format="")
    assert problems(found, choice) == []
    headers = named_headers(found, choice)
    assert {name: header for name, header in headers.items() if header} == {
        "patient_id": "Kd.-Id", "mrn": "Kd.-Id", "family": "Person A", "given": "Person B",
    }  # fmt: skip
    assert headers.keys() == set(FIELDS)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({1: "family", 2: "given"}, "No column is the portal id."),
        ({0: "patient_id", 1: "family"}, "No columns are family name and given name, and none is the whole name."),
        ({0: "patient_id", 1: "name", 2: "name"}, "“Whole name” is chosen twice."),
        ({0: "patient_id", 1: "name", 2: "nonsense"}, "One of the fields is none that there is."),
        ({0: "patient_id", 1: "name", 7: "sex"}, "A column is named that cannot be chosen."),
    ],
)
def test_a_choice_that_cannot_be_right_says_why(chosen: Mapping[int, str], said: str) -> None:
    assert problems(looked(ODD), ColumnChoice(fields=chosen, date_format="")) == [said]


def test_what_the_settings_file_says_is_shown_as_such_and_cannot_be_chosen_otherwise() -> None:
    set_there: dict[str, object] = {
        "roster_columns": {"family": "Person A", "sex": ""},
        "roster_date_format": "%Y-%m-%d",
    }
    found = looked(ODD, ListLayout(columns={"given": "Person A", "mrn": "Tag"}, date_format="%d/%m/%Y"), **set_there)
    assert [(one.fields, one.is_fixed) for one in found.columns] == [
        ((), False), (("family",), True), ((), False), (("mrn",), False),
    ]  # fmt: skip
    assert (found.date_format, found.is_date_fixed) == ("%Y-%m-%d", True)
    wrong = ColumnChoice(fields={0: "patient_id", 1: "given", 2: "sex"}, date_format="")
    assert problems(found, wrong) == ["“Sex” is set in scorebridge.toml.", "A column is named that cannot be chosen."]
    choice = ColumnChoice(fields={0: "patient_id", 2: "given"}, date_format="")
    assert problems(found, choice) == []
    assert named_headers(found, choice).keys() == set(FIELDS) - {"family", "sex"}
    assert named_headers(found, choice)["given"] == "Person B"


def test_the_settings_file_wins_field_by_field_over_what_was_chosen() -> None:
    site = SiteSettings(id="LMH", roster_columns={"mrn": "acct NO.", "sex": ""})
    chosen = ListLayout(
        columns={"mrn": "Chart", "patient_id": "Acct No", "family": "A", "sex": "S", "given": ""},
        date_format="%d/%m/%Y",
    )
    read = read_as(site, chosen)
    assert read.roster_columns == {"mrn": "acct NO.", "sex": "", "family": "A", "given": ""}
    assert read.roster_date_format == "%d/%m/%Y"
    dated = read_as(SiteSettings(id="LMH", roster_date_format="%Y-%m-%d"), chosen)
    assert dated.roster_date_format == "%Y-%m-%d"


@pytest.mark.parametrize(
    "wrong", [ListLayout(columns={"nonsense": "X"}), ListLayout(columns={"family": "X"}, date_format="%H:%M")]
)
def test_a_choice_that_is_none_is_refused_before_anything_is_read(wrong: ListLayout) -> None:
    with pytest.raises(RosterError):
        check(wrong)


def test_a_site_whose_patients_come_from_no_file_has_no_columns(tmp_path: object) -> None:
    settings = Settings.model_validate(
        {"home": str(tmp_path), "site": [{"id": "LMH", "roster": f"{tmp_path}/none.csv"}]}
    )
    for site in ("LMH", "OTHER"):
        with pytest.raises(RosterError):
            sample_of(settings, site, None, NOTHING_CHOSEN)
