"""What channels were told of an alert, whom it is about, and "not this patient"."""

from __future__ import annotations

from datetime import timedelta

import pytest
from store_cases import NOW, SITE, handed, record, taken, with_roster

from records.alert import CriticalAlert
from records.decision import Decision
from records.errors import DecisionRefusedError, StaleCaseError
from records.submission import DeliveryState, ResultStatus
from store import alert_subjects, alert_tellings, alerts, audit, cases, kept_records, notices, outbox, vetoes
from store.alert_tasks import TaskStatus, task_of
from store.database import Database, Session
from store.kept_records import RecordState

LATER = NOW + timedelta(minutes=5)


def raised_for(session: Session, decision: Decision, *, patient_id: str | None = "D1") -> CriticalAlert:
    """An alert about a record that ended so."""
    with_roster(session, "D1", "D2")
    (record_id,) = handed(session, record(decision, patient_id=patient_id)).records
    alert = alerts.raise_alert(
        session,
        alert_key="one",
        site=SITE,
        report_id=kept_records.get(session, record_id).report_id,
        position=0,
        instrument="phq-9",
        link_id="9",
        points=2,
        unverified=False,
        now=NOW,
    )
    assert alert is not None
    assert alert.record_id == record_id
    return alert


def tell(session: Session, alert: CriticalAlert, channel: str, step: int) -> None:
    alert_tellings.mark_told(
        session, alert.alert_id, round_=alert.round, channel=channel, step=step, receipt="r", now=NOW
    )


def fail(session: Session, alert: CriticalAlert, channel: str, step: int) -> None:
    steps = [(alert.alert_id, alert.round, step)]
    alert_tellings.mark_failed(session, steps, channel=channel, fault="unreachable", now=NOW)


def test_a_step_is_told_once_and_overtakes_those_a_channel_never_took(database: Database) -> None:
    with database.session() as session:
        alert = raised_for(session, Decision.CONFIRMED)
        fail(session, alert, "mail", 1)
        tell(session, alert, "pager", 1)
        tell(session, alert, "pager", 1)
        assert [(one.channel, one.step) for one in alert_tellings.failing(session)] == [("mail", 1)]
        tell(session, alert, "mail", 2)
        fail(session, alert, "mail", 2)
        assert alert_tellings.failing(session) == []
        so_far = {channel: one.step for (_, channel), one in alert_tellings.told_so_far(session).items()}
        assert so_far == {"mail": 2, "pager": 1}
        assert alerts.get(session, alert.alert_id).notices == 2
        told = [
            e.event.detail for e in audit.events(session, object_kind="alert") if e.event.action == "alert.notified"
        ]
        assert [dict(one)["channel"] for one in told] == ["pager", "mail"]


def test_a_channel_that_fails_three_times_is_a_notice_until_it_takes_something(database: Database) -> None:
    with database.session() as session:
        alert = raised_for(session, Decision.CONFIRMED)
        for number in range(1, 5):
            fail(session, alert, "mail", 1)
            assert len(notices.list_open(session)) == (number >= 3)
        tell(session, alert, "mail", 1)
        assert notices.list_open(session) == []


def test_a_sent_record_of_the_wrong_patient_is_taken_back_and_waits_with_the_patient_ruled_out(
    database: Database,
) -> None:
    with database.session() as session:
        alert = raised_for(session, Decision.CONFIRMED)
        (claimed,) = outbox.claim_due(
            session, now=NOW, lease=timedelta(minutes=1), limit=9, owner="w", destinations=["portal"]
        )
        assert claimed.status is ResultStatus.FINAL
        alerts.acknowledge(session, alert.alert_id, actor="eve", now=NOW)
        tell(session, alert, "pager", 3)
        again = alert_subjects.rule_out(session, alert.alert_id, patient_id="D1", actor="eve", now=LATER)
        assert (again.round, again.begun_at, again.notices, again.acknowledged_by) == (2, LATER, 0, None)
        assert again.is_ruled_out
        assert alert_tellings.told_so_far(session) == {}
        assert not alert_tellings.is_still_owed(session, alert.alert_id, round_=1)
        kept = kept_records.get(session, alert.record_id or 0)
        assert kept.state is RecordState.REVIEW
        assert vetoes.stands(session, site=SITE, fingerprint=kept.fingerprint, patient_id="D1")
        waiting = outbox.list_submissions(session, state=DeliveryState.PENDING)
        assert [one.submission.status for one in waiting] == [ResultStatus.ENTERED_IN_ERROR]
        subject = alert_subjects.subject_of(session, again)
        assert subject is not None
        assert (subject.patient_id, subject.is_confirmed) == (None, False)
        actions = [one.event.action for one in audit.events(session, object_kind="alert")]
        assert actions[-1] == "alert.patient-ruled-out"
        case = cases.of_record(session, kept.record_id)
        assert case is not None
        cases.approve(
            session, case.case_id, version=case.version, patient_id="D2", actor="ida", now=LATER, destinations=()
        )
        subject = alert_subjects.subject_of(session, again)
        assert subject is not None
        assert (subject.patient_id, subject.is_confirmed) == ("D2", True)


