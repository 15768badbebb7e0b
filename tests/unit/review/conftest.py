"""One clinic per test, in a store of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from review.provider import Provider
from tests.portals.identity_provider import IdentityProvider, identity_provider
from tests.portals.identity_server import CLIENT_SECRET
from tests.unit.review.provider_pair import Pair, provider_settings
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import Clinic, furnish, open_clinic


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of a clinic nobody has worked in yet; tests take a copy."""
    home = tmp_path_factory.mktemp("clinic") / "home"
    furnish(home)
    return home


@pytest.fixture
def home(furnished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(furnished, tmp_path / "home"))


@pytest.fixture
def clinic(home: Path) -> Iterator[Clinic]:
    opened = open_clinic(home)
    yield opened
    opened.database.close()


@pytest.fixture
def rosa(clinic: Clinic) -> Browser:
    """A reviewer who is signed in."""
    return Browser(clinic.app).signed_in("rosa")


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with identity_provider(log=tmp_path_factory.mktemp("issuer") / "log") as started:
        yield started


@pytest.fixture
def pair(home: Path, issuer: IdentityProvider) -> Iterator[Pair]:
    clinic = open_clinic(home, provider=Provider(provider_settings(issuer.issuer), SecretStr(CLIENT_SECRET)))
    pair = Pair(clinic, issuer)
    pair.behave()
    yield pair
    clinic.database.close()
