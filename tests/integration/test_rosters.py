"""Rosters in the service: imported in time, refused with one notice, held after a roll back, brought up in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ingest.roster_imports import HELD, REFUSED, RosterImports, import_listing
from ingest.roster_sources import read_listing
from ingest.rosters import Rosters
from ingest.settings import Settings, SiteSettings
from matching.person import printed_person
from portal.settings import PatientSearchSettings
from records.patient import PatientIdentity
from store import database as databases
from store import notices, roster, roster_layouts
from store.database import Database
from store.notices import Notice
from store.roster import RosterUpdate
from store.roster_layouts import ListLayout
from tests.unit.portal.fhir_server import FhirServer, fhir_server, person

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HEADER = "patient_id,last_name,first_name,mrn,dob\n"


def line(number: int, given: str = "Ana") -> str:
    return f"P{number},Avery,{given}{number},{number:05},1984-06-30\n"


@dataclass
class Clinic:
    """One site with a roster, nothing running."""

    database: Database
    settings: Settings
    file: Path

    def __post_init__(self) -> None:
        self.imports = RosterImports(self.database, self.settings)
        self.rosters = Rosters(self.database, self.settings)

    @property
    def site(self) -> SiteSettings:
        return self.settings.site[0]

    def write(self, text: str, *, at: datetime = NOW) -> None:
        """A file that was written whole, a minute before."""
        self.file.write_text(text, "utf-8")
        os.utime(self.file, (at.timestamp() - 60, at.timestamp() - 60))

    def open_notices(self, kind: str) -> list[Notice]:
        with self.database.reading() as session:
            return [notice for notice in notices.list_open(session) if notice.kind == kind]

    def names(self) -> set[str]:
        with self.database.reading() as session:
            current = roster.current(session, "WCP")
        return set() if current is None else {patient.given for patient in current.patients}

    def finds(self, given: str) -> bool:
        index = self.rosters.of("WCP", now=NOW).index
        assert index is not None
        found = index.sure(printed_person(PatientIdentity(family="Avery", given=given)))
        return any(index.person(int(row)).given == given.casefold() for row in found)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    file = tmp_path / "roster.csv"
    settings = Settings(home=tmp_path / "home", site=(SiteSettings(id="WCP", roster=file),), alerts="none")
    with databases.create(settings.store, now=NOW) as made:
        yield Clinic(made, settings, file)


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with fhir_server() as running:
        running.patients = [person(number) for number in range(5)]
        yield running


@pytest.fixture
def asking(tmp_path: Path, server: FhirServer) -> Iterator[Clinic]:
    """A site whose roster is a FHIR server's."""
    fhir = PatientSearchSettings.model_validate({"base_url": server.url, "identifier_system": "urn:mrn"})
    site = SiteSettings(id="WCP", roster_fhir=fhir, roster_every_minutes=30)
    settings = Settings(home=tmp_path / "home", site=(site,), alerts="none")
    with databases.create(settings.store, now=NOW) as made:
        yield Clinic(made, settings, tmp_path / "none.csv")


# --- files


def test_a_refusal_leaves_one_notice_until_a_good_list_comes(clinic: Clinic) -> None:
    clinic.write(HEADER + "".join(map(line, range(40))))
    clinic.imports.import_changed(now=NOW)
    clinic.write(HEADER + line(1))
    clinic.imports.import_changed(now=NOW)
    clinic.imports.import_changed(now=NOW + timedelta(minutes=1))
    (notice,) = clinic.open_notices(REFUSED)
    assert "lacks 39 of 40" in notice.sentence
    assert len(clinic.names()) == 40
    clinic.write(HEADER + "".join(map(line, range(41))))
    clinic.imports.import_changed(now=NOW)
    assert (clinic.open_notices(REFUSED), len(clinic.names())) == ([], 41)


