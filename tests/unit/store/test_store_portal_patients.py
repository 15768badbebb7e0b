"""The portal's ids of patients, as they were last looked up."""

from __future__ import annotations

from datetime import timedelta

from store_cases import NOW

from store import portal_patients
from store.database import Database


def test_an_id_is_known_as_long_as_it_is_fresh(database: Database) -> None:
    with database.session() as session:
        portal_patients.keep(session, "portal", "P1", "x-9", now=NOW)
        assert portal_patients.known(session, "portal", "P1", since=NOW) == "x-9"
        assert portal_patients.known(session, "portal", "P1", since=NOW + timedelta(seconds=1)) is None
        assert portal_patients.known(session, "other", "P1", since=NOW) is None


def test_a_later_look_replaces_an_earlier_one(database: Database) -> None:
    with database.session() as session:
        portal_patients.keep(session, "portal", "P1", "x-9", now=NOW)
        portal_patients.keep(session, "portal", "P1", "x-10", now=NOW + timedelta(hours=1))
        assert portal_patients.known(session, "portal", "P1", since=NOW + timedelta(minutes=1)) == "x-10"
        portal_patients.forget(session, "portal", "P1")
        portal_patients.forget(session, "portal", "P1")
        assert portal_patients.known(session, "portal", "P1", since=NOW) is None
