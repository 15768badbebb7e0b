"""Values that staff typed are kept, compared with the records, settled, signed and deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from store_cases import NOW, SITE, SURNAME, assessment, handed, record, with_roster

from records.comparison import Standing, TypedEntry, Verdict
from records.decision import Decision
from records.errors import DecisionRefusedError
from store import audit, cases, corrections, shadow_findings, shadow_report, shadow_signing, shadow_values
from store.database import Database, Session
from store.shadow_figures import Side
from store.shadow_report import Scope, ShadowComparison
from store.shadow_values import FILE

ALL = Scope(sites=(SITE,))
ENTRY = TypedEntry(patient_id="D1", instrument="gad-7", administered_on=date(2026, 3, 1), total=9, items=(2, None))
WRONG = replace(ENTRY, total=6)


def keep(session: Session, *entries: TypedEntry, source: str = FILE, site: str = SITE) -> shadow_values.TypedImport:
    return shadow_values.keep(session, site, entries, source=source, sha256="ab" * 32, actor="ida", now=NOW)


def compare(session: Session) -> ShadowComparison:
    return shadow_report.compare(session, ALL)


def sign(session: Session, *, name: str = "Ida Synthetic", seen: str | None = None) -> shadow_signing.SignOff:
    digest = seen or shadow_signing.snapshot(compare(session)).sha256
    return shadow_signing.sign(session, ALL, name=name, sha256_seen=digest, actor="ida", now=NOW)


def test_taking_the_same_values_over_twice_changes_nothing(database: Database) -> None:
    with database.session() as session:
        assert keep(session, ENTRY, replace(ENTRY, patient_id="D2", line=3)).added == 2
        before = shadow_values.typed_values(session, SITE)
        assert keep(session, replace(ENTRY, patient_id="D2", line=9), ENTRY).added == 0
        assert shadow_values.typed_values(session, SITE) == before
        assert len(shadow_values.imports(session, SITE)) == 2


def test_a_value_that_stands_twice_in_a_file_was_typed_twice(database: Database) -> None:
    with database.session() as session:
        assert keep(session, ENTRY, ENTRY).added == 2
        assert keep(session, ENTRY, ENTRY, ENTRY).added == 1


def test_what_a_portal_shows_otherwise_replaces_what_it_showed(database: Database) -> None:
    with database.session() as session:
        shown = replace(WRONG, remote_id="r1")
        keep(session, shown, source="portal")
        keep(session, replace(shown, total=9), source="portal")
        assert [one.entry.total for one in shadow_values.typed_values(session, SITE)] == [9]
        keep(session, shown, source="portal")
        assert [one.entry.total for one in shadow_values.typed_values(session, SITE)] == [6]


def test_what_a_portal_no_longer_shows_is_gone_as_far_as_it_was_asked(database: Database) -> None:
    with database.session() as session:
        shown = [
            replace(ENTRY, remote_id="r1"),
            replace(ENTRY, remote_id="r2", patient_id="D2"),
            replace(ENTRY, remote_id="r3", administered_on=date(2026, 2, 1)),
        ]
        keep(session, *shown, source="portal")
        whole = shadow_values.Whole(patients=frozenset({"D1"}), first=date(2026, 3, 1))
        shadow_values.keep(session, SITE, (), source="portal", sha256="", actor="ida", now=NOW, whole=whole)
        assert [one.entry.remote_id for one in shadow_values.typed_values(session, SITE)] == ["r2", "r3"]


def test_values_of_two_ways_are_not_mixed(database: Database) -> None:
    with database.session() as session:
        keep(session, ENTRY)
        with pytest.raises(DecisionRefusedError, match="typed twice"):
            keep(session, replace(ENTRY, remote_id="r1"), source="portal")


def test_sites_do_not_see_each_others_values(database: Database) -> None:
    with database.session() as session:
        keep(session, ENTRY, site="RBH")
        handed(session, record())
        assert [one.standing for one in compare(session).compared] == [Standing.ONLY_READ]


def test_a_confirmed_record_agrees_with_the_same_value_typed(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        keep(session, ENTRY)
        found = compare(session)
        assert [one.standing for one in found.compared] == [Standing.AGREES]
        assert (found.first, found.last) == (date(2026, 3, 1), date(2026, 3, 1))


@pytest.mark.parametrize(
    ("decision", "standing"), [(Decision.REVIEW, Standing.IN_REVIEW), (Decision.REJECTED, Standing.REJECTED)]
)
def test_a_typed_value_says_where_scorebridge_has_its_record(
    database: Database, decision: Decision, standing: Standing
) -> None:
    with database.session() as session:
        handed(session, record(decision))
        keep(session, ENTRY)
        assert [one.standing for one in compare(session).compared] == [standing]


def test_a_record_that_was_taken_back_is_told_apart(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        corrections.enqueue_withdrawal(session, number, reason="wrong", actor="ida", now=NOW, reopen=False)
        keep(session, ENTRY)
        assert [one.standing for one in compare(session).compared] == [Standing.WITHDRAWN]


def test_what_a_correction_replaced_is_not_compared(database: Database) -> None:
    with database.session() as session:
        first = handed(session, record()).records
        second = handed(session, record(Decision.REVIEW, made=assessment(total=12), repeats=first[0])).records
        found = cases.of_record(session, second[0])
        assert found is not None
        with_roster(session, "D1")
        cases.approve(
            session, found.case_id, version=1, patient_id="D1", actor="ida", now=NOW, destinations=(), as_="correction"
        )
        keep(session, replace(ENTRY, total=12))
        assert [(one.key[0], one.standing) for one in compare(session).compared] == [(second[0], Standing.AGREES)]


def test_the_period_is_what_both_sides_have_and_the_rest_is_counted(database: Database) -> None:
    with database.session() as session:
        later = assessment(authored_on=date(2026, 3, 9))
        handed(session, record(), record(made=later, patient_id="D2"))
        keep(session, ENTRY)
        found = compare(session)
        assert ((found.first, found.last), len(found.compared), found.outside) == ((date(2026, 3, 1),) * 2, 1, 1)
        asked = shadow_report.compare(session, replace(ALL, last=date(2026, 3, 9)))
        assert (len(asked.compared), asked.outside) == (2, 0)


def one_difference(session: Session) -> tuple[int, int]:
    handed(session, record())
    keep(session, WRONG)
    (value,) = compare(session).compared
    assert value.differences == ("total",)
    return value.key


def test_a_difference_is_settled_by_name_and_audited(database: Database) -> None:
    with database.session() as session:
        key = one_difference(session)
        shadow_report.settle(session, ALL, key, {"total": Verdict.SCOREBRIDGE_RIGHT}, actor="ida", now=NOW)
        found = compare(session)
        assert (found.figures.unsettled, found.open) == (0, ())
        assert found.figures.rates["total", Side.STAFF].wrong == 1
        (event,) = audit.events(session, object_kind="shadow-difference")
        assert (event.event.actor, event.event.detail) == ("ida", (("total", "scorebridge-right"),))


def test_a_later_finding_replaces_an_earlier_one_and_can_be_taken_back(database: Database) -> None:
    with database.session() as session:
        key = one_difference(session)
        for verdict in (Verdict.SCOREBRIDGE_RIGHT, Verdict.STAFF_RIGHT):
            shadow_report.settle(session, ALL, key, {"total": verdict}, actor="ida", now=NOW)
        assert compare(session).figures.rates["total", Side.SCOREBRIDGE].wrong == 1
        shadow_findings.take_back(session, key, actor="ida", now=NOW)
        assert compare(session).figures.unsettled == 1


def test_a_finding_about_other_values_is_none(database: Database) -> None:
    with database.session() as session:
        key = one_difference(session)
        shadow_report.settle(session, ALL, key, {"total": Verdict.SCOREBRIDGE_RIGHT}, actor="ida", now=NOW)
        corrections.enqueue_correction(
            session, key[0], assessment=assessment(total=8), actor="ida", now=NOW, destinations=()
        )
        assert compare(session).figures.unsettled == 1


def test_two_values_come_apart_and_together_again(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        keep(session, replace(ENTRY, patient_id="D7"))
        (value,) = compare(session).compared
        shadow_report.settle(session, ALL, value.key, {"patient": Verdict.TWO_VALUES}, actor="ida", now=NOW)
        assert [one.standing for one in compare(session).compared] == [Standing.ONLY_TYPED, Standing.ONLY_READ]
        shadow_findings.take_back(session, value.key, actor="ida", now=NOW)
        assert [one.key for one in compare(session).compared] == [value.key]


@pytest.mark.parametrize(
    ("field", "verdict"),
    [("date", Verdict.STAFF_RIGHT), ("total", Verdict.TWO_VALUES), ("presence", Verdict.STAFF_RIGHT)],
)
def test_an_answer_that_does_not_fit_is_refused(database: Database, field: str, verdict: Verdict) -> None:
    with database.session() as session:
        key = one_difference(session)
        with pytest.raises(DecisionRefusedError):
            shadow_report.settle(session, ALL, key, {field: verdict}, actor="ida", now=NOW)


def test_nothing_is_signed_while_a_difference_is_not_settled(database: Database) -> None:
    with database.session() as session:
        one_difference(session)
        with pytest.raises(DecisionRefusedError, match="not settled"):
            sign(session)


def test_nothing_is_signed_without_a_name_or_without_anything_compared(database: Database) -> None:
    with database.session() as session:
        with pytest.raises(DecisionRefusedError, match="Nothing was compared"):
            sign(session)
        handed(session, record())
        keep(session, ENTRY)
        with pytest.raises(DecisionRefusedError, match="name is missing"):
            sign(session, name="  ")


def test_what_is_signed_is_what_was_shown(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        keep(session, ENTRY)
        seen = shadow_signing.snapshot(compare(session)).sha256
        handed(session, record(made=assessment(total=12), patient_id="D2"))
        keep(session, replace(ENTRY, patient_id="D2", total=12))
        with pytest.raises(DecisionRefusedError, match="have changed"):
            sign(session, seen=seen)


def test_a_signed_page_stays_as_it_was_and_names_no_patient(database: Database) -> None:
    with database.session() as session:
        key = one_difference(session)
        shadow_report.settle(session, ALL, key, {"total": Verdict.SCOREBRIDGE_RIGHT}, actor="ida", now=NOW)
        signed = sign(session)
        keep(session, replace(ENTRY, patient_id="D8"))
        (kept,) = shadow_signing.sign_offs(session)
        assert kept == signed
        assert kept.intact
        rate = kept.snapshot.rate("total", Side.STAFF)
        assert (rate.wrong, rate.of) == (1, 1)
        assert [one.staff for one in kept.snapshot.differences] == ["6"]
        for told in (SURNAME, "D1", "M-1"):
            assert f'"{told}"' not in kept.snapshot.text
        assert [e.event.action for e in audit.events(session, object_kind="shadow-sign-off")] == ["shadow.signed"]


def test_what_was_typed_is_deleted_once_it_is_signed_and_not_before(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        keep(session, ENTRY)
        with pytest.raises(DecisionRefusedError, match="not signed"):
            shadow_values.delete_site(session, SITE, actor="ida", now=NOW)
        sign(session)
        later = NOW + timedelta(days=1)
        assert shadow_values.delete_site(session, SITE, actor="ida", now=later) == 1
        assert shadow_values.typed_values(session, SITE) == []
        assert len(shadow_signing.sign_offs(session)) == 1
        assert [e.event.action for e in audit.events(session, object_kind="typed-values")] == [
            "typed-values.imported",
            "typed-values.deleted",
        ]


def test_a_wrong_file_is_taken_back_until_its_differences_are_settled(database: Database) -> None:
    with database.session() as session:
        key = one_difference(session)
        (number,) = (one.import_id for one in shadow_values.imports(session))
        shadow_report.settle(session, ALL, key, {"total": Verdict.SCOREBRIDGE_RIGHT}, actor="ida", now=NOW)
        with pytest.raises(DecisionRefusedError, match="settled already"):
            shadow_values.delete_import(session, number, actor="ida", now=NOW)
        shadow_findings.take_back(session, key, actor="ida", now=NOW)
        assert shadow_values.delete_import(session, number, actor="ida", now=NOW) == 1


def test_no_value_and_no_patient_goes_into_the_audit_trail(database: Database) -> None:
    with database.session() as session:
        key = one_difference(session)
        shadow_report.settle(session, ALL, key, {"total": Verdict.STAFF_RIGHT}, actor="ida", now=NOW)
        told = " ".join(str(one.event) for one in audit.events(session, limit=1000))
        assert "D1" not in told
        assert SURNAME not in told
