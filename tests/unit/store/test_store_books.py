"""Rosters, sightings, alerts, notices, templates and users."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_cases import NOW, SITE, SURNAME, patients, taken, with_roster

from records.alert import CriticalAlert
from records.errors import DecisionRefusedError, RosterError, TemplateError
from store import alerts, audit, notices, roster, sightings, templates
from store.database import Database, Session
from store.roster import RosterChange
from store.sightings import Seen, SightingState
from store.templates import TemplateState

PASSWORD = "correct horse battery"


# --- roster ---------------------------------------------------------------------------------------------------------


def replace_roster(session: Session, *patient_ids: str, share: float = 0.1) -> RosterChange:
    return roster.replace(
        session,
        SITE,
        patients(*patient_ids),
        as_of=NOW,
        imported_from="roster.csv",
        actor="ida",
        now=NOW,
        max_removed_share=share,
    )


def test_a_roster_comes_back_exactly(database: Database) -> None:
    full = replace(
        patients("D1")[0],
        mrn="0042",
        middle="B",
        suffix="Jr",
        preferred="Addie",
        former_family="Møller-O’Néil",
        birth_date=date(1931, 2, 28),
        sex="X",
        phone="+1 555 0100",
        active=False,
    )
    with database.session() as session:
        assert roster.current(session, SITE) is None
        roster.replace(
            session,
            SITE,
            [full],
            as_of=NOW,
            imported_from="r.csv",
            actor="ida",
            now=NOW,
            max_removed_share=0,
        )
        kept = roster.current(session, SITE)
        assert kept is not None
        assert (kept.patients, kept.as_of) == ((full,), NOW)
        assert roster.patient(session, SITE, "D1") == full


def test_an_import_says_what_it_changed(database: Database) -> None:
    with database.session() as session:
        replace_roster(session, "D1", "D2", "D3")
        change = roster.replace(
            session,
            SITE,
            [*patients("D2"), replace(patients("D3")[0], mrn="7"), *patients("D4", "D5")],
            as_of=NOW + timedelta(days=1),
            imported_from="r.csv",
            actor="ida",
            now=NOW + timedelta(days=1),
            max_removed_share=0.5,
        )
        assert change == RosterChange(added=2, changed=1, removed=1, version=2)
        (status,) = roster.status(session, now=NOW + timedelta(days=3))
        assert (status.patients, status.age, status.version) == (4, timedelta(days=2), 2)


def test_the_same_list_again_is_fresh_but_not_a_new_version(database: Database) -> None:
    with database.session() as session:
        replace_roster(session, "D1")
        assert replace_roster(session, "D1") == RosterChange(added=0, changed=0, removed=0, version=1)
        assert roster.version(session, SITE) == 1
        assert roster.version(session, "EAST") == 0


def test_a_roster_that_lost_too_many_patients_is_refused(database: Database) -> None:
    with database.session() as session:
        replace_roster(session, *(f"D{number}" for number in range(10)))
        replace_roster(session, *(f"D{number}" for number in range(9)))
        with pytest.raises(RosterError, match="lacks 5 of 9"):
            replace_roster(session, *(f"D{number}" for number in range(4)))
        with pytest.raises(RosterError):
            replace_roster(session)
        kept = roster.current(session, SITE)
        assert kept is not None
        assert len(kept.patients) == 9


def test_a_roster_with_a_patient_twice_or_of_another_site_is_refused(database: Database) -> None:
    with database.session() as session:
        with pytest.raises(RosterError, match="more than once"):
            replace_roster(session, "D1", "D1")
        with pytest.raises(RosterError, match="other sites"):
            roster.replace(
                session,
                SITE,
                patients("E1", site="EAST"),
                as_of=NOW,
                imported_from="r.csv",
                actor="ida",
                now=NOW,
                max_removed_share=1,
            )


# --- sightings ------------------------------------------------------------------------------------------------------


def test_sightings_outlive_a_restart_and_change(database: Database) -> None:
    later = NOW + timedelta(seconds=30)
    with database.session() as session:
        sightings.remember(session, "wcp", "a.pdf", size=3, mtime_ns=2**60, state=SightingState.PENDING, now=NOW)
    with database.session() as session:
        report = taken(session)
        sightings.remember(
            session,
            "wcp",
            "a.pdf",
            size=4,
            mtime_ns=2**60 + 1,
            state=SightingState.TAKEN,
            report_id=report.report_id,
            now=later,
        )
        (kept,) = sightings.known(session, "wcp").values()
        assert (kept.size, kept.mtime_ns, kept.state) == (4, 2**60 + 1, SightingState.TAKEN)
        assert (kept.first_seen, kept.changed_at, kept.report_id) == (NOW, later, report.report_id)
        assert sightings.known(session, "east") == {}


def test_seeing_the_same_again_is_no_change(database: Database) -> None:
    seen = Seen(path="a.pdf", size=3, mtime_ns=4, state=SightingState.IGNORED, reason="unsafe-path")
    with database.session() as session:
        sightings.remember_all(session, "wcp", [seen], now=NOW)
        sightings.remember_all(session, "wcp", [seen], now=NOW + timedelta(hours=1))
        assert sightings.known(session, "wcp")["a.pdf"].changed_at == NOW


def test_thousands_of_paths_are_remembered_and_forgotten_at_once(database: Database) -> None:
    paths = [f"/srv/print/{number:05}.pdf" for number in range(5000)]
    many = [Seen(path=path, size=1, mtime_ns=1, state=SightingState.PENDING) for path in paths]
    with database.session() as session:
        sightings.remember_all(session, "wcp", many, now=NOW)
        sightings.remember_all(session, "wcp", [replace(seen, state=SightingState.BACKLOG) for seen in many], now=NOW)
        assert sightings.counts(session, "wcp")[SightingState.BACKLOG] == 5000
        sightings.forget(session, "wcp", paths[:4999])
        assert list(sightings.known(session, "wcp")) == paths[4999:]


@given(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_path_a_file_system_can_hold_comes_back(database: Database, path: str) -> None:
    with database.session() as session:
        sightings.remember(session, "wcp", path, size=1, mtime_ns=1, state=SightingState.PENDING, now=NOW)
        assert path in sightings.known(session, "wcp")
        sightings.forget(session, "wcp", [path])
        assert sightings.known(session, "wcp") == {}


# --- alerts ---------------------------------------------------------------------------------------------------------


def raise_alert(session: Session, points: int | None, *, key: str = "one") -> CriticalAlert | None:
    return alerts.raise_alert(
        session,
        alert_key=key,
        site=SITE,
        report_id=taken(session).report_id,
        position=0,
        instrument="phq-9",
        link_id="9",
        points=points,
        unverified=False,
        now=NOW,
    )


def test_an_alert_is_raised_again_only_by_a_higher_answer(database: Database) -> None:
    with database.session() as session:
        raised = [raise_alert(session, points) is not None for points in (1, 1, 2, 1, None, 3, None)]
        assert raised == [True, False, True, False, True, False, False]
        assert raise_alert(session, 1, key="another") is not None


def test_an_alert_is_open_until_a_named_person_takes_it_and_the_second_sees_who_was_first(database: Database) -> None:
    with database.session() as session:
        alert = raise_alert(session, 2)
        assert alert is not None
        taken_by = alerts.acknowledge(session, alert.alert_id, actor="dr-eve", now=NOW, note="called her")
        assert taken_by.acknowledged_by == "dr-eve"
        again = alerts.acknowledge(session, alert.alert_id, actor="ben", now=NOW, note="called as well")
        assert again.acknowledged_by == "dr-eve"
        assert alerts.list_alerts(session, open_only=True) == []
        done = [(event.kind, event.actor, event.note) for event in alerts.events(session, alert.alert_id)]
        assert done == [("taken", "dr-eve", "called her"), ("noted", "ben", "called as well")]
        told = [one.event for one in audit.events(session, object_kind="alert")]
        assert [event.action for event in told] == ["alert.raised", "alert.acknowledged", "alert.noted"]
        assert not any("called" in str(event) for event in told)
        with pytest.raises(DecisionRefusedError):
            alerts.acknowledge(session, 9999, actor="dr-eve", now=NOW)


# --- notices --------------------------------------------------------------------------------------------------------


def test_a_notice_is_said_once_while_open_and_again_when_it_comes_back(database: Database) -> None:
    with database.session() as session:
        first = notices.leave(session, "no-report", "wcp", "No report came by 06:30.", now=NOW)
        again = notices.leave(session, "no-report", "wcp", "No report came by 06:30.", now=NOW)
        assert again == first
        notices.leave(session, "no-report", "east", "No report came by 06:30.", now=NOW)
        assert len(notices.unsent(session)) == 2
        notices.mark_sent(session, first.notice_id, now=NOW)
        assert [one.subject for one in notices.unsent(session)] == ["east"]
        assert notices.resolve(session, "no-report", "wcp", now=NOW)
        assert not notices.resolve(session, "no-report", "wcp", now=NOW)
        back = notices.leave(session, "no-report", "wcp", "No report came by 06:30.", now=NOW)
        assert back.notice_id != first.notice_id
        assert len(notices.list_open(session)) == 2


# --- templates ------------------------------------------------------------------------------------------------------


def test_a_published_revision_never_changes(database: Database) -> None:
    with database.session() as session:
        for _ in range(2):
            templates.register(session, "listing", 1, sha256="aa", state=TemplateState.SHADOW, actor="ida", now=NOW)
        templates.set_state(session, "listing", 1, TemplateState.LIVE, actor="ida", now=NOW)
        templates.register(session, "listing", 1, sha256="aa", state=TemplateState.DRAFT, actor="ida", now=NOW)
        assert templates.states(session) == {("listing", 1): TemplateState.LIVE}
        assert templates.hashes(session) == {("listing", 1): "aa"}
        with pytest.raises(TemplateError):
            templates.register(session, "listing", 1, sha256="bb", state=TemplateState.LIVE, actor="ida", now=NOW)
        with pytest.raises(TemplateError):
            templates.set_state(session, "listing", 2, TemplateState.HELD, actor="ida", now=NOW)


def test_the_roster_and_its_patients_are_not_in_the_audit_trail(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        trail = "".join(audit.export(session))
    assert "roster.imported" in trail
    assert SURNAME not in trail
