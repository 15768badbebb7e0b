from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from matching.decision import decide
from matching.roster_index import RosterIndex
from records.patient import LinkPolicy, PatientIdentity, Roster, RosterPatient

NAMES = st.from_regex(r"[A-Z][a-z]{3,9}(?:[- ][A-Z][a-z]{3,7})?", fullmatch=True)
PATIENTS = st.builds(
    RosterPatient,
    patient_id=st.just("true"),
    site=st.just("WCP"),
    family=NAMES,
    given=NAMES,
    former_family=st.none() | NAMES,
    preferred=st.none() | NAMES,
    birth_date=st.dates(date(1920, 1, 1), date(2020, 12, 31)),
    mrn=st.from_regex(r"[A-Z]?[1-9]\d{4,6}", fullmatch=True),
)
OTHERS = st.lists(PATIENTS, max_size=8).map(
    lambda others: [replace(other, patient_id=f"other-{n}") for n, other in enumerate(others)]
)


def index_of(*patients: RosterPatient) -> RosterIndex:
    return RosterIndex.build(Roster(site="WCP", patients=patients, as_of=datetime(2026, 1, 5, tzinfo=UTC)))


def found(index: RosterIndex, identity: PatientIdentity) -> set[str]:
    return {index.patient_id(int(row)) for row in index.candidates(identity)}


def printed(patient: RosterPatient) -> PatientIdentity:
    return PatientIdentity(family=patient.family, given=patient.given, birth_date=patient.birth_date, mrn=patient.mrn)


@st.composite
def with_a_slip(draw: st.DrawFn, text: str) -> str:
    """The text with one letter changed, dropped, doubled or transposed."""
    at = draw(st.integers(0, len(text) - 2))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    return draw(
        st.sampled_from(
            [
                text[:at] + letter + text[at + 1 :],
                text[:at] + text[at + 1 :],
                text[:at] + text[at] + text[at:],
                text[:at] + text[at + 1] + text[at] + text[at + 2 :],
            ]
        )
    )


@given(PATIENTS, OTHERS, st.data())
def test_slips_in_both_names_still_find_the_patient(
    patient: RosterPatient, others: list[RosterPatient], data: st.DataObject
) -> None:
    identity = replace(
        printed(patient),
        family=data.draw(with_a_slip(patient.family)),
        given=data.draw(with_a_slip(patient.given)),
        mrn=None,
    )
    assert "true" in found(index_of(patient, *others), identity)


@given(PATIENTS, OTHERS, NAMES, st.dates(date(1920, 1, 1), date(2020, 12, 31)), st.sampled_from(range(4)))
def test_one_wrong_field_still_finds_the_patient(
    patient: RosterPatient, others: list[RosterPatient], name: str, day: date, field: int
) -> None:
    wrong = [{"family": name}, {"given": name}, {"birth_date": day}, {"mrn": "Z99999999"}][field]
    assert "true" in found(index_of(patient, *others), replace(printed(patient), **wrong))


@given(PATIENTS, OTHERS, st.sampled_from(["family", "given", "birth_date"]))
def test_two_identifiers_are_enough_to_find_the_patient(
    patient: RosterPatient, others: list[RosterPatient], missing: str
) -> None:
    identity = replace(printed(patient), **{missing: None})
    index = index_of(patient, *others)
    assert "true" in found(index, identity)
    if missing != "birth_date":
        assert "true" in found(index, replace(identity, mrn=None))


@given(PATIENTS, OTHERS)
def test_swapped_names_without_another_identifier_find_the_patient(
    patient: RosterPatient, others: list[RosterPatient]
) -> None:
    swapped = PatientIdentity(family=patient.given, given=patient.family)
    assert "true" in found(index_of(patient, *others), swapped)


@given(PATIENTS, OTHERS)
def test_a_former_and_a_preferred_name_find_the_patient(patient: RosterPatient, others: list[RosterPatient]) -> None:
    identity = PatientIdentity(family=patient.former_family or patient.family, given=patient.preferred or patient.given)
    assert "true" in found(index_of(patient, *others), identity)


@given(PATIENTS.filter(lambda patient: patient.birth_date is not None and patient.birth_date.day <= 12), OTHERS)
def test_day_and_month_swapped_beside_two_wrong_names_find_the_patient(
    patient: RosterPatient, others: list[RosterPatient]
) -> None:
    assert patient.birth_date is not None
    day = patient.birth_date.replace(month=patient.birth_date.day, day=patient.birth_date.month)
    identity = PatientIdentity(family="Xxyzzy", given="Qqwert", birth_date=day)
    assert "true" in found(index_of(patient, *others), identity)


