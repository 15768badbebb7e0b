"""A client certificate that is about to end is told of in time, and no longer once it was renewed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from delivery_cases import new_store

from ingest.certificate_ends import client_certificates, tell_of_ends
from ingest.settings import Settings
from store import notices
from store.database import Database
from tests.portals.certificates import Authority, new_authority


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path)


def told(database: Database) -> list[str]:
    with database.reading() as session:
        return [notice.subject for notice in notices.unsent(session)]


def test_it_is_told_a_month_and_a_week_before_and_taken_back_after_renewal(
    database: Database, authority: Authority, tmp_path: Path
) -> None:
    file = authority.client("scorebridge", days=40)
    start = datetime.now(UTC)
    seen = []
    for day in (0, 9, 11, 32, 34, 41):
        tell_of_ends(database, {"destination portal": file}, now=start + timedelta(days=day))
        seen.append(len(told(database)))
    assert seen == [0, 0, 1, 1, 2, 2]
    assert told(database) == ["destination portal: 30 days", "destination portal: 7 days"]
    shutil.copy(authority.client("scorebridge", days=365), file)
    tell_of_ends(database, {"destination portal": file}, now=start + timedelta(days=41))
    assert told(database) == []


def test_a_file_that_cannot_be_read_hides_no_other(database: Database, authority: Authority, tmp_path: Path) -> None:
    files = {"destination gone": tmp_path / "gone.pem", "destination portal": authority.client("scorebridge", days=3)}
    tell_of_ends(database, files, now=datetime.now(UTC))
    assert len(told(database)) == 2


def test_portals_and_rosters_are_looked_at(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "home": str(tmp_path),
            "alerts": "none",
            "site": [
                {"id": "WCP", "roster_fhir": {"base_url": "https://f.example.org", "client_certificate": "/c/r.pem"}},
                {"id": "LMH"},
            ],
            "destination": [
                {"id": "portal", "file": "generic-json.yaml", "base_url": "https://p.example.org",
                 "client_certificate": "portal.pem"},
                {"id": "other", "file": "generic-json.yaml", "base_url": "https://o.example.org"},
            ],
        }
    )  # fmt: skip
    assert client_certificates(settings, folder=tmp_path) == {
        "destination portal": tmp_path / "portal.pem",
        "roster of WCP": Path("/c/r.pem"),
    }
