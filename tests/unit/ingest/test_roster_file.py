"""Rosters as clinics export them: any headers, dates, separators, status words; and what is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.roster_columns import RosterLayout, fold, understand
from ingest.roster_dates import DateOrder, UnreadableRosterDateError, date_reader, is_date_format, order_of
from ingest.roster_file import RosterFile, read_roster
from records.errors import RosterError
from records.patient import RosterPatient

MARCH = datetime(2026, 3, 2, 12, 0, tzinfo=UTC).timestamp()
Read = Callable[..., RosterFile]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def go(text: str, *, encoding: str = "utf-8", **layout: object) -> RosterFile:
        path = tmp_path / "roster.csv"
        path.write_bytes(text.encode(encoding))
        os.utime(path, (MARCH, MARCH))
        return read_roster(path, site="WCP", layout=RosterLayout(**layout))  # type: ignore[arg-type]

    return go


def one(file: RosterFile) -> RosterPatient:
    [patient] = file.roster.patients
    return patient


# --- headers


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Portal ID,Last Name,First Name,DOB,MRN #,Sex", "P1,Núñez,Ana,1984-06-30,00123,F"),
        ("ID paciente;Apellidos;Nombre;Fecha de nacimiento;N.H.C.;Sexo", "P1;Núñez;Ana;30/06/1984;00123;F"),
        ("Id patient;Nom;Prénom;Date de naissance;N° dossier;Sexe", "P1;Núñez;Ana;30/06/1984;00123;F"),
        ("Patienten-ID;Name;Vorname;Geburtsdatum;Patientennummer;Geschlecht", "P1;Núñez;Ana;30.06.1984;00123;w"),
        ("Patient ID\tPatient Name\tPt DOB\tChart No.\tGender", "P1\tNúñez, Ana\t06/30/1984\t00123\tFemale"),
        ("patient id|full name (last, first)|born|chart|sex", "P1|Núñez, Ana|30-Jun-1984|00123|f"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_one_patient_is_the_same_whatever_the_headers_and_encoding(
    read: Read, header: str, row: str, encoding: str
) -> None:
    patient = one(read(f"{header}\n{row}\n", encoding=encoding))
    assert patient == RosterPatient(
        patient_id="P1", site="WCP", family="Núñez", given="Ana", birth_date=date(1984, 6, 30), mrn="00123", sex="F"
    )


def test_two_headers_for_one_field_are_an_error_that_names_both(read: Read) -> None:
    with pytest.raises(RosterError, match=r"“Home phone” \(column 4\) or “Mobile” \(column 5\)") as refused:
        read("patient_id,last_name,first_name,Home phone,Mobile\nP1,A,B,1,2\n")
    assert 'phone = "Home phone"' in refused.value.next_step


def test_what_the_settings_say_of_a_column_wins_over_its_words(read: Read) -> None:
    text = "patient_id,last_name,first_name,Home phone,Mobile,MRN,Old MRN no\nP1,A,B,1,2,7,8\n"
    patient = one(read(text, columns={"phone": "mobile", "mrn": "Old MRN no"}))
    assert (patient.phone, patient.mrn) == ("2", "8")


def test_a_field_set_to_nothing_is_not_taken_from_the_file(read: Read) -> None:
    file = read("patient_id,last_name,first_name,Home phone,Mobile\nP1,A,B,1,2\n", columns={"phone": ""})
    assert (one(file).phone, file.ignored) == (None, ("Home phone", "Mobile"))


def test_a_set_header_that_is_not_there_is_an_error(read: Read) -> None:
    with pytest.raises(RosterError, match="no column “Pat no”"):
        read("patient_id,last_name,first_name\nP1,A,B\n", columns={"mrn": "Pat no"})


def test_one_column_may_be_two_fields_if_the_settings_say_so(read: Read) -> None:
    patient = one(read("MRN,last_name,first_name\n007,A,B\n", columns={"patient_id": "MRN", "mrn": "MRN"}))
    assert (patient.patient_id, patient.mrn) == ("007", "007")


def test_missing_fields_are_named_and_fields_inside_the_name_are_not(read: Read) -> None:
    missing = read('patient_id,name\nP1,"Avery, Ana M, Jr"\n').missing
    assert {"mrn", "birth_date", "sex", "active"} <= set(missing)
    assert not {"middle", "suffix"} & set(missing)


def test_a_file_without_a_header_repeats_none_of_its_first_patient(read: Read) -> None:
    with pytest.raises(RosterError) as refused:
        read("P1,Brandtner,Celia,1961-04-19\nP2,Avery,Ana,1970-01-02\n")
    assert "Brandtner" not in f"{refused.value!r} {refused.value}"


@pytest.mark.parametrize("header", ["Legal ID", "Member ID", "Insurance ID", "Person No"])
def test_an_id_of_something_else_is_not_the_portals(read: Read, header: str) -> None:
    with pytest.raises(RosterError, match="lacks columns: patient_id"):
        read(f"{header},last_name,first_name\nP1,A,B\n")


def test_a_title_above_the_header_is_passed_over(read: Read) -> None:
    text = "Patient list\nPrinted 03/02/2026\n\npatient_id,last_name,first_name\nP1,A,B\n"
    assert one(read(text)).patient_id == "P1"


@given(st.lists(st.text(max_size=20), max_size=12))
def test_no_header_makes_the_program_fall_over(header: list[str]) -> None:
    try:
        columns = understand(header, RosterLayout())
    except RosterError:
        return
    assert set(columns.places.values()) <= set(range(len(header)))
    assert all(fold(columns.headers[name]) for name in columns.places)


# --- names


def test_one_column_of_names_is_taken_apart(read: Read) -> None:
    patient = one(read('patient_id,name\nP1,"de la Cruz, Ana María M., Jr"\n'))
    assert (patient.family, patient.given, patient.middle, patient.suffix) == ("de la Cruz", "Ana", "María M", "Jr")


def test_names_without_a_comma_are_read_as_the_settings_or_the_header_say(read: Read) -> None:
    assert one(read("patient_id,name\nP1,Ana Avery\n")).family == "Avery"
    assert one(read("patient_id,name\nP1,Avery Ana\n", name_order="family-first")).family == "Avery"
    assert one(read("patient_id,Last First\nP1,Avery Ana\n")).family == "Avery"


def test_two_spanish_surnames_make_the_family_name(read: Read) -> None:
    patient = one(read("patient_id,primer apellido,segundo apellido,nombre\nP1,García,Luna,Ana\n"))
    assert (patient.family, patient.given) == ("García Luna", "Ana")


def test_several_former_names_stay_separated_by_semicolons(read: Read) -> None:
    assert one(read("patient_id,last_name,first_name,maiden name\nP1,A,B,Moss; Reed\n")).former_family == "Moss; Reed"


# --- dates

BIRTHS = "patient_id,last_name,first_name,dob\n"


def test_one_day_above_twelve_decides_the_whole_column(read: Read) -> None:
    births = [p.birth_date for p in read(BIRTHS + "P1,A,B,04/03/1980\nP2,C,D,25/03/1980\n").roster.patients]
    assert births == [date(1980, 3, 4), date(1980, 3, 25)]
    births = [p.birth_date for p in read(BIRTHS + "P1,A,B,04/03/1980\nP2,C,D,03/25/1980\n").roster.patients]
    assert births == [date(1980, 4, 3), date(1980, 3, 25)]


def test_a_column_that_cannot_tell_is_refused_and_asks_for_the_format(read: Read) -> None:
    with pytest.raises(RosterError, match="cannot be told") as refused:
        read(BIRTHS + "P1,A,B,04/03/1980\n")
    assert "roster_date_format" in refused.value.next_step
    assert one(read(BIRTHS + "P1,A,B,04/03/1980\n", date_format="%d/%m/%Y")).birth_date == date(1980, 3, 4)


def test_dates_that_read_the_same_either_way_need_no_format(read: Read) -> None:
    assert one(read(BIRTHS + "P1,A,B,03/03/1980\n")).birth_date == date(1980, 3, 3)


def test_the_other_date_column_tells_how_this_system_writes_dates(read: Read) -> None:
    text = "patient_id,last_name,first_name,dob,last visit\nP1,A,B,04/03/1980,31/01/2026\n"
    patient = one(read(text))
    assert (patient.birth_date, patient.last_visit) == (date(1980, 3, 4), date(2026, 1, 31))


def test_visits_that_cannot_be_told_are_left_out_with_a_word(read: Read) -> None:
    file = read("patient_id,last_name,first_name,dob,last visit\nP1,A,B,1980-03-04,04/01/2026\n")
    assert (one(file).last_visit, "not used" in " ".join(file.warnings)) == (None, True)


def test_a_column_with_both_orders_is_refused(read: Read) -> None:
    with pytest.raises(RosterError, match="1 of its dates have the day first and 1 the month"):
        read(BIRTHS + "P1,A,B,25/03/1980\nP2,C,D,03/25/1980\n")


@given(st.dates(min_value=date(1917, 1, 1), max_value=date(2026, 3, 1)), st.sampled_from(["/", "-", "."]))
def test_a_date_reads_back_in_the_order_its_column_has(day: date, sign: str) -> None:
    for order, form in ((DateOrder.DAY_FIRST, "%d{0}%m{0}%Y"), (DateOrder.MONTH_FIRST, "%m{0}%d{0}%Y")):
        read_cell = date_reader(order=order, stated=None, today=date(2026, 3, 2))
        text = day.strftime(form.format(sign))
        assert read_cell(text) == read_cell(f"{text} 00:00:00") == day
        assert order_of([text]) in (order, None)


@pytest.mark.parametrize("text", ["31.02.1980", "1980-13-01", "03/04/2030", "yesterday", "04/03/20"])
def test_what_is_no_possible_birth_date_is_none(text: str) -> None:
    with pytest.raises(UnreadableRosterDateError):
        date_reader(order=DateOrder.DAY_FIRST, stated=None, today=date(2026, 3, 2))(text)


def test_a_year_of_two_digits_is_taken_only_where_one_person_fits(read: Read) -> None:
    births = [p.birth_date for p in read(BIRTHS + "".join(f"P{n},A,B{n},25/03/{y}\n" for n, y in enumerate(
        [61, 30, 99, 10, *range(40, 80)]
    ))).roster.patients]  # fmt: skip
    assert births[:4] == [date(1961, 3, 25), date(1930, 3, 25), date(1999, 3, 25), date(2010, 3, 25)]


def test_a_stated_format_must_tell_a_whole_date() -> None:
    assert is_date_format("%d/%m/%Y")
    assert not any(map(is_date_format, ("%m/%Y", "dd/mm/yyyy", "%d/%d/%Y", "%")))


# --- status, sex


@pytest.mark.parametrize("word", ["Inactive", "MERGED", "deceased", "N", "0", "fallecido", "Décédée", "verstorben"])
def test_words_for_those_who_left_make_a_patient_inactive(read: Read, word: str) -> None:
    assert not one(read(f"patient_id,last_name,first_name,status\nP1,A,B,{word}\n")).active


@pytest.mark.parametrize("word", ["Active", "", "Y", "1", "aktiv"])
def test_words_for_todays_patients_keep_them_active(read: Read, word: str) -> None:
    assert one(read(f"patient_id,last_name,first_name,status\nP1,A,B,{word}\n")).active


def test_a_date_of_death_makes_inactive_and_a_no_does_not(read: Read) -> None:
    text = "patient_id,last_name,first_name,dob,date of death\nP1,A,B,1940-01-31,2025-12-24\nP2,C,D,1940-01-31,\n"
    assert [p.active for p in read(text).roster.patients] == [False, True]
    assert one(read("patient_id,last_name,first_name,deceased\nP1,A,B,No\n")).active


def test_a_status_column_of_unknown_words_is_refused_until_they_are_set(read: Read) -> None:
    text = "patient_id,last_name,first_name,status\nP1,A,B,Waitlist\nP2,C,D,Waitlist\n"
    with pytest.raises(RosterError, match="2 of 2 lines have a status") as refused:
        read(text)
    assert "Waitlist" not in str(refused.value)
    assert all(p.active for p in read(text, active_words=("waitlist",)).roster.patients)


def test_one_unknown_status_among_many_keeps_that_patient_with_a_person(read: Read) -> None:
    text = "patient_id,last_name,first_name,status\n" + "".join(f"P{n},A{n},B,active\n" for n in range(40))
    file = read(text + "P99,A,B,Hmm\n")
    assert [p.patient_id for p in file.roster.patients if not p.active] == ["P99"]
    assert any("line 42" in warning for warning in file.warnings)


def test_m_is_a_woman_where_h_is_a_man(read: Read) -> None:
    text = "id,apellidos,nombre,sexo\nP1,A,B,H\nP2,C,D,M\n"
    assert [p.sex for p in read(text).roster.patients] == ["M", "F"]
    assert [p.sex for p in read(text.replace(",H", ",F")).roster.patients] == ["F", "M"]
    assert [p.sex for p in read(text.replace(",H", ",M")).roster.patients] == [None, None]


# --- lines


def test_faults_are_named_by_line_and_never_by_value(read: Read) -> None:
    good = "".join(f"P{n},Avery,Ana{n},{n},1980-03-04\n" for n in range(100))
    bad = "P500,,Secret,500,1980-03-04\n,Secret,Ana,501,1980-03-04\nP502,Secret,Ana,5.02E+05,1980-03-04\n"
    file = read("patient_id,last_name,first_name,mrn,dob\n" + good + bad)
    told = " ".join(file.warnings)
    assert len(file.roster.patients) == 101
    for number in (102, 103, 104):
        assert f"line {number}" in told
    assert "Secret" not in told


def test_one_id_with_other_values_is_refused_with_both_lines(read: Read) -> None:
    with pytest.raises(RosterError, match="line 3: its patient id stands in line 2"):
        read("patient_id,last_name,first_name\nP1,Avery,Ana\nP1,Avery,Anna\n")


def test_the_same_line_twice_is_one_patient(read: Read) -> None:
    assert one(read("patient_id,last_name,first_name\nP1,Avery,Ana\nP1,Avery,Ana\n")).patient_id == "P1"


def test_a_line_with_more_cells_than_the_header_is_left_out(read: Read) -> None:
    rows = "".join(f"P{n},Avery,Ana{n},{n}\n" for n in range(40))
    file = read("patient_id,last_name,first_name,mrn\n" + rows + "P99,Avery,Jr,Ana,99\n")
    assert "P99" not in {p.patient_id for p in file.roster.patients}
    assert any("more cells" in warning for warning in file.warnings)


def test_a_file_that_ends_in_the_middle_of_a_line_is_refused(read: Read) -> None:
    with pytest.raises(RosterError, match="middle of a line"):
        read("patient_id,last_name,first_name,mrn\nP1,Avery,Ana,1\nP2,Ave")


def test_numbers_that_a_workbook_protects_keep_their_zeros(read: Read) -> None:
    assert one(read('patient_id,last_name,first_name,mrn\nP1,Avery,Ana,"=""00123"""\n')).mrn == "00123"