def test_a_refused_file_is_read_once_a_person_has_said_which_column_is_which(clinic: Clinic) -> None:
    clinic.write("Kd.-Id,Person A,Person B,Tag\n" + "".join(f"P{n},Avery,Ana{n},03/0{n}/1984\n" for n in range(1, 9)))
    clinic.imports.import_changed(now=NOW)
    assert (len(clinic.open_notices(REFUSED)), clinic.names()) == (1, set())
    columns = {"patient_id": "Kd.-Id", "family": "Person A", "given": "Person B", "birth_date": "Tag"}
    for layout in (ListLayout(columns=columns), ListLayout(columns=columns, date_format="%d/%m/%Y")):
        with clinic.database.session() as session:
            roster_layouts.keep(session, "WCP", layout, actor="ada", now=NOW)
        clinic.imports.import_changed(now=NOW)
    assert (clinic.open_notices(REFUSED), len(clinic.names())) == ([], 8)
    with clinic.database.reading() as session:
        current = roster.current(session, "WCP")
    assert current is not None
    assert {one.birth_date for one in current.patients} == {date(1984, month, 3) for month in range(1, 9)}


def test_what_was_chosen_is_not_used_where_the_settings_file_says_otherwise(clinic: Clinic) -> None:
    clinic.write("id,A,B\nP1,Avery,Ana\n")
    settled = clinic.site.model_copy(update={"roster_columns": {"family": "A", "given": "B"}})
    swapped = ListLayout(columns={"patient_id": "id", "family": "B", "given": "A"})
    with clinic.database.session() as session:
        roster_layouts.keep(session, "WCP", swapped, actor="ada", now=NOW)
    settings = clinic.settings.model_copy(update={"site": (settled,)})
    RosterImports(clinic.database, settings).import_changed(now=NOW)
    assert clinic.names() == {"Ana"}


def test_another_reason_is_another_notice(clinic: Clinic) -> None:
    clinic.imports.import_changed(now=NOW)
    clinic.write("nothing\n")
    clinic.imports.import_changed(now=NOW)
    (notice,) = clinic.open_notices(REFUSED)
    assert "lacks columns" in notice.sentence


def test_names_in_other_charts_are_refused_by_the_service(clinic: Clinic) -> None:
    clinic.write(HEADER + "".join(map(line, range(40))))
    clinic.imports.import_changed(now=NOW)
    clinic.write(HEADER + "".join(line(number, "Ben") for number in range(40)), at=NOW + timedelta(hours=1))
    clinic.imports.import_changed(now=NOW + timedelta(hours=1))
    assert "40 of 40 patients another name" in clinic.open_notices(REFUSED)[0].sentence
    assert "Ana3" in clinic.names()


def test_a_rolled_back_list_is_not_imported_again_by_itself_even_after_a_restart(clinic: Clinic) -> None:
    clinic.write(HEADER + line(1))
    clinic.imports.import_changed(now=NOW)
    clinic.write(HEADER + line(1, "Wrong"), at=NOW + timedelta(hours=1))
    clinic.imports.import_changed(now=NOW + timedelta(hours=1))
    with clinic.database.session() as session:
        roster.roll_back(session, "WCP", to=1, actor="ida", now=NOW + timedelta(hours=2))
    restarted = RosterImports(clinic.database, clinic.settings)
    for hours in (3, 4):
        restarted.import_changed(now=NOW + timedelta(hours=hours))
    assert (clinic.names(), len(clinic.open_notices(HELD))) == ({"Ana1"}, 1)
    clinic.write(HEADER + line(1) + line(2))
    import_listing(
        clinic.database, clinic.site, read_listing(clinic.site, now=NOW), actor="ida", now=NOW,
        limits=clinic.site.roster_limits, by_hand=True,
    )  # fmt: skip
    assert (clinic.names(), clinic.open_notices(HELD)) == ({"Ana1", "Ana2"}, [])
    clinic.write(HEADER + line(1) + line(2) + line(3), at=NOW + timedelta(hours=5))
    restarted.import_changed(now=NOW + timedelta(hours=5))
    assert "Ana3" in clinic.names()


