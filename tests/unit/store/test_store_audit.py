"""The audit trail shows every change made to it."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from store_cases import NOW, handed, record

from records.audit import AuditEvent
from records.errors import StoreError
from store import audit
from store.audit import AuditVerdict
from store.database import Database


def fill(database: Database, number: int = 8) -> None:
    with database.session() as session:
        for turn in range(number):
            event = AuditEvent(
                actor=f"user-{turn}",
                action="case.approved",
                object_kind="case",
                object_id=str(turn),
                detail=(("outcome", "confirmation"),),
            )
            audit.append(session, event, now=NOW)


def tamper(database: Database, *statements: str) -> None:
    """What somebody with the key of the database, but not of the trail, could do."""
    with database.session() as session:
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER audit_event_no_{verb}")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_event_no_change ON audit_event")
        for statement in statements:
            connection.exec_driver_sql(statement)


def verdict(database: Database) -> AuditVerdict:
    with database.reading() as session:
        return audit.verify(session, anchor_file=database.anchor_file)


def test_an_untouched_trail_is_intact(database: Database) -> None:
    fill(database)
    found = verdict(database)
    assert found.intact
    assert (found.events, found.first_bad, found.reason) == (8, None, None)
    assert found.head is not None
    assert found.head[0] == 8


def test_an_empty_trail_is_intact(database: Database) -> None:
    assert verdict(database) == AuditVerdict(intact=True, events=0, first_bad=None, head=None, anchored=0, reason=None)


@pytest.mark.parametrize("column", ["at", "actor", "action", "object_kind", "object_id", "detail", "prev_mac", "mac"])
def test_an_edited_event_is_found(database: Database, column: str) -> None:
    fill(database)
    tamper(database, f"UPDATE audit_event SET {column} = 'x' WHERE seq = 3")
    found = verdict(database)
    assert not found.intact
    assert (found.first_bad, found.reason) == (3, "altered")


def test_an_event_removed_from_the_middle_is_found(database: Database) -> None:
    fill(database)
    tamper(database, "DELETE FROM audit_event WHERE seq = 5")
    assert (verdict(database).first_bad, verdict(database).reason) == (5, "missing")


def test_the_first_event_cannot_be_removed_unseen(database: Database) -> None:
    fill(database)
    tamper(database, "DELETE FROM audit_event WHERE seq = 1")
    assert (verdict(database).first_bad, verdict(database).reason) == (1, "missing")


def test_two_exchanged_events_are_found(database: Database) -> None:
    fill(database)
    tamper(
        database,
        "UPDATE audit_event SET seq = 100 WHERE seq = 3",
        "UPDATE audit_event SET seq = 3 WHERE seq = 4",
        "UPDATE audit_event SET seq = 4 WHERE seq = 100",
    )
    assert (verdict(database).first_bad, verdict(database).reason) == (3, "altered")


def test_a_cut_off_end_is_found_by_the_anchor(database: Database) -> None:
    fill(database)
    with database.reading() as session:
        assert audit.anchor(session, database.anchor_file, now=NOW) == 8
    tamper(database, "DELETE FROM audit_event WHERE seq > 6")
    assert (verdict(database).first_bad, verdict(database).reason) == (7, "truncated")


def test_an_end_cut_off_and_grown_anew_is_found_by_the_anchor(database: Database) -> None:
    fill(database)
    with database.reading() as session:
        audit.anchor(session, database.anchor_file, now=NOW)
    tamper(database, "DELETE FROM audit_event WHERE seq > 6")
    fill(database)
    assert (verdict(database).first_bad, verdict(database).reason) == (8, "altered")


def test_anchors_of_a_growing_trail_all_hold(database: Database) -> None:
    for _ in range(3):
        fill(database, 2)
        with database.reading() as session:
            audit.anchor(session, database.anchor_file, now=NOW)
    assert verdict(database).intact
    assert verdict(database).anchored == 3


def test_a_torn_last_anchor_is_no_alarm_and_an_unreadable_file_is_one(database: Database) -> None:
    fill(database)
    with database.reading() as session:
        audit.anchor(session, database.anchor_file, now=NOW)
    with database.anchor_file.open("ab") as file:
        file.write(b"9 4fe")
    assert verdict(database).intact
    fill(database, 1)
    with database.reading() as session:
        audit.anchor(session, database.anchor_file, now=NOW)
    assert verdict(database).anchored == 2
    database.anchor_file.write_bytes(b"nothing of ours")
    assert verdict(database).reason == "anchor-unreadable"


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET actor = 'x'", "DELETE FROM audit_event WHERE seq = 1"])
def test_the_database_itself_refuses_to_change_the_trail(database: Database, statement: str) -> None:
    fill(database)
    with pytest.raises(StoreError, match="cannot be changed"), database.session() as session:
        session.connection().execute(text(statement))
    assert verdict(database).intact


def hand_over_and_fail(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        raise ZeroDivisionError


def test_events_of_a_rolled_back_change_are_not_in_the_trail(database: Database) -> None:
    fill(database, 1)
    with pytest.raises(ZeroDivisionError):
        hand_over_and_fail(database)
    fill(database, 1)
    found = verdict(database)
    assert (found.intact, found.events) == (True, 2)


def test_a_long_trail_is_followed_to_its_end(database: Database) -> None:
    event = AuditEvent(actor="a", action="b.c", object_kind="case", object_id="1")
    with database.session() as session:
        audit.append_many(session, [event] * 2500, now=NOW)
    assert verdict(database).events == 2500
    with database.reading() as session:
        assert sum(1 for _ in audit.export(session)) == 2500


def test_the_export_is_one_object_per_line(database: Database) -> None:
    fill(database, 2)
    with database.reading() as session:
        lines = [json.loads(line) for line in audit.export(session)]
    assert [line["seq"] for line in lines] == [1, 2]
    assert lines[1]["prev_mac"] == lines[0]["mac"]
    assert lines[0]["detail"] == {"outcome": "confirmation"}
    assert lines[0]["at"] == "2026-03-02T12:00:00.000000+00:00"


def test_events_are_found_by_object_and_actor(database: Database) -> None:
    fill(database)
    with database.reading() as session:
        assert [one.seq for one in audit.events(session, object_kind="case", object_id="2")] == [3]
        assert [one.seq for one in audit.events(session, actor="user-4")] == [5]
        assert [one.seq for one in audit.events(session, after=6)] == [7, 8]


def test_odd_characters_do_not_break_the_chain(database: Database) -> None:
    with database.session() as session:
        event = AuditEvent(
            actor="Zoë \udcff\0", action="a.b", object_kind="case", object_id="é", detail=(("k", "\u2028\ud800"),)
        )
        audit.append(session, event, now=NOW)
    assert verdict(database).intact