def test_an_alert_is_open_again_however_its_record_was_found_to_be_another_patients(database: Database) -> None:
    with database.session() as session:
        alert = raised_for(session, Decision.CONFIRMED)
        alerts.acknowledge(session, alert.alert_id, actor="eve", now=NOW)
        outbox.enqueue_withdrawal(session, alert.record_id or 0, reason="wrong", actor="ida", now=LATER, reopen=True)
        again = alerts.get(session, alert.alert_id)
        assert (again.round, again.acknowledged_by, again.begun_at) == (2, None, LATER)


def test_an_alert_of_a_record_that_is_withdrawn_for_good_stays_as_it_is(database: Database) -> None:
    with database.session() as session:
        alert = raised_for(session, Decision.CONFIRMED)
        outbox.enqueue_withdrawal(session, alert.record_id or 0, reason="test", actor="ida", now=LATER, reopen=False)
        assert alerts.get(session, alert.alert_id).round == 1


def test_a_record_in_review_gets_the_veto_and_its_case_a_new_version(database: Database) -> None:
    with database.session() as session:
        alert = raised_for(session, Decision.REVIEW)
        before = cases.of_record(session, alert.record_id or 0)
        assert before is not None
        alert_subjects.rule_out(session, alert.alert_id, patient_id="D1", actor="eve", now=LATER)
        after = cases.of_record(session, alert.record_id or 0)
        assert after is not None
        assert after.version == before.version + 1
        with pytest.raises(DecisionRefusedError, match="No patient is shown"):
            alert_subjects.rule_out(session, alert.alert_id, patient_id="D1", actor="eve", now=LATER)


def test_who_saw_another_patient_than_is_shown_now_changes_nothing(database: Database) -> None:
    with database.session() as session:
        alert = raised_for(session, Decision.CONFIRMED)
        with pytest.raises(StaleCaseError):
            alert_subjects.rule_out(session, alert.alert_id, patient_id="D2", actor="eve", now=LATER)
        assert alerts.get(session, alert.alert_id) == alert


def test_an_alert_whose_report_is_being_read_has_no_patient_to_rule_out(database: Database) -> None:
    with database.session() as session:
        alert = alerts.raise_alert(
            session, alert_key="k", site=SITE, report_id=taken(session).report_id, position=0, instrument="phq-9",
            link_id="9", points=2, unverified=False, now=NOW,
        )  # fmt: skip
        assert alert is not None
        assert alert_subjects.subject_of(session, alert) is None
        with pytest.raises(DecisionRefusedError, match="not read to its end"):
            alert_subjects.rule_out(session, alert.alert_id, patient_id="D1", actor="eve", now=LATER)


def test_a_rejected_record_is_not_reopened_by_its_alert(database: Database) -> None:
    with database.session() as session:
        alert = raised_for(session, Decision.REJECTED)
        with pytest.raises(DecisionRefusedError, match="rejected"):
            alert_subjects.rule_out(session, alert.alert_id, patient_id="D1", actor="eve", now=LATER)


@pytest.mark.parametrize(("decision", "named"), [(Decision.CONFIRMED, "D1"), (Decision.REVIEW, None)])
def test_a_task_names_nobody_who_is_not_confirmed(database: Database, decision: Decision, named: str | None) -> None:
    with database.session() as session:
        alert = raised_for(session, decision)
        task = task_of(session, alert.alert_id, round_=1, patients_of=None)
        assert (task.status, task.patient_id) == (TaskStatus.REQUESTED, named)
        assert (task.external_id is None) == (named is None)
        assert task_of(session, alert.alert_id, round_=1, patients_of="portal").patient_id is None
