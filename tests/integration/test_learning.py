"""What a reviewer decides of a print, the pipeline does by itself the next time, and takes back when it was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from reading_clinic import ROSTER, ReadingClinic, export, reader_pool, row

from ingest.housekeeping import Housekeeping
from ingest.settings import Settings, SiteSettings, SourceSettings
from ingest.workers import ReaderPool
from review import actions
from store import aliases, blind_audit, kept_entries, notices, outbox, users
from store.alias_states import AliasReason, AliasState, StoredAlias
from store.blind_audit import Verdict
from store.users import Role

SOURCE = "LMH:/print"


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    made = reader_pool(workers=1)
    yield made
    made.close()


@pytest.fixture
def clinic(tmp_path: Path, pool: ReaderPool) -> Iterator[ReadingClinic]:
    made = ReadingClinic(home=tmp_path, pool=pool)
    made.publish("lmh_measure_export")
    made.import_rosters()
    yield made
    made.database.close()


def misprint(day: int) -> bytes:
    """A print of the second patient with another family name and day of birth, of another day."""
    printed = row("P2", day=f"{day:02}.09.2026").replace("Okonkwo", "Adeyemi").replace("02.11.1974", "30.05.1957")
    return export(printed, printed=f"{day:02}.09.2026")


def approve(clinic: ReadingClinic, actor: str, *, patient_id: str = "P2") -> None:
    [case] = clinic.cases()
    actions.approve(
        clinic.database, case.case_id, version=case.version, patient_id=patient_id, actor=actor, now=clinic.now,
        today=clinic.now.date(), destinations=("portal",),
    )  # fmt: skip


def taught(clinic: ReadingClinic) -> StoredAlias:
    """Two reviewers say that the misprint is the second patient."""
    for day, actor in ((1, "ida"), (2, "rosa")):
        clinic.read(misprint(day))
        approve(clinic, actor)
    return alias_of(clinic)


def alias_of(clinic: ReadingClinic) -> StoredAlias:
    with clinic.database.reading() as session:
        return aliases.list_aliases(session)[0]


def new_roster(clinic: ReadingClinic, text: str) -> None:
    (clinic.home / "roster_LMH.csv").write_text(text, "utf-8")
    clinic.import_rosters()


def test_two_reviewers_make_an_alias_that_matching_is_given_for_its_source(clinic: ReadingClinic) -> None:
    assert taught(clinic).state is AliasState.ACTIVE
    given = clinic.rosters.of("LMH", now=clinic.now, source=SOURCE).policy.aliases
    assert [one.patient_id for one in given.values()] == ["P2"]
    assert clinic.rosters.of("LMH", now=clinic.now, source="LMH:/elsewhere").policy.aliases == {}
    assert clinic.rosters.of("LMH", now=clinic.now).policy.aliases == {}


def test_the_same_print_needs_nobody_the_third_time_and_revoking_takes_it_back(clinic: ReadingClinic) -> None:
    number = taught(clinic).alias_id
    clinic.read(misprint(3))
    assert clinic.cases() == []
    assert alias_of(clinic).uses == 1
    assert len(actions.revoke_alias(clinic.database, number, actor="ida", now=clinic.now)) == 1
    [case] = clinic.cases()
    assert case.reasons == ("vetoed",)
    clinic.read(misprint(4))
    assert len(clinic.cases()) == 2


def test_a_patient_who_changes_on_the_roster_needs_a_person_again(clinic: ReadingClinic) -> None:
    taught(clinic)
    new_roster(clinic, ROSTER.replace("LM-20002", "LM-20009"))
    clinic.read(misprint(3))
    assert len(clinic.cases()) == 1
    assert alias_of(clinic).events[-1].reason is AliasReason.PATIENT_CHANGED


def test_a_newcomer_who_is_as_likely_suspends_the_alias(clinic: ReadingClinic) -> None:
    taught(clinic)
    new_roster(clinic, ROSTER + "P9,LMH,LM-90009,Adeyemi,Dario,1957-05-30,M,active\n")
    clinic.read(misprint(3))
    [case] = clinic.cases()
    assert "alias-suspended" in case.reasons
    assert alias_of(clinic).events[-1].reason is AliasReason.NEWCOMER


def test_the_service_draws_blind_audits_and_shows_what_they_find(clinic: ReadingClinic) -> None:
    clinic.read(export(row("P1")))
    matching = clinic.settings.matching.model_copy(update={"blind_audit_share": 1.0})
    settings = clinic.settings.model_copy(update={"matching": matching})
    housekeeping = Housekeeping(
        clinic.database,
        settings,
        rosters=clinic.roster_imports,
        matching=clinic.rosters,
        watchers=(),
        metrics=clinic.metrics,
    )
    housekeeping.step(clinic.now)
    with clinic.database.reading() as session:
        [task] = blind_audit.list_tasks(session)
    actions.answer_blind_audit(
        clinic.database, task.task_id, Verdict.NONE_OF_THESE, patient_id=None, actor="ida", now=clinic.now
    )
    housekeeping.step(clinic.now + timedelta(minutes=10))
    figures = generate_latest(clinic.metrics.registry).decode()
    assert 'scorebridge_blind_audits{outcome="wrong"} 1.0' in figures
    assert "scorebridge_blind_audit_error_bound_ratio 1.0" in figures
    with clinic.database.reading() as session:
        assert [one.kind for one in notices.list_open(session)] == ["blind-audit-disagrees"]


def test_aliases_that_nobody_uses_are_let_go_after_the_months_of_the_settings(clinic: ReadingClinic) -> None:
    taught(clinic)
    housekeeping = Housekeeping(
        clinic.database,
        clinic.settings,
        rosters=clinic.roster_imports,
        matching=clinic.rosters,
        watchers=(),
        metrics=clinic.metrics,
    )
    housekeeping.step(clinic.now + timedelta(days=364))
    assert alias_of(clinic).state is AliasState.ACTIVE
    housekeeping.step(clinic.now + timedelta(days=366))
    assert alias_of(clinic).events[-1].reason is AliasReason.UNUSED


def test_the_service_forgets_entries_that_were_kept_for_nobody(clinic: ReadingClinic) -> None:
    with clinic.database.session() as session:
        ida = users.add(session, "ida", "three words are easy", Role.REVIEWER, actor="setup", now=clinic.now)
        assert kept_entries.keep(session, ida, "/cases/1/reject", {"note": "x"}, now=clinic.now)
    housekeeping = Housekeeping(
        clinic.database,
        clinic.settings,
        rosters=clinic.roster_imports,
        matching=clinic.rosters,
        watchers=(),
        metrics=clinic.metrics,
    )
    housekeeping.step(clinic.now + timedelta(minutes=29))
    with clinic.database.reading() as session:
        assert kept_entries.has_entries(session, ida, now=clinic.now)
    housekeeping.step(clinic.now + timedelta(minutes=35))
    with clinic.database.reading() as session:
        assert not kept_entries.has_entries(session, ida, now=clinic.now)


def test_the_threshold_of_a_source_beats_its_sites_and_that_beats_all(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        site=(SiteSettings(id="A", threshold=0.99), SiteSettings(id="B")),
        source=(
            SourceSettings(site="A", folder=tmp_path / "strict", threshold=0.9999),
            SourceSettings(site="A", folder=tmp_path / "plain"),
        ),
    )
    strict, plain = (source.name for source in settings.source)
    assert settings.threshold_of("A", strict) == 0.9999
    assert settings.threshold_of("A", plain) == settings.threshold_of("A", None) == 0.99
    assert settings.threshold_of("B", strict) == settings.threshold_of("B", None) == 0.999


def test_the_service_tells_of_messages_that_no_destination_of_the_settings_takes(clinic: ReadingClinic) -> None:
    clinic.read(export(row("P1")))
    settings = clinic.settings.model_copy(update={"destination": ()})
    housekeeping = Housekeeping(
        clinic.database,
        settings,
        rosters=clinic.roster_imports,
        matching=clinic.rosters,
        watchers=(),
        metrics=clinic.metrics,
    )
    housekeeping.step(clinic.now)
    with clinic.database.reading() as session:
        waiting = {one.submission.destination for one in outbox.list_submissions(session)}
        told = {one.subject for one in notices.list_open(session) if one.kind == "destination-unserved"}
    assert waiting
    assert told == waiting
    served = Housekeeping(
        clinic.database,
        clinic.settings,
        rosters=clinic.roster_imports,
        matching=clinic.rosters,
        watchers=(),
        metrics=clinic.metrics,
    )
    served.step(clinic.now + timedelta(minutes=10))
    with clinic.database.reading() as session:
        assert not any(one.kind == "destination-unserved" for one in notices.list_open(session))
