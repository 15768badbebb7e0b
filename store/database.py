"""Open the store: one encrypted file, or PostgreSQL; and hand out transactions on it.

Writers take turns on both engines (`BEGIN IMMEDIATE` on SQLite, a transaction-wide advisory lock on PostgreSQL): what a
transaction has looked up stays true until it commits, and nobody fails halfway for having come second. Unique
constraints stand behind that all the same.

On PostgreSQL the tables are as safe as the server's own disk encryption makes them; the documents are encrypted by
this program on either engine.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from hmac import compare_digest
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import UUID, uuid4

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlmodel import Session

from records.errors import KeyMissingError, ScorebridgeError, StoreError
from store.archive import Archive
from store.faults import plain
from store.keys import Keys, create_key_file, load_keys
from store.migrating import upgrade
from store.settings import StoreSettings
from store.tables import DeploymentRow
from store.turns import Turns

__all__ = ["Database", "Session", "create", "created_on", "exists", "open_existing"]

_WAIT_SECONDS: Final = 30
_WRITERS_TURN: Final = 0x53_42_57_54  # any number will do, as long as it stays the same
_READ_ONLY: Final = "scorebridge_read_only"
_LONGEST_TURN_SECONDS: Final = 60.0
_HELD: Final = 200  # rows: the most that one page asks for again, and nothing beside a long report


class _ReadingSession(Session):
    """A session that finds again what it has just read: SQLAlchemy alone lets go of rows that nobody else holds.

    Only where nothing is written: a statement past the mapper would not reach the rows that are held.
    """


@event.listens_for(_ReadingSession, "loaded_as_persistent")
def _hold(session: _ReadingSession, row: object) -> None:
    session.info["held"].append(row)


class Database:
    """An open store. Safe to share between threads; a session is not."""

    def __init__(self, settings: StoreSettings, engine: Engine, keys: Keys, deployment: str) -> None:
        self.settings = settings
        self.keys = keys
        self.archive = Archive(settings.archive_path, keys)
        self._engine = engine
        self._deployment = deployment
        self._turns = Turns()

    def __repr__(self) -> str:
        return f"Database({self._engine.dialect.name})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def deployment(self) -> UUID:
        """The installation's own id, chosen once when the database was made."""
        return UUID(self._deployment)

    @property
    def anchor_file(self) -> Path:
        """Where heads of the audit chain are remembered outside the database."""
        return self.settings.anchor_path

    @contextmanager
    def session(self, *, urgent: bool = False) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back if anything is raised. Others' writes wait meanwhile.

        `urgent` goes before everybody who waits for a turn: for answers about self-harm.

        Raises:
            StoreError: The disk is full, the database is busy, damaged, gone, or a constraint was about to be broken.
        """
        with (
            self._turns.turn(within=_LONGEST_TURN_SECONDS, urgent=urgent),
            self._transaction(read_only=False) as session,
        ):
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view that waits for no writer and cannot write.

        Raises:
            StoreError: As for `session`, and when something tries to write.
        """
        with self._transaction(read_only=True) as session:
            yield session

    def close(self) -> None:
        """Close all connections; sessions must have ended."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, *, read_only: bool) -> Iterator[Session]:
        try:
            with (_ReadingSession if read_only else Session)(self._engine, expire_on_commit=False) as session:
                session.info["held"] = deque(maxlen=_HELD)
                session.info["keys"] = self.keys
                session.info["deployment"] = self._deployment
                if read_only:
                    session.connection(execution_options={_READ_ONLY: True})
                yield session
                if read_only:
                    session.rollback()
                else:
                    session.commit()
        except SQLAlchemyError as fault:
            # The driver's own words may quote values ("Key (mrn)=(…) already exists"), so they end here.
            raise plain(fault) from None


def exists(settings: StoreSettings) -> bool:
    """Whether there is a database or an archive at these places (with or without its key).

    Raises:
        StoreError: The PostgreSQL server cannot be asked.
    """
    if not Archive(settings.archive_path, _NO_KEYS).is_empty():
        return True
    # An empty file is what an interrupted `create` leaves behind.
    if settings.database_path.exists() and settings.database_path.stat().st_size > 0:
        return True
    return settings.database_url is not None and _has_deployment(settings)


def create(settings: StoreSettings, *, now: datetime) -> Database:
    """Make the home folder, the key, the database and all its tables.

    Raises:
        KeyMissingError: There is data already and its key is gone; no new key is made.
        StoreError: There is a database already, or a place cannot be written.
    """
    has_key = settings.key_path.exists()
    if not has_key and exists(settings):
        raise _key_is_gone(settings)
    if has_key:
        _refuse_archive_alone(settings)
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.archive_path.mkdir(mode=0o700, exist_ok=True)
        if os.name == "posix":
            settings.home.chmod(0o700)
    except OSError as fault:
        raise StoreError(
            f"The home folder {settings.home} cannot be made: {fault.strerror}.",
            next_step="Choose another home, or make it and give it to the user that runs the program.",
        ) from None
    if not has_key:
        create_key_file(settings.key_path)
    keys = load_keys(settings.key_path)
    if settings.database_url is None:
        os.close(os.open(settings.database_path, os.O_WRONLY | os.O_CREAT, 0o600))
    return _opened(settings, keys, first_time=now)


def open_existing(settings: StoreSettings) -> Database:
    """Open a store that `create` made, and bring its tables up to date.

    Raises:
        KeyMissingError: The key is gone.
        StoreError: There is no database, it is damaged or newer than the program, or the key is another one's.
    """
    if not settings.key_path.exists():
        if exists(settings):
            raise _key_is_gone(settings)
        raise StoreError(f"There is no database in {settings.home}.", next_step="Run: scorebridge init")
    keys = load_keys(settings.key_path)
    _refuse_archive_alone(settings)
    if settings.database_url is None and not settings.database_path.exists():
        raise StoreError(f"There is no database in {settings.home}.", next_step="Run: scorebridge init")
    return _opened(settings, keys, first_time=None)


def created_on(database: Database) -> date:
    """The day this store was made, in UTC."""
    with database.reading() as session:
        return session.get_one(DeploymentRow, 1).created_at.date()


def _refuse_archive_alone(settings: StoreSettings) -> None:
    gone = settings.database_url is None and not settings.database_path.exists()
    if gone and not Archive(settings.archive_path, _NO_KEYS).is_empty():
        raise StoreError(
            f"The archive is there, but the database {settings.database_path} is gone.",
            next_step="Restore the database from the backup.",
        )


def _opened(settings: StoreSettings, keys: Keys, *, first_time: datetime | None) -> Database:
    engine = _engine(settings, keys)
    try:
        with engine.begin() as connection, Session(connection) as session:
            _check_owner(connection, keys)
            upgrade(connection)
            deployment = _deployment(session, keys, first_time=first_time)
    except SQLAlchemyError as fault:
        engine.dispose()
        raise plain(fault) from None
    except ScorebridgeError:
        engine.dispose()
        raise
    return Database(settings, engine, keys, deployment)


def _deployment(session: Session, keys: Keys, *, first_time: datetime | None) -> str:
    row = session.get(DeploymentRow, 1)
    if row is not None:
        if first_time is not None:
            raise StoreError("There is a database already.", next_step="Use it, or choose another home for a new one.")
        return row.deployment_uuid
    if first_time is None:
        raise StoreError("The database was never set up to the end.", next_step="Run: scorebridge init")
    row = DeploymentRow(id=1, deployment_uuid=str(uuid4()), key_check=keys.check.hex(), created_at=first_time)
    session.add(row)
    session.flush()
    return row.deployment_uuid


def _check_owner(connection: Connection, keys: Keys) -> None:
    if not inspect(connection).has_table("deployment"):
        return
    check = connection.execute(text("SELECT key_check FROM deployment WHERE id = 1")).scalar_one_or_none()
    if check is not None and not compare_digest(str(check), keys.check.hex()):
        raise StoreError("The key belongs to another database.", next_step="Restore the key of this database.")


def _has_deployment(settings: StoreSettings) -> bool:
    engine = _engine(settings, _NO_KEYS)
    try:
        with engine.connect() as connection:
            return inspect(connection).has_table("deployment") and (
                connection.execute(text("SELECT count(*) FROM deployment")).scalar_one() > 0
            )
    except SQLAlchemyError as fault:
        raise plain(fault) from None
    finally:
        engine.dispose()


def _key_is_gone(settings: StoreSettings) -> KeyMissingError:
    return KeyMissingError(
        f"There is data, but its key {settings.key_path} is missing.",
        next_step="Restore the key from its copy or the backup; a new one would not open the data.",
    )


def _engine(settings: StoreSettings, keys: Keys) -> Engine:
    if settings.database_url is not None:
        engine = create_engine(
            settings.database_url.get_secret_value(),
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=10,
            connect_args={"options": f"-c lock_timeout={_WAIT_SECONDS}s -c timezone=UTC", "connect_timeout": 10},
        )
        event.listen(engine, "begin", _begin_on_postgresql)
        return engine

    def connect() -> sqlcipher.Connection:
        return _sqlcipher_connection(settings.database_path, keys)

    # SQLAlchemy would choose a pool of one connection per thread for a connection it does not know to be a file.
    engine = create_engine(
        "sqlite://",
        module=sqlcipher,
        creator=connect,
        poolclass=QueuePool,
        pool_size=10,
        max_overflow=20,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin_on_sqlite)
    event.listen(engine, "close", _tidy)
    return engine


def _sqlcipher_connection(path: Path, keys: Keys) -> sqlcipher.Connection:
    # mode=rw: a database that disappeared must not come back as an empty one.
    connection = sqlcipher.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        check_same_thread=False,
        timeout=_WAIT_SECONDS,
        isolation_level=None,
    )
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")  # or a wrong key writes to stderr from C
        connection.execute(f"PRAGMA key = \"x'{keys.database.hex()}'\"")
        connection.execute("SELECT count(*) FROM sqlite_master")
        # FULL: an original may be deleted after the commit, so a power cut must not take the commit back.
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = FAST",
            "cache_size = -64000",
            f"busy_timeout = {_WAIT_SECONDS * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _begin_on_sqlite(connection: Connection) -> None:
    read_only = bool(connection.get_execution_options().get(_READ_ONLY))
    if connection.info.get(_READ_ONLY) is not read_only:
        connection.exec_driver_sql(f"PRAGMA query_only = {int(read_only)}")
        connection.info[_READ_ONLY] = read_only
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _begin_on_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(_READ_ONLY):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_TURN})")


def _tidy(connection: sqlcipher.Connection, _entry: ConnectionPoolEntry) -> None:
    # Keeps the planner's statistics fresh without anybody having to think of ANALYZE; costs nothing when not due.
    try:
        connection.execute("PRAGMA query_only = 0")
        connection.execute("PRAGMA optimize")
    except sqlcipher.Error:
        # A broken connection shows itself in its next transaction, with words; tidying is not worth an error.
        return


_NO_KEYS: Final = Keys(database=b"", archive=b"", audit=b"", identifier=b"", check=b"")
