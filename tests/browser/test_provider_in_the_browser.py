"""Signing in by an identity provider, and proving there who one is, in Debian's Chromium.

The provider is another site than the pages, as it is at a clinic: cookies that are kept from foreign sites stay away on
the way back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from review.provider import Provider
from store import audit, users
from store.users import Role
from tests.browser.served import Watch
from tests.portals.identity_provider import identity_provider
from tests.portals.identity_server import CLIENT_SECRET
from tests.unit.review.provider_pair import Pair, provider_settings
from tests.unit.review.review_clinic import Clinic

pytestmark = pytest.mark.browser


@pytest.fixture
def pair(clinic: Clinic, address: str, tmp_path: Path) -> Iterator[Pair]:
    """The clinic's pages as they are served, and a provider that runs beside them."""
    with identity_provider(log=tmp_path / "issuer.log") as issuer:
        provider = Provider(provider_settings(issuer.issuer, address=address), SecretStr(CLIENT_SECRET))
        clinic.app.state.office = replace(clinic.app.state.office, provider=provider)
        pair = Pair(clinic, issuer)
        pair.behave()
        yield pair


def _picture(page: Page, name: str, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    page.screenshot(path=pictures / f"{name}.png", caret="initial")


def _sign_in(page: Page, address: str, path: str) -> None:
    """Ask for a page, and be sent there by the provider."""
    page.goto(f"{address}{path}")
    page.get_by_role("link", name="Sign in with Clinic account").click()
    page.wait_for_url(f"{address}{path}")


def _later(page: Page, pair: Pair, address: str, *, minutes: int) -> None:
    pair.clinic.clock.advance(timedelta(minutes=minutes))
    page.goto(f"{address}/account")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def test_the_provider_brings_one_back_to_the_page_one_wanted(
    browser: Browser, pair: Pair, address: str, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    watch = Watch(page)
    page.goto(f"{address}/queue")
    _picture(page, "provider-sign-in", tmp_path)
    _sign_in(page, address, "/queue")
    expect(page.get_by_role("banner")).to_contain_text("rosa, reviewer")
    page.get_by_role("link", name="KOWALSKY, Thomas").click()
    expect(page.get_by_role("radio", name="Patient 1")).to_be_checked()
    assert watch.complaints == []
    assert watch.hosts == {"127.0.0.1", "localhost"}
    page.close()


def test_who_the_provider_does_not_confirm_is_told_so_and_not_signed_in(
    browser: Browser, pair: Pair, address: str
) -> None:
    pair.behave(claims={"email": "nobody"})
    page = browser.new_page()
    page.goto(f"{address}/sign-in")
    page.get_by_role("link", name="Sign in with Clinic account").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody of that name may sign in here.")
    page.goto(f"{address}/queue")
    expect(page.get_by_label("User name")).to_be_visible()
    page.close()


def test_a_sensitive_act_is_proved_at_the_provider_without_a_password(
    browser: Browser, pair: Pair, address: str, tmp_path: Path
) -> None:
    pair.behave(claims={"email": "ada"})
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    _sign_in(page, address, "/users")
    _later(page, pair, address, minutes=8)
    _later(page, pair, address, minutes=8)
    pair.behave(claims={"email": "ada"})
    with pair.clinic.database.reading() as session:
        rosa = users.named(session, "rosa")
    assert rosa is not None
    page.goto(f"{address}/users/{rosa.user_id}")
    page.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Save the role").click()
    expect(page.get_by_role("heading", name="Confirm it’s you")).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_be_hidden()
    _picture(page, "provider-proof", tmp_path)
    page.get_by_role("link", name="Confirm with Clinic account").click()
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    with pair.clinic.database.reading() as session:
        changed = users.named(session, "rosa")
        said = [one.event for one in audit.events(session, limit=1000) if one.event.action == "user.proved"]
    assert changed is not None
    assert changed.role is Role.VIEWER
    assert [one.detail for one in said] == [(("by", "provider"),)]
    page.close()