def test_two_active_patients_with_one_record_number_are_told(read: Read) -> None:
    file = read("patient_id,last_name,first_name,mrn,status\nP1,A,B,7,\nP2,C,D,7,\nP3,E,F,7,inactive\n")
    assert len(file.roster.patients) == 3
    assert file.warnings == ("line 3: another active patient, line 2, has the same record number",)


# --- merged records

MERGES = "patient_id,last_name,first_name,mrn,merged into\n"


def merged(file: RosterFile) -> dict[str, tuple[bool, str | None]]:
    return {p.patient_id: (p.active, p.merged_into) for p in file.roster.patients}


def test_a_merged_record_is_inactive_and_leads_to_the_one_that_replaced_it(read: Read) -> None:
    assert merged(read(MERGES + "P1,A,B,1,P2\nP2,A,B,2,\n")) == {"P1": (False, "P2"), "P2": (True, None)}


def test_a_survivor_may_be_named_by_its_record_number(read: Read) -> None:
    assert merged(read(MERGES + "P1,A,B,1,002\nP2,A,B,002,\n"))["P1"] == (False, "P2")


def test_a_chain_of_merges_leads_to_its_end_and_is_told(read: Read) -> None:
    file = read(MERGES + "P1,A,B,1,P2\nP2,A,B,2,P3\nP3,A,B,3,\n")
    assert merged(file) == {"P1": (False, "P3"), "P2": (False, "P3"), "P3": (True, None)}
    assert file.warnings == ("line 2: the record it was merged into was merged itself; it is led on to the last one",)


def test_merges_in_a_circle_lead_nowhere_and_are_told(read: Read) -> None:
    file = read(MERGES + "P1,A,B,1,P2\nP2,A,B,2,P1\nP3,A,B,3,P1\n")
    assert merged(file) == {"P1": (False, None), "P2": (False, None), "P3": (False, None)}
    assert file.warnings == ("lines 2, 3, 4: its merging goes in a circle; it leads nowhere",)


def test_a_survivor_who_is_not_listed_or_inactive_is_told(read: Read) -> None:
    file = read(
        "patient_id,last_name,first_name,status,merged into\nP1,A,B,,P9\nP2,A,B,,P3\nP3,A,B,deceased,\nP4,A,B,,P4\n"
    )
    assert [warning.partition(":")[0] for warning in file.warnings] == ["line 2", "line 3"]
    assert merged(file)["P1"] == (False, "P9")
    assert merged(file)["P4"] == (True, None)
