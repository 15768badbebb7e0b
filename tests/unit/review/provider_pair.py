"""A clinic and the identity provider its people sign in with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from httpx import Response
from pydantic import SecretStr

from review.provider import Provider
from review.provider_settings import ProviderSettings
from store import users
from store.users import User
from tests.portals.identity_provider import IdentityProvider
from tests.portals.identity_server import CLIENT_ID, CLIENT_SECRET
from tests.portals.server_process import free_port
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import Clinic

CALLBACK = "/sign-in/provider/callback"


@dataclass(frozen=True)
class Pair:
    """A clinic and the provider its people sign in with."""

    clinic: Clinic
    issuer: IdentityProvider

    def behave(self, **behaviour: object) -> None:
        self.issuer.behave(now=self.clinic.clock().timestamp(), **behaviour)

    def configure(self, **changed: object) -> None:
        """Let the settings of the provider differ from now on."""
        office = self.clinic.app.state.office
        settings = ProviderSettings.model_validate(office.provider.settings.model_dump() | changed)
        self.clinic.app.state.office = replace(office, provider=Provider(settings, SecretStr(CLIENT_SECRET)))

    def callback(self, browser: Browser, *, start: str = "/sign-in/provider") -> str:
        """Leave for the provider; where it sends the browser back to."""
        away = browser.open(start)
        assert away.status_code == 303, away.text
        back = urlsplit(self.issuer.recognise(away.headers["location"]))
        assert back.path == CALLBACK
        return f"{back.path}?{back.query}"

    def sign_in(self, *, start: str = "/sign-in/provider") -> tuple[Browser, Response]:
        browser = Browser(self.clinic.app)
        return browser, browser.open(self.callback(browser, start=start))

    def refuses(self) -> str:
        """The page that refuses; nobody is signed in after it."""
        browser, answer = self.sign_in()
        assert answer.status_code == 403, answer.text
        assert browser.open("/queue").status_code == 303
        return answer.text


def provider_settings(issuer: str, *, address: str = "http://127.0.0.1:8765") -> ProviderSettings:
    return ProviderSettings(
        issuer=issuer, client_id=CLIENT_ID, redirect_url=f"{address}{CALLBACK}", name="Clinic account"
    )


def user_of(pair: Pair, name: str = "rosa") -> User:
    with pair.clinic.database.reading() as session:
        user = users.named(session, name)
    assert user is not None
    return user


def require_second_factor(pair: Pair) -> None:
    office = pair.clinic.app.state.office
    settings = office.settings.model_copy(update={"second_factor": "required"})
    pair.clinic.app.state.office = replace(office, settings=settings)


def take_down(pair: Pair) -> None:
    pair.configure(issuer=f"http://localhost:{free_port()}")
