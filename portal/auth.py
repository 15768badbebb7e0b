"""How requests carry a credential: one source of tokens for all threads, one `PortalAuth` for each client.

A token is fetched or read once more when the portal answers 401; a second 401 is for a person.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Generator
from typing import Protocol

from pydantic import SecretStr

from portal.access_settings import BasicSettings
from portal.destination_file import TokenHeader
from portal.http import Auth, Request, Response
from portal.secret_places import SecretReference, read_secret
from records.errors import DestinationPausedError, SettingsError


class TokenSource(Protocol):
    """Where tokens come from."""

    def token(self, *, refused: SecretStr | None = None) -> SecretStr:
        """The token to use now; `refused` is one the portal has just not taken.

        Raises:
            DestinationPausedError: There is none until somebody acts.
            DeliveryDeferredError: There is none at the moment.
        """


class KeptSecret:
    """A secret at a place that a setting names; read anew when it was refused."""

    def __init__(self, read: Callable[[], SecretStr]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._token: SecretStr | None = None

    def token(self, *, refused: SecretStr | None = None) -> SecretStr:
        """The secret, as it stands at its place if it was refused or not read yet."""
        with self._lock:
            if self._token is None or self._token == refused:
                try:
                    self._token = self._read()
                except SettingsError as error:
                    raise DestinationPausedError(error.message, next_step=error.next_step, code="no-token") from None
            return self._token


def referred_token(reference: SecretReference) -> KeptSecret:
    """A bearer token or an API key."""
    return KeptSecret(lambda: read_secret(reference))


def basic_pair(settings: BasicSettings) -> KeptSecret:
    """User and password as they follow the word Basic (RFC 7617, in UTF-8)."""

    def encoded() -> SecretStr:
        password = read_secret(settings.password).get_secret_value()
        return SecretStr(base64.b64encode(f"{settings.user}:{password}".encode()).decode())

    return KeptSecret(encoded)


class PortalAuth(Auth):
    """Puts the token into each request, and tries once more with another one after a 401."""

    def __init__(self, source: TokenSource, *, header: TokenHeader) -> None:
        self._source = source
        self._header = header

    def sync_auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """One or two tries of one request."""
        token = self._source.token()
        self._sign(request, token)
        response = yield request
        if response.status_code != 401:
            return
        renewed = self._source.token(refused=token)
        if renewed != token:
            self._sign(request, renewed)
            yield request

    def _sign(self, request: Request, token: SecretStr) -> None:
        request.headers[self._header.header] = f"{self._header.scheme} {token.get_secret_value()}".strip()