def test_a_file_that_may_still_be_written_waits_a_few_seconds_if_there_is_a_roster(clinic: Clinic) -> None:
    just_now = NOW + timedelta(minutes=1)
    clinic.write(HEADER + line(1) + line(2), at=just_now)
    clinic.imports.import_changed(now=NOW)
    assert len(clinic.names()) == 2
    clinic.write(HEADER + line(1) + line(2) + line(3), at=just_now + timedelta(minutes=1))
    clinic.imports.import_changed(now=just_now + timedelta(seconds=5))
    assert len(clinic.names()) == 2
    clinic.imports.import_changed(now=just_now + timedelta(seconds=15))
    assert len(clinic.names()) == 3


def test_the_same_list_again_is_fresh_for_matching_too(clinic: Clinic) -> None:
    clinic.write(HEADER + line(1))
    clinic.imports.import_changed(now=NOW)
    later = NOW + timedelta(days=8)
    assert clinic.rosters.of("WCP", now=later).reasons == ("roster-stale",)
    clinic.write(HEADER + line(1), at=later)
    clinic.imports.import_changed(now=later)
    assert clinic.rosters.of("WCP", now=later).reasons == ()


def test_an_index_in_memory_follows_every_version(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic.write(HEADER + "".join(map(line, range(40))))
    clinic.imports.import_changed(now=NOW)
    assert clinic.finds("Ana3")
    used: list[RosterUpdate | None] = []
    since = roster.changes_since

    def watched(*arguments: object) -> RosterUpdate | None:
        used.append(since(*arguments))  # type: ignore[arg-type]
        return used[-1]

    monkeypatch.setattr(roster, "changes_since", watched)
    text = HEADER + "".join(map(line, range(40))).replace("Ana3,", "Zoe3,").replace(line(5), "")
    clinic.write(text, at=NOW + timedelta(hours=1))
    clinic.imports.import_changed(now=NOW + timedelta(hours=1))
    assert (clinic.finds("Zoe3"), clinic.finds("Ana3"), clinic.finds("Ana5")) == (True, False, False)
    assert [len(update.changed) for update in used if update] == [1]


# --- servers


def test_a_server_is_asked_when_it_is_due(asking: Clinic, server: FhirServer) -> None:
    asking.imports.import_due(now=NOW)
    assert len(asking.names()) == 5
    server.patients.append(person(9))
    asking.imports.import_due(now=NOW + timedelta(minutes=29))
    assert len(asking.names()) == 5
    RosterImports(asking.database, asking.settings).import_due(now=NOW + timedelta(minutes=29))  # restarted
    assert len(asking.names()) == 5
    asking.imports.import_due(now=NOW + timedelta(minutes=30))
    assert len(asking.names()) == 6


def test_a_server_that_fails_leaves_a_notice_is_asked_sooner_and_removes_nobody(
    asking: Clinic, server: FhirServer
) -> None:
    asking.imports.import_due(now=NOW)
    server.next_links[1] = None
    asking.imports.import_due(now=NOW + timedelta(minutes=30))
    assert (len(asking.names()), len(asking.open_notices(REFUSED))) == (5, 1)
    server.next_links.clear()
    asking.imports.import_due(now=NOW + timedelta(minutes=35))
    assert asking.open_notices(REFUSED) == []


def test_a_merged_patient_of_a_server_leads_to_the_survivor(asking: Clinic, server: FhirServer) -> None:
    server.patients[1]["link"] = [{"type": "replaced-by", "other": {"reference": "Patient/r4"}}]
    server.patients[2]["link"] = [{"type": "replaced-by", "other": {"reference": "Patient/r1"}}]
    asking.imports.import_due(now=NOW)
    with asking.database.reading() as session:
        first, second = (roster.patient(session, "WCP", key) for key in ("r1", "r2"))
        (status,) = roster.status(session, now=NOW)
    assert first is not None
    assert second is not None
    assert (first.active, first.merged_into, second.merged_into) == (False, "r4", "r4")
    assert (status.active, status.merged, len(status.warnings)) == (3, 2, 1)


def test_a_server_most_of_whose_patients_cannot_be_used_is_refused(asking: Clinic, server: FhirServer) -> None:
    for patient in server.patients[:2]:
        patient["name"] = []
    asking.imports.import_due(now=NOW)
    (notice,) = asking.open_notices(REFUSED)
    assert "2 of 5 patients" in notice.sentence
