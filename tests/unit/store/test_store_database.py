"""Opening a store, and what keeps it safe."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr, ValidationError
from sqlalchemy import text
from store_cases import NOW, SITE, SURNAME, handed, record, taken, with_roster

from records.decision import Decision
from records.errors import KeyMissingError, StoreError
from store import cases, outbox, reports, roster
from store import database as databases
from store.database import Database
from store.keys import Keys, create_key_file, load_keys
from store.settings import StoreSettings
from store.tables import StoreTable


def file_settings(tmp_path: Path) -> StoreSettings:
    return StoreSettings(home=tmp_path / "home")


def test_what_was_stored_is_there_after_a_restart(settings: StoreSettings) -> None:
    with databases.create(settings, now=NOW) as first, first.session() as session:
        handed(session, record(Decision.REVIEW))
    with databases.open_existing(settings) as second, second.reading() as session:
        assert cases.count_open(session) == 1
    with databases.open_existing(settings) as third:
        assert databases.created_on(third) == NOW.date()


def test_a_store_is_made_only_once(settings: StoreSettings) -> None:
    assert not databases.exists(settings)
    databases.create(settings, now=NOW).close()
    assert databases.exists(settings)
    with pytest.raises(StoreError, match="already"):
        databases.create(settings, now=NOW)


def test_a_creation_that_was_interrupted_can_be_done_again(settings: StoreSettings) -> None:
    settings.home.mkdir()
    create_key_file(settings.key_path)
    if settings.database_url is None:
        settings.database_path.touch()
    databases.create(settings, now=NOW).close()
    databases.open_existing(settings).close()


def test_data_without_its_key_is_never_given_a_new_one(settings: StoreSettings) -> None:
    databases.create(settings, now=NOW).close()
    settings.key_path.unlink()
    for attempt in (lambda: databases.open_existing(settings), lambda: databases.create(settings, now=NOW)):
        with pytest.raises(KeyMissingError):
            attempt()
    assert not settings.key_path.exists()


def test_an_archive_without_its_database_is_not_taken_for_a_new_beginning(tmp_path: Path) -> None:
    settings = file_settings(tmp_path)
    with databases.create(settings, now=NOW) as made:
        made.archive.put(b"document")
    settings.database_path.unlink()
    for attempt in (lambda: databases.open_existing(settings), lambda: databases.create(settings, now=NOW)):
        with pytest.raises(StoreError, match="archive"):
            attempt()


def test_another_key_opens_nothing_and_says_so_plainly(settings: StoreSettings) -> None:
    databases.create(settings, now=NOW).close()
    settings.key_path.unlink()
    create_key_file(settings.key_path)
    with pytest.raises(StoreError, match=r"key") as refused:
        databases.open_existing(settings)
    assert "Restore" in refused.value.next_step


def test_opening_what_was_never_made_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="scorebridge init"):
        databases.open_existing(file_settings(tmp_path))


def test_migrations_make_exactly_the_tables_the_program_expects(database: Database) -> None:
    with database.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, StoreTable.metadata) == []


def test_a_database_of_a_newer_program_is_left_alone(settings: StoreSettings) -> None:
    with databases.create(settings, now=NOW) as made, made.session() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer"):
        databases.open_existing(settings)


@pytest.mark.skipif(os.name != "posix", reason="permission bits are a POSIX matter")
def test_home_and_key_are_the_owners_alone(tmp_path: Path) -> None:
    settings = file_settings(tmp_path)
    databases.create(settings, now=NOW).close()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (settings.home, settings.key_path, settings.database_path)]
    assert modes == [0o700, 0o600, 0o600]
    settings.key_path.chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600"):
        databases.open_existing(settings)


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    create_key_file(tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(StoreError):
        create_key_file(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"not a key", b"\xff\xfe"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StoreError, match="does not hold a key"):
        load_keys(path)


def test_keys_differ_by_purpose_and_show_nothing(tmp_path: Path) -> None:
    create_key_file(tmp_path / "key")
    keys = load_keys(tmp_path / "key")
    parts = (keys.database, keys.archive, keys.audit, keys.identifier, keys.check)
    assert len(set(parts)) == 5
    assert all(part.hex() not in repr(keys) and repr(part) not in repr(keys) for part in parts)


def test_opaque_ids_tell_their_parts_apart() -> None:
    keys = Keys(database=b"", archive=b"", audit=b"", identifier=b"k" * 32, check=b"")
    parts = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", None), ("abc", ""), (1,), ("1",)]
    assert len({keys.opaque("x", part) for part in parts}) == len(parts)
    assert keys.opaque("x", ("a",)) != keys.opaque("y", ("a",))


def test_no_name_stands_readable_on_the_disk(tmp_path: Path) -> None:
    settings = file_settings(tmp_path)
    with databases.create(settings, now=NOW) as made:
        with made.session() as session:
            with_roster(session, "D1")
            report = taken(session, made)
            handed(session, record(Decision.REVIEW))
            assert report.document_id is not None
        files = [path for path in settings.home.rglob("*") if path.is_file()]
        names = {path.name for path in files}
        assert {"scorebridge.db", "scorebridge.db-wal", report.document_id} <= names
        content = b"".join(path.read_bytes() for path in files)
    for secret in (SURNAME, "synthetic %%EOF", "roster.csv", "SQLite format"):
        assert secret.encode() not in content


def test_reading_cannot_write(database: Database) -> None:
    with database.session() as session:
        report = taken(session)
    with pytest.raises(StoreError, match="only reads"), database.reading() as session:
        reports.quarantine(session, report.report_id, reason="reader-died", now=NOW)
    with database.session() as session:  # the same connection writes again
        reports.quarantine(session, report.report_id, reason="reader-died", now=NOW)


def test_an_error_rolls_everything_back(database: Database) -> None:
    def take_and_fail() -> None:
        with database.session() as session:
            taken(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        take_and_fail()
    with database.reading() as session:
        assert reports.recent(session) == []


def test_a_broken_rule_is_reported_without_the_values(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
    with pytest.raises(StoreError) as refused, database.session() as session:
        session.connection().execute(text("INSERT INTO roster_patient SELECT * FROM roster_patient"))
    assert SURNAME not in str(refused.value)
    assert "D1" not in str(refused.value)
    assert "rule" in refused.value.message


def test_a_reader_sees_one_moment_while_others_write(database: Database) -> None:
    with database.reading() as reader:
        before = reports.recent(reader)
        with database.session() as session:
            taken(session)
        reader.expire_all()
        assert reports.recent(reader) == before == []


def test_writers_take_turns_instead_of_failing(database: Database) -> None:
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                with database.session() as session:
                    handed(session, record(patient_id=f"D{number}-{turn}"))
        except BaseException as fault:  # noqa: BLE001
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with database.reading() as session:
        assert outbox.counts(session)["pending"] == 30


def test_a_full_disk_is_called_a_full_disk(tmp_path: Path) -> None:
    with databases.create(file_settings(tmp_path), now=NOW) as made:
        with made.session() as session:  # the pool gives its one connection to the next
            pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
            session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(StoreError, match="disk is full"), made.session() as session:
            handed(session, *(record(patient_id=f"D{number}") for number in range(200)))


def test_a_damaged_database_is_called_damaged(tmp_path: Path) -> None:
    settings = file_settings(tmp_path)
    with databases.create(settings, now=NOW) as made, made.session() as session:
        handed(session, *(record(patient_id=f"D{number}") for number in range(50)))
    content = bytearray(settings.database_path.read_bytes())
    for place in range(4096 * 3 + 100, len(content), 4096):
        content[place] ^= 0xFF
    settings.database_path.write_bytes(bytes(content))
    with pytest.raises(StoreError, match=r"damaged|does not open"):
        databases.open_existing(settings)


def test_an_unreachable_server_is_called_unreachable(tmp_path: Path) -> None:
    settings = StoreSettings(
        home=tmp_path / "home", database_url=SecretStr("postgresql+psycopg://u:secret-word@127.0.0.1:9/x")
    )
    with pytest.raises(StoreError, match="does not answer") as refused:
        databases.create(settings, now=NOW)
    assert "secret-word" not in str(refused.value)


def test_only_postgresql_addresses_are_taken(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        StoreSettings(home=tmp_path, database_url=SecretStr("mysql://x"))


def test_sites_do_not_see_each_other(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        assert roster.current(session, "EAST") is None
        assert roster.patient(session, SITE, "D1") is not None
        assert roster.patient(session, "EAST", "D1") is None
