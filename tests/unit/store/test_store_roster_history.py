"""What every version of a roster changed, and earlier versions brought back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import alias_cases
import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from store_cases import NOW, SITE, patients

from records.errors import RosterError
from records.patient import RosterPatient
from store import audit, roster, roster_history
from store import database as databases
from store.alias_states import AliasState
from store.database import Database, Session
from store.roster import RosterChange
from store.roster_diff import RosterLimits, by_id, difference, refusal
from store.roster_history import ChangeKind
from store.settings import StoreSettings


def imported(session: Session, listed: Sequence[RosterPatient], *, day: int = 0, **more: object) -> RosterChange:
    moment = NOW + timedelta(days=day)
    limits: dict[str, object] = {"max_removed_share": 1.0, "max_identity_share": 1.0}
    return roster.replace(
        session, SITE, listed, as_of=moment, imported_from=f"day{day}.csv", actor="ida", now=moment,
        **limits | more,  # type: ignore[arg-type]
    )  # fmt: skip


def listed(session: Session) -> tuple[RosterPatient, ...]:
    current = roster.current(session, SITE)
    assert current is not None
    return current.patients


def test_a_patient_s_history_says_old_and_new_values_when_and_who(database: Database) -> None:
    ana, ben = patients("D1", "D2")
    moved = replace(ana, family="Reed", birth_date=date(1984, 6, 30), active=False)
    with database.session() as session:
        imported(session, [ana, ben])
        imported(session, [moved, ben], day=1)
        imported(session, [ben], day=2)
        imported(session, [ana, ben], day=3)
        back, gone, changed = roster_history.of_patient(session, SITE, "D1")
    assert (back.kind, back.version, dict(back.before), dict(back.after)) == (ChangeKind.ADDED, 4, {}, {})
    assert (gone.kind, gone.before["birth_date"], gone.before["active"]) == (
        ChangeKind.REMOVED, date(1984, 6, 30), False,
    )  # fmt: skip
    assert (changed.version, changed.made_at, changed.made_by) == (2, NOW + timedelta(days=1), "ida")
    assert dict(changed.before) == {"family": ana.family, "birth_date": None, "active": True}
    assert dict(changed.after) == {"family": "Reed", "birth_date": date(1984, 6, 30), "active": False}


def test_versions_are_listed_with_their_numbers(database: Database) -> None:
    with database.session() as session:
        imported(session, patients("D1", "D2"), warnings=["line 3: odd"])
        imported(session, patients("D1", "D2"), day=1)
        imported(session, patients("D2", "D3"), day=2)
        second, first = roster_history.versions(session, SITE)
    assert (first.version, first.added, first.as_of, first.warnings) == (1, 2, NOW + timedelta(days=1), ())
    assert (second.version, second.added, second.changed, second.removed) == (2, 1, 0, 1)
    assert (second.source, second.restores) == ("day2.csv", None)


def test_a_roll_back_brings_an_earlier_list_back_as_a_new_version(database: Database) -> None:
    first = [replace(patients("D1")[0], mrn="7"), *patients("D2")]
    with database.session() as session:
        imported(session, first)
        imported(session, [replace(first[0], mrn="8", given="Wrong"), *patients("D3")], day=1)
        imported(session, patients("D4"), day=2)
        change = roster.roll_back(session, SITE, to=1, actor="ida", now=NOW + timedelta(days=3))
        assert listed(session) == tuple(first)
        assert change == RosterChange(added=2, changed=0, removed=1, version=4)
        (status,) = roster.status(session, now=NOW + timedelta(days=3))
        assert (status.age, status.held_by, status.imported_from) == (timedelta(days=3), "ida", "day0.csv")
        event = audit.events(session, object_kind="roster")[-1].event
        assert (event.action, dict(event.detail)["to"]) == ("roster.rolled-back", "1")
        roster.roll_back(session, SITE, to=3, actor="ida", now=NOW + timedelta(days=4))
        assert listed(session) == tuple(patients("D4"))


def test_a_roll_back_suspends_what_was_said_of_the_list_it_undoes(database: Database) -> None:
    with database.session() as session:
        alias_cases.listed(session, replace(alias_cases.ADA, mrn="other"), alias_cases.EVE)
        alias_cases.listed(session, alias_cases.ADA, alias_cases.EVE)
        alias_cases.say(session)
        assert alias_cases.only(session).state is AliasState.ACTIVE
        roster.roll_back(session, SITE, to=1, actor="ida", now=NOW)
        assert alias_cases.only(session).state is AliasState.SUSPENDED


def test_after_a_roll_back_the_roster_is_held_until_released(database: Database) -> None:
    with database.session() as session:
        imported(session, patients("D1"))
        imported(session, patients("D2"), day=1)
        assert not roster.is_held(session, SITE)
        roster.roll_back(session, SITE, to=1, actor="ida", now=NOW)
        assert roster.is_held(session, SITE)
        roster.release(session, SITE)
        assert not roster.is_held(session, SITE)


@pytest.mark.parametrize("version", [0, 2, 9])
def test_versions_that_are_not_there_or_in_use_are_not_rolled_back_to(database: Database, version: int) -> None:
    with database.session() as session:
        imported(session, patients("D1"))
        imported(session, patients("D2"), day=1)
        with pytest.raises(RosterError):
            roster.roll_back(session, SITE, to=version, actor="ida", now=NOW)
        assert listed(session) == tuple(patients("D2"))


def test_what_changed_since_a_version_makes_it_the_present_one(database: Database) -> None:
    with database.session() as session:
        imported(session, patients("D1", "D2", "D3"))
        imported(session, [replace(patients("D1")[0], given="New"), *patients("D3", "D4")], day=1)
        imported(session, [replace(patients("D1")[0], given="Newer"), *patients("D3", "D5")], day=2)
        update = roster.changes_since(session, SITE, 1)
        assert update is not None
        assert [(p.patient_id, p.given) for p in update.changed] == [("D1", "Newer"), ("D5", "Given D5")]
        assert (update.removed, update.version) == (("D2", "D4"), 3)
        assert roster.changes_since(session, SITE, 0) is None
        assert roster.changes_since(session, "EAST", 1) is None
        now = roster.changes_since(session, SITE, 3)
        assert now is not None
        assert (now.changed, now.removed) == ((), ())


def test_forgotten_history_is_not_rolled_back_to_and_the_rest_is(database: Database) -> None:
    with database.session() as session:
        for day in range(4):
            imported(session, patients("D1", f"D{day + 2}"), day=day)
        assert roster_history.forget(session, SITE, before=NOW + timedelta(days=2)) == 1
        assert [v.version for v in roster_history.versions(session, SITE)] == [4, 3, 2]
        with pytest.raises(RosterError):
            roster.roll_back(session, SITE, to=1, actor="ida", now=NOW)
        roster.roll_back(session, SITE, to=2, actor="ida", now=NOW)
        assert listed(session) == tuple(patients("D1", "D3"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    states=st.lists(
        st.dictionaries(st.sampled_from("ABCDEF"), st.tuples(st.text(max_size=3), st.none() | st.dates()), min_size=1),
        min_size=2, max_size=6,
    )
)  # fmt: skip
def test_every_version_can_be_brought_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, states: list[dict[str, tuple[str, date | None]]]
) -> None:
    lists = [
        [
            RosterPatient(patient_id=key, site=SITE, family="Avery", given=given or "A", birth_date=born)
            for key, (given, born) in sorted(state.items())
        ]
        for state in states
    ]
    home = tmp_path_factory.mktemp("rosters") / "home"
    with databases.create(StoreSettings(home=home), now=NOW) as made, made.session() as session:
        versions = [imported(session, patients, day=day).version for day, patients in enumerate(lists)]
        for version, wanted in zip(versions, lists, strict=True):
            if version != roster.version(session, SITE):
                roster.roll_back(session, SITE, to=version, actor="ida", now=NOW)
            assert listed(session) == tuple(wanted)


def test_a_list_from_the_future_is_as_old_as_its_import(database: Database) -> None:
    with database.session() as session:
        roster.replace(
            session, SITE, patients("D1"), as_of=NOW + timedelta(days=900), imported_from="r.csv", actor="ida",
            now=NOW, max_removed_share=0,
        )  # fmt: skip
        assert roster.in_use(session, SITE) == (1, NOW)


def test_a_roster_kept_before_there_was_a_history_is_its_first_version() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "store:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.execute(
            text("INSERT INTO roster VALUES (:site, 5, :at, 'day0.csv', :at, 'ida')"),
            {"site": SITE, "at": "2026-03-02"},
        )
        for key in ("D1", "D2"):
            connection.execute(
                text(
                    "INSERT INTO roster_patient (site, patient_id, family, given, active) "
                    "VALUES (:site, :key, 'A', 'B', 1)"
                ),
                {"site": SITE, "key": key},
            )
        command.upgrade(config, "0004")
        columns = "version, added, changed, removed, source, made_by, warnings"
        assert connection.execute(text(f"SELECT {columns} FROM roster_version")).all() == [
            (5, 2, 0, 0, "day0.csv", "ida", "[]")
        ]
        assert connection.execute(text("SELECT held_at FROM roster")).all() == [(None,)]


# --- limits


def many(count: int) -> list[RosterPatient]:
    return [replace(one, mrn=one.patient_id) for one in patients(*(f"D{number:03}" for number in range(count)))]


def refused(before: list[RosterPatient], after: list[RosterPatient], **limits: float) -> str:
    given = RosterLimits(**{"removed_share": 0.1, "identity_share": 0.05} | limits)
    error = refusal(difference(by_id(before), by_id(after)), given, site=SITE)
    return "" if error is None else error.message


def test_a_shifted_column_is_refused() -> None:
    before = many(50)
    names = [one.given for one in before]
    shifted = [replace(one, given=name) for one, name in zip(before, names[1:] + names[:1], strict=True)]
    assert "50 of 50 patients another name" in refused(before, shifted)
    assert refused(before, shifted, identity_share=1) == ""


def test_a_column_that_is_gone_is_refused_and_one_that_is_new_is_not() -> None:
    before = many(50)
    without = [replace(one, mrn=None) for one in before]
    assert "takes it away" in refused(before, without)
    assert refused(without, before) == ""


def test_other_letter_case_gives_nobody_another_name() -> None:
    before = many(50)
    assert refused(before, [replace(one, family=one.family.upper()) for one in before]) == ""


@pytest.mark.parametrize(("married", "is_refused"), [(2, False), (3, True)])
def test_two_corrections_are_everyday_in_the_smallest_clinic(married: int, is_refused: bool) -> None:
    before = many(4)
    after = [replace(one, family="Reed") if at < married else one for at, one in enumerate(before)]
    assert bool(refused(before, after)) is is_refused


def test_a_status_column_that_makes_everybody_inactive_is_refused() -> None:
    before = many(50)
    after = [replace(one, active=False) if at < 6 else one for at, one in enumerate(before)]
    assert "6 of 50 active patients inactive" in refused(before, after)
    assert refused(before, after, removed_share=0.12) == ""


def test_a_refused_list_leaves_roster_and_history_as_they_were(database: Database) -> None:
    with database.session() as session:
        imported(session, many(10))
    with pytest.raises(RosterError), database.session() as session:
        imported(session, [replace(one, given="X") for one in many(10)], day=1, max_identity_share=0.05)
    with database.reading() as session:
        assert (listed(session), roster.version(session, SITE)) == (tuple(many(10)), 1)
        assert len(roster_history.versions(session, SITE)) == 1


def test_a_difference_counts_fields_and_people() -> None:
    before = many(3)
    after = [replace(before[0], family="Reed", phone="1"), replace(before[1], phone="2"), *patients("D9")]
    diff = difference(by_id(before), by_id(after))
    assert (dict(diff.fields), diff.reidentified, diff.unchanged) == ({"family": 1, "phone": 2}, 1, 0)
    assert ([p.patient_id for p in diff.added], [p.patient_id for p in diff.removed]) == (["D9"], ["D002"])