@given(PATIENTS, OTHERS)
def test_half_a_family_name_and_an_initial_find_the_patient(
    patient: RosterPatient, others: list[RosterPatient]
) -> None:
    identity = PatientIdentity(family=patient.family.replace("-", " ").split()[-1], given=patient.given[0])
    assert "true" in found(index_of(patient, *others), identity)


def test_a_nickname_without_another_identifier_finds_the_patient() -> None:
    patient = RosterPatient(patient_id="true", site="WCP", family="Mccoy", given="Anthony")
    assert found(index_of(patient), PatientIdentity(family="Mccoy", given="Tony")) == {"true"}


def test_a_record_number_is_found_without_its_zeros_and_letters() -> None:
    patient = RosterPatient(patient_id="true", site="WCP", family="Mccoy", given="Anthony", mrn="W00123")
    index = index_of(patient)
    for mrn in ("W00123", "w-123", "123", "000123"):
        assert found(index, PatientIdentity(mrn=mrn)) == {"true"}


def test_an_empty_print_and_an_empty_roster_find_nobody() -> None:
    patient = RosterPatient(patient_id="true", site="WCP", family="Mccoy", given="Anthony", mrn="W00123")
    assert found(index_of(patient), PatientIdentity()) == set()
    assert found(index_of(), PatientIdentity(family="Mccoy", given="Anthony", mrn="W00123")) == set()


def test_strangers_are_not_candidates() -> None:
    patient = RosterPatient(
        patient_id="true", site="WCP", family="Mccoy", given="Anthony", birth_date=date(1970, 1, 2), mrn="W00123"
    )
    stranger = PatientIdentity(family="Stone", given="Lynn", birth_date=date(1985, 7, 9), mrn="W777")
    assert found(index_of(patient), stranger) == set()


ROSTERS = st.lists(PATIENTS, max_size=8).map(
    lambda patients: tuple(replace(patient, patient_id=f"p{n}") for n, patient in enumerate(patients))
)


@given(ROSTERS, ROSTERS, st.data())
def test_an_updated_index_decides_as_one_that_is_built_anew(
    before: tuple[RosterPatient, ...], changed: tuple[RosterPatient, ...], data: st.DataObject
) -> None:
    removed = data.draw(st.sets(st.sampled_from([patient.patient_id for patient in before] or ["nobody"])))
    now = {patient.patient_id: patient for patient in before if patient.patient_id not in removed}
    now |= {patient.patient_id: patient for patient in changed}
    updated = index_of(*before).updated(changed, removed)
    built = index_of(*now.values())
    assert len(updated) == len(built) == len(now)
    for patient in (*before, *changed):
        for identity in (printed(patient), replace(printed(patient), mrn=None, birth_date=None)):
            assert found(updated, identity) == found(built, identity)
            assert decide(identity, updated, LinkPolicy()) == decide(identity, built, LinkPolicy())


def test_a_removed_patient_is_found_no_more_and_a_changed_one_as_they_are_now() -> None:
    mccoy = RosterPatient(patient_id="mccoy", site="WCP", family="Mccoy", given="Anthony", mrn="W00123")
    stone = RosterPatient(patient_id="stone", site="WCP", family="Stone", given="Lynn", mrn="W00124")
    index = index_of(mccoy, stone).updated([replace(stone, family="Baker")], ["mccoy"])
    assert found(index, PatientIdentity(mrn="W00123")) == set()
    assert found(index, PatientIdentity(mrn="W00124")) == {"stone"}
    assert (index.row_of("mccoy"), len(index)) == (None, 1)
    row = index.row_of("stone")
    assert row is not None
    assert index.person(row).family == "baker"


@given(PATIENTS, OTHERS, st.data())
def test_a_slip_in_every_field_still_finds_the_patient(
    patient: RosterPatient, others: list[RosterPatient], data: st.DataObject
) -> None:
    assert patient.birth_date is not None
    identity = replace(
        printed(patient),
        family=data.draw(with_a_slip(patient.family)),
        given=data.draw(with_a_slip(patient.given)),
        birth_date=patient.birth_date.replace(day=1 + patient.birth_date.day % 28),
        mrn=None,
    )
    assert "true" in found(index_of(patient, *others), identity)


@given(PATIENTS, OTHERS, st.sampled_from(["family", "given"]))
def test_one_name_alone_finds_the_patient(patient: RosterPatient, others: list[RosterPatient], field: str) -> None:
    identity = replace(PatientIdentity(), **{field: getattr(patient, field)})
    assert "true" in found(index_of(patient, *others), identity)
