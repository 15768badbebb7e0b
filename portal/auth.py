"""How requests carry a credential: a bearer token by reference, or OAuth 2 client credentials.

One source of tokens per destination, shared by its threads; one `PortalAuth` per client. A token is renewed before
it ends, and once more when the portal says 401; a second 401 is for a person.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Generator
from typing import Final, Protocol
from urllib.parse import quote_plus, urlencode

from pydantic import SecretStr

from portal.destination import TokenHeader
from portal.http import Answer, Auth, MaybeSentError, NeverSentError, Request, Response, exchange, make_client
from portal.settings import OAuth2Settings, SecretReference, read_secret
from records.errors import DeliveryDeferredError, DestinationPausedError, SettingsError

_RENEW_EARLY_SECONDS: Final = 30.0
# RFC 6749 leaves the lifetime open; without one a token is asked for again after this long.
_LIFETIME_UNSAID_SECONDS: Final = 300.0


class TokenSource(Protocol):
    """Where tokens come from."""

    def token(self, *, refused: SecretStr | None = None) -> SecretStr:
        """The token to use now; `refused` is one the portal has just not taken.

        Raises:
            DestinationPausedError: There is none until somebody acts.
            DeliveryDeferredError: There is none at the moment.
        """


class ReferredToken:
    """A bearer token at a place that a setting names; read anew when it was refused."""

    def __init__(self, reference: SecretReference) -> None:
        self._reference = reference
        self._lock = threading.Lock()
        self._token: SecretStr | None = None

    def token(self, *, refused: SecretStr | None = None) -> SecretStr:
        """The token, as it stands at its place if it was refused or not read yet."""
        with self._lock:
            if self._token is None or self._token == refused:
                try:
                    self._token = read_secret(self._reference)
                except SettingsError as error:
                    raise DestinationPausedError(error.message, next_step=error.next_step, code="no-token") from None
            return self._token


class ClientCredentials:
    """Tokens of an OAuth 2 server for this program itself (RFC 6749, section 4.4).

    Args:
        tls: How the token server is trusted; None for the usual authorities.
        monotonic: Seconds that never go back; for tests.
    """

    def __init__(
        self,
        settings: OAuth2Settings,
        *,
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._tls = tls
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: SecretStr | None = None
        self._good_until = 0.0

    def token(self, *, refused: SecretStr | None = None) -> SecretStr:
        """The token in use, or a new one if that ends within 30 s or was refused."""
        with self._lock:
            # A thread that comes with an old refused token must not throw away the new one another thread got.
            if self._token is None or self._token == refused or self._monotonic() >= self._good_until:
                self._token, lifetime = _read_token(self._ask())
                self._good_until = self._monotonic() + max(lifetime - _RENEW_EARLY_SECONDS, lifetime / 2)
            return self._token

    def _ask(self) -> Answer:
        form = {"grant_type": "client_credentials"}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._settings.scope:
            form["scope"] = self._settings.scope
        try:
            secret = read_secret(self._settings.client_secret).get_secret_value()
        except SettingsError as error:
            raise DestinationPausedError(error.message, next_step=error.next_step, code="no-token") from None
        if self._settings.send_as == "basic":
            headers["Authorization"] = _basic(self._settings.client_id, secret)
        else:
            form |= {"client_id": self._settings.client_id, "client_secret": secret}
        try:
            with make_client(tls=self._tls) as client:
                content = urlencode(form).encode()
                answer = exchange(client, "POST", self._settings.token_url, headers=headers, content=content)
        except (NeverSentError, MaybeSentError) as error:
            raise DeliveryDeferredError(f"The token server does not answer ({error}).", code="token-server") from None
        if answer.status in (408, 425, 429) or answer.status >= 500:
            raise DeliveryDeferredError(f"The token server answers {answer.status}.", code="token-server")
        if answer.status != 200:
            raise DestinationPausedError(
                f"The token server refuses this program's credentials (status {answer.status}).",
                next_step="Check client_id and client_secret of this destination, then resume it.",
                code="token-refused",
            )
        return answer


def _basic(client_id: str, secret: str) -> str:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"  # form-encoded first: RFC 6749, section 2.3.1
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _read_token(answer: Answer) -> tuple[SecretStr, float]:
    try:
        content = json.loads(answer.body)
    except ValueError:
        content = None
    token = content.get("access_token") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(token, str) or not token or not token.isprintable():
        raise DeliveryDeferredError("The token server's answer holds no token.", code="token-server")
    lifetime = content.get("expires_in")
    try:
        return SecretStr(token), max(float(lifetime), 1.0) if lifetime is not None else _LIFETIME_UNSAID_SECONDS
    except (TypeError, ValueError):
        return SecretStr(token), _LIFETIME_UNSAID_SECONDS


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
