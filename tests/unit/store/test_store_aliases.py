"""What people say of prints is kept, doubted when what it rests on changes, and can be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from alias_cases import (
    ADA,
    EVE,
    PRINT,
    SOURCE,
    WAITS,
    ZOE,
    approve,
    arrive,
    by_alias,
    candidate,
    case_of,
    listed,
    match_of,
    only,
    say,
    state_of,
)
from store_cases import NOW, PORTAL, SITE, assessment

from matching.normalisation import fingerprint
from records.errors import DecisionRefusedError
from records.patient import PatientIdentity, RosterPatient
from store import (
    alias_doubts,
    alias_recall,
    aliases,
    audit,
    automatic_matches,
    cases,
    corrections,
    kept_records,
    notices,
    roster,
)
from store.alias_states import AliasReason, AliasState
from store.database import Database
from store.kept_records import RecordState


@pytest.fixture
def clinic(database: Database) -> Database:
    with database.session() as session:
        listed(session, ADA, EVE, ZOE)
    return database


def test_an_approval_is_kept_as_an_alias_with_what_the_person_saw(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        alias = only(session)
        (standing,) = aliases.standing(session, site=SITE, source=SOURCE).values()
    assert (alias.state, alias.patient_id, alias.said_by, alias.said_at) == (AliasState.ACTIVE, "D1", "ida", NOW)
    assert alias.evidence == WAITS
    assert alias.model.endswith("calibration 0")
    assert (standing.fingerprint, standing.rivals) == (fingerprint(PRINT), {"D2"})


def test_whoever_was_found_by_the_person_has_every_candidate_as_a_rival(clinic: Database) -> None:
    with clinic.session() as session:
        say(session, "D3", match=match_of(candidate("D1", 6.0), candidate("D2", -30.0)))
        assert only(session).rivals == ("D1", "D2")


def test_an_alias_stands_for_its_own_source_only(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        assert aliases.standing(session, site=SITE, source="elsewhere") == {}
        assert aliases.standing(session, site="EAST", source=SOURCE) == {}


@pytest.mark.parametrize(
    "who",
    [
        replace(PRINT, birth_date=None, mrn=None),
        replace(PRINT, given="A", birth_date=None),
        replace(PRINT, family=None, given=None, mrn=None),
        replace(PRINT, mrn="none", birth_date=date(1900, 1, 1)),
        replace(PRINT, cut_off=("family",), mrn=None),
        replace(PRINT, mrn=None, birth_date_other_reading=date(1980, 7, 15)),
        replace(PRINT, family="Test", given="Test"),
    ],
    ids=[
        "bare name",
        "initial and number",
        "birth date alone",
        "placeholders",
        "cut off",
        "ambiguous day",
        "test patient",
    ],
)
def test_a_print_with_fewer_than_two_identifiers_teaches_nothing(clinic: Database, who: PatientIdentity) -> None:
    with clinic.session() as session:
        say(session, who=who)
        assert aliases.list_aliases(session) == []


@pytest.mark.parametrize(
    "who",
    [replace(PRINT, mrn=None), replace(PRINT, birth_date=None), replace(PRINT, family=None, given=None)],
    ids=["name and birth date", "name and number", "birth date and number"],
)
def test_two_identifiers_are_enough(clinic: Database, who: PatientIdentity) -> None:
    with clinic.session() as session:
        say(session, who=who)
        assert only(session).state is AliasState.ACTIVE


def test_an_inactive_patient_is_not_taught(database: Database) -> None:
    with database.session() as session:
        listed(session, replace(ADA, active=False), EVE)
        say(session)
        assert aliases.list_aliases(session) == []


@pytest.mark.parametrize("who", [replace(PRINT, family="Sinth"), replace(PRINT, birth_date=date(1980, 5, 18))])
def test_another_family_name_or_birth_date_needs_a_second_person(clinic: Database, who: PatientIdentity) -> None:
    with clinic.session() as session:
        say(session, who=who)
        assert only(session).state is AliasState.AWAITING_SECOND
        assert aliases.standing(session, site=SITE, source=SOURCE) == {}
        proposed = aliases.proposal(session, site=SITE, source=SOURCE, fingerprint=fingerprint(who))
        assert proposed is not None
        assert (proposed.said_by, proposed.patient_id) == ("ida", "D1")
        say(session, who=who, day=2)
        assert only(session).state is AliasState.AWAITING_SECOND
        say(session, who=who, day=3, actor="rosa")
        assert (only(session).state, only(session).seconded_by) == (AliasState.ACTIVE, "rosa")


def test_a_second_person_adds_the_rivals_they_saw(clinic: Database) -> None:
    who = replace(PRINT, family="Sinth")
    with clinic.session() as session:
        say(session, who=who, match=match_of(candidate("D1", 6.0)))
        say(session, who=who, day=2, actor="rosa", match=match_of(candidate("D1", 6.0), candidate("D3", 5.0)))
        assert only(session).rivals == ("D3",)


def test_an_alias_confirms_and_counts_its_uses(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        records = [by_alias(session, day=day) for day in (2, 3)]
        alias = only(session)
        caused = automatic_matches.caused_by(session, alias.alias_id)
    assert (alias.uses, alias.last_used_at) == (2, NOW)
    assert [one.record_id for one in caused if one.stands] == records


def test_a_match_of_its_own_is_no_use_of_an_alias(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        arrive(session, match=match_of(candidate("D1", 20.0), certain=True), day=2)
        assert only(session).uses == 0


def test_not_this_patient_revokes_the_alias_and_tells_what_it_confirmed(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        record = by_alias(session, day=2)
        case = case_of(session, arrive(session, day=3))
        cases.not_this_patient(session, case.case_id, "D1", actor="rosa", now=NOW)
        assert only(session).state is AliasState.REVOKED
        assert only(session).events[-1].reason is AliasReason.VETOED
        assert state_of(session, record) is RecordState.CONFIRMED
        (told,) = [one for one in notices.list_open(session) if one.kind == "alias-doubted"]
        assert "1 records" in told.sentence
        assert "Synth" not in told.sentence


def test_a_veto_said_while_a_report_was_read_sends_its_record_to_a_person(clinic: Database) -> None:
    with clinic.session() as session:
        case = case_of(session, arrive(session))
        cases.not_this_patient(session, case.case_id, "D1", actor="rosa", now=NOW)
        record = arrive(session, match=match_of(candidate("D1", 20.0), certain=True), day=2).records[0]
        assert kept_records.get(session, record).reasons == ("vetoed",)
        assert state_of(session, record) is RecordState.REVIEW


def test_two_people_who_disagree_suspend_the_alias_and_need_two_again(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        say(session, "D2", actor="rosa", day=2)
        new, old = aliases.list_aliases(session)
        assert (old.state, old.events[-1].reason) == (AliasState.SUSPENDED, AliasReason.REVIEWERS_DISAGREE)
        assert (new.state, new.patient_id) == (AliasState.AWAITING_SECOND, "D2")
        say(session, "D2", actor="ida", day=3)
        assert aliases.list_aliases(session)[0].state is AliasState.ACTIVE


def test_whoever_was_ruled_out_before_needs_a_second_person(clinic: Database) -> None:
    with clinic.session() as session:
        case = case_of(session, arrive(session))
        seen = cases.not_this_patient(session, case.case_id, "D1", actor="rosa", now=NOW)
        approve(session, seen, "D1")
        assert only(session).state is AliasState.AWAITING_SECOND
        assert roster.vetoes(session, SITE) == frozenset()


@pytest.mark.parametrize(
    ("people", "reason"),
    [
        ((replace(ADA, mrn="M-9"), EVE), AliasReason.PATIENT_CHANGED),
        ((replace(ADA, merged_into="D2"), EVE), AliasReason.PATIENT_MERGED),
        ((EVE,), AliasReason.PATIENT_REMOVED),
        ((replace(ADA, active=False), EVE), AliasReason.PATIENT_INACTIVE),
        ((ADA, EVE, replace(ZOE, mrn="m-0001")), AliasReason.MRN_REASSIGNED),
    ],
)
def test_a_new_roster_suspends_the_aliases_it_overtakes(
    clinic: Database, people: tuple[RosterPatient, ...], reason: AliasReason
) -> None:
    with clinic.session() as session:
        say(session)
        listed(session, *people)
        alias = only(session)
        assert (alias.state, alias.events[-1].reason) == (AliasState.SUSPENDED, reason)
        assert aliases.standing(session, site=SITE, source=SOURCE) == {}
        record = by_alias(session, day=2)
        assert kept_records.get(session, record).reasons == ("alias-suspended",)


def test_a_roster_that_leaves_the_patient_as_they_were_leaves_the_alias(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        listed(session, replace(ADA, phone="555-0100", clinician="Dr. New"), replace(EVE, mrn="M-22"))
        assert only(session).state is AliasState.ACTIVE


def test_a_newcomer_that_matching_met_suspends_the_alias(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        met = match_of(candidate("D1", 6.0), candidate("D4", 5.0), reasons=("alias-suspended", "twin"))
        arrive(session, match=met, day=2)
        assert only(session).events[-1].reason is AliasReason.NEWCOMER
        say(session, day=3)
        assert [one.state for one in aliases.list_aliases(session)] == [AliasState.ACTIVE, AliasState.SUSPENDED]


def test_an_alias_that_nobody_uses_is_let_go(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        assert alias_doubts.suspend_unused(session, before=NOW, now=NOW) == 0
        assert alias_doubts.suspend_unused(session, before=NOW + timedelta(seconds=1), now=NOW) == 1
        assert only(session).events[-1].reason is AliasReason.UNUSED


def test_revoking_takes_back_exactly_what_stands_on_the_alias(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        alias = only(session)
        first, second, third = (by_alias(session, day=day) for day in (2, 3, 4))
        own = arrive(session, match=match_of(candidate("D1", 20.0), certain=True), day=5).records[0]
        corrections.enqueue_withdrawal(session, second, reason="x", actor="ida", now=NOW, reopen=False)
        corrections.enqueue_correction(
            session, third, assessment=assessment(patient=PRINT, authored_on=date(2026, 1, 5), total=11), actor="ida",
            now=NOW, destinations=(PORTAL,),
        )  # fmt: skip
        assert alias_recall.revoke(session, alias.alias_id, actor="rosa", now=NOW) == (first, third)
        assert only(session).state is AliasState.REVOKED
        assert {state_of(session, one) for one in (first, third)} == {RecordState.REVIEW}
        assert state_of(session, second) is RecordState.WITHDRAWN
        assert {state_of(session, one) for one in (own, alias.record_id)} == {RecordState.CONFIRMED}
        assert alias_recall.revoke(session, alias.alias_id, actor="rosa", now=NOW) == ()
        actions = [one.event.action for one in audit.events(session, actor="rosa")]
        assert actions == ["alias.revoked", "record.withdrawn", "record.withdrawn"]


def test_what_a_person_confirmed_again_is_not_taken_back(clinic: Database) -> None:
    with clinic.session() as session:
        say(session)
        record = by_alias(session, day=2)
        corrections.enqueue_withdrawal(session, record, reason="look", actor="ida", now=NOW, reopen=True)
        case = cases.of_record(session, record)
        assert case is not None
        approve(session, case, "D1", actor="rosa")
        revoked = aliases.list_aliases(session, state=AliasState.REVOKED)[0]
        assert alias_recall.revoke(session, revoked.alias_id, actor="rosa", now=NOW) == ()
        assert state_of(session, record) is RecordState.CONFIRMED


def test_there_is_no_alias_of_another_number(clinic: Database) -> None:
    with clinic.session() as session, pytest.raises(DecisionRefusedError):
        aliases.get(session, 7)
