"""What staff typed is taken from whatever CSV the portal exports, whole or not at all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ingest.typed_file import TypedFile, TypedFileError, TypedLayout, read_typed_file
from records.comparison import TypedEntry

TODAY = date(2026, 3, 16)
HEADER = "patient_id,instrument,date,total\n"
SECRET = "P-SECRET-7"


def read(
    tmp_path: Path,
    text: str,
    *,
    columns: dict[str, str] | None = None,
    date_format: str | None = None,
    instruments: dict[str, str] | None = None,
    patients: frozenset[str] = frozenset(),
) -> TypedFile:
    (tmp_path / "typed.csv").write_text(text, "utf-8")
    layout = TypedLayout(columns=columns or {}, date_format=date_format, instruments=instruments or {})
    return read_typed_file(tmp_path / "typed.csv", layout=layout, patients=patients, today=TODAY)


def refusal(tmp_path: Path, text: str, **more: object) -> str:
    with pytest.raises(TypedFileError) as refused:
        read(tmp_path, text, **more)  # type: ignore[arg-type]
    return str(refused.value)


def test_a_plain_file_is_read_with_its_lines(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER + "P1,PHQ-9,2026-03-02,14\nP2,GAD-7,2026-03-03,6\n")
    assert found.entries == (
        TypedEntry(patient_id="P1", instrument="phq-9", administered_on=date(2026, 3, 2), total=14, line=2),
        TypedEntry(patient_id="P2", instrument="gad-7", administered_on=date(2026, 3, 3), total=6, line=3),
    )


def test_headers_separators_titles_and_answers_are_understood(tmp_path: Path) -> None:
    text = (
        "Outcome export 16-Mar-2026\n\n"
        "Date completed;Questionnaire;Portal ID;Score;Q1;Q2;Q3;Q4;Q5;Q6;Q7;Entered by\n"
        '03/13/2026;"GAD-7";="0012";6,0;1;1;1;1;1;1;;ann\n'
    )
    (entry,) = read(tmp_path, text).entries
    assert entry.patient_id == "0012"
    assert (entry.administered_on, entry.total) == (date(2026, 3, 13), 6)
    assert entry.items == (1, 1, 1, 1, 1, 1, None)


def test_a_file_without_typed_answers_has_none(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, "patient_id,instrument,date,total,item-1,item-2\nP1,PHQ-9,2026-03-02,14,,\n").entries
    assert entry.items is None


def test_a_person_says_what_the_header_does_not(tmp_path: Path) -> None:
    text = "Kennung,Bogen,Am,Punkte\nP1,Stimmung,02.03.2026,14\nP1,Schlaf,02.03.2026,9\n"
    found = read(
        tmp_path,
        text,
        columns={"patient": "Kennung", "instrument": "Bogen", "date": "Am", "total": "Punkte"},
        date_format="%d.%m.%Y",
        instruments={"Stimmung": "phq-9", "Schlaf": ""},
    )
    assert [entry.instrument for entry in found.entries] == ["phq-9"]
    assert found.left_out == 1


def test_every_fault_is_told_with_its_line_and_nothing_of_what_it_holds(tmp_path: Path) -> None:
    lines = [
        f"{SECRET},PHQ-9,2026-03-02,14",
        f"{SECRET},PHQ-9,2026-13-02,14",
        f"{SECRET},PHQ-9,2026-04-02,14",
        f"{SECRET},PHQ-9,2026-03-02,fourteen",
        ",PHQ-9,2026-03-02,14",
        f"{SECRET},MoodSECRET,2026-03-02,14",
        f"{SECRET},PHQ-9,2026-03-02,14,SECRET",
        f"{SECRET},PHQ-9,,",
    ]
    told = refusal(tmp_path, HEADER + "\n".join(lines) + "\n")
    for number in (3, 4, 5, 6, 7, 8, 9):
        assert f"line {number}: " in told
    assert "line 2:" not in told
    assert told.count("line 9: ") == 2
    assert "SECRET" not in told


def test_a_slip_of_staff_is_no_fault_of_the_file(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, HEADER + "P1,PHQ-9,2026-03-02,41\n").entries
    assert entry.total == 41


def test_dates_that_could_be_read_either_way_are_asked_about(tmp_path: Path) -> None:
    text = HEADER + "P1,PHQ-9,03/02/2026,14\n"
    assert "--date-format" in refusal(tmp_path, text)
    assert read(tmp_path, text, date_format="%m/%d/%Y").entries[0].administered_on == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patient_id,instrument,date\nP1,PHQ-9,2026-03-02\n", "lacks columns: total"),
        ("patient_id,instrument,date,score,total\nP1,PHQ-9,2026-03-02,1,2\n", "two ways"),
        ("P-SECRET,PHQ-9,2026-03-02,14\n", "lacks columns"),
        (HEADER, "no values"),
        ("", "empty"),
        (HEADER + "P1,PHQ-9,2026-03-02,14\nP2,PHQ", "ends in the middle"),
        (HEADER + "P1,PHQ-9,2026-03-02,\n", "line 2: the total is blank"),
        ("patient_id,instrument,date,total,q1,q2,q3\nP1,PHQ-2,2026-03-02,4,2,2,1\n", "beyond the 2 questions"),
    ],
)
def test_a_crooked_file_is_refused_whole(tmp_path: Path, text: str, said: str) -> None:
    told = refusal(tmp_path, text)
    assert said in told
    assert "SECRET" not in told


def test_record_numbers_in_place_of_the_portals_ids_are_refused(tmp_path: Path) -> None:
    text = HEADER + "M-1,PHQ-9,2026-03-02,14\nM-2,PHQ-9,2026-03-02,9\nP1,PHQ-9,2026-03-02,9\n"
    assert "not on the roster" in refusal(tmp_path, text, patients=frozenset({"P1", "P2"}))
    assert read(tmp_path, text, patients=frozenset({"P1", "M-1"})).unknown_patients == 1


def test_a_result_word_stands_for_an_instrument_without_a_total(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, HEADER + "P1,C-SSRS,2026-03-02,moderate risk\n").entries
    assert (entry.total, entry.result) == (None, "moderate risk")
