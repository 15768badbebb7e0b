"""Tokens from an OAuth 2 server: asked for once for all threads, kept until shortly before they end.

Two ways to say who asks: a shared secret (RFC 6749, section 4.4), or a request signed with a private key (RFC 7523,
as SMART Backend Services wants it). `TokenServer` is the same for both.
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import quote_plus, urlencode

from joserfc import jwt
from pydantic import SecretStr

from portal.access_settings import OAuth2Settings, SmartSettings
from portal.http import Answer, ExchangeError, delivery_error, exchange, make_client
from portal.secret_places import read_secret
from portal.signing_keys import load_signing_key
from records.errors import DeliveryDeferredError, DeliveryError, DestinationPausedError, SettingsError

_RENEW_EARLY_SECONDS: Final = 30.0
# RFC 6749 leaves the lifetime open; without one a token is asked for again after this long.
_LIFETIME_UNSAID_SECONDS: Final = 300.0
# SMART allows five minutes; one is enough for a request, and leaves room for a server whose clock is behind.
_ASSERTION_SECONDS: Final = 60
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ANSWER_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What is posted to a token server; its values are secrets."""

    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Claimant(Protocol):
    """How this program tells a token server who it is."""

    @property
    def token_url(self) -> str:
        """Where tokens are fetched."""

    def request(self) -> TokenRequest:
        """A request for a token; never the same twice if it is signed.

        Raises:
            SettingsError: The secret or the key is not at its place.
        """


class SharedSecret:
    """Shows an id and a secret."""

    def __init__(self, settings: OAuth2Settings) -> None:
        self._settings = settings

    @property
    def token_url(self) -> str:
        """Where tokens are fetched."""
        return self._settings.token_url

    def request(self) -> TokenRequest:
        """Id and secret as the settings want them sent."""
        settings = self._settings
        form = {"grant_type": "client_credentials"} | ({"scope": settings.scope} if settings.scope else {})
        secret = read_secret(settings.client_secret).get_secret_value()
        if settings.send_as == "basic":
            return TokenRequest(form=form, headers={"Authorization": _basic(settings.client_id, secret)})
        return TokenRequest(form=form | {"client_id": settings.client_id, "client_secret": secret})


def _basic(client_id: str, secret: str) -> str:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"  # form-encoded first: RFC 6749, section 2.3.1
    return "Basic " + base64.b64encode(pair.encode()).decode()


class SignedAssertion:
    """Signs who it is with a private key, anew for each request.

    Args:
        wall: Seconds since 1970, as token servers count them.
    """

    def __init__(self, settings: SmartSettings, *, wall: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._wall = wall

    @property
    def token_url(self) -> str:
        """Where tokens are fetched."""
        return self._settings.token_url

    def request(self) -> TokenRequest:
        """A form with a signed assertion that is good once, for a minute."""
        return TokenRequest(
            form={
                "grant_type": "client_credentials",
                "scope": self._settings.scope,
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": self._assertion(),
            }
        )

    def _assertion(self) -> str:
        settings = self._settings
        key = load_signing_key(settings.key, key_id=settings.key_id)
        header = {"alg": key.algorithm, "kid": key.key_id, "typ": "JWT"}
        if settings.jwks_url is not None:
            header["jku"] = settings.jwks_url
        claims = {
            "iss": settings.client_id,
            "sub": settings.client_id,
            "aud": settings.token_url,
            "exp": int(self._wall()) + _ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(24),
        }
        return jwt.encode(header, claims, key.key, algorithms=[key.algorithm])


class TokenServer:
    """The token in use; renewed 30 s before it ends, or when the portal refuses it.

    Args:
        tls: How the token server is trusted; None for the usual authorities.
        monotonic: Seconds that never go back; for tests.
    """

    def __init__(
        self,
        claimant: Claimant,
        *,
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._claimant = claimant
        self._tls = tls
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: SecretStr | None = None
        self._good_until = 0.0
        self._answers = 0
        self._failure: DeliveryError | None = None

    def token(self, *, refused: SecretStr | None = None) -> SecretStr:
        """The token in use, or a new one if that ends within 30 s or was refused.

        Raises:
            DestinationPausedError: The server refuses, or there is no secret to show it.
            DeliveryDeferredError: The server does not answer.
        """
        answers = self._answers
        with self._lock:
            # A thread that comes with an old refused token must not throw away the new one another thread got.
            if self._token is not None and self._token != refused and self._monotonic() < self._good_until:
                return self._token
            # Nor must those who waited while one was refused ask as well: servers lock out who fails too often.
            if self._failure is not None and self._answers != answers:
                raise self._failure
            self._renew()
            assert self._token is not None
            return self._token

    def _renew(self) -> None:
        self._token, self._failure = None, None
        try:
            self._token, lifetime = _read_token(self._ask())
        except DeliveryError as error:
            self._failure = error
            raise
        finally:
            self._answers += 1
        self._good_until = self._monotonic() + max(lifetime - _RENEW_EARLY_SECONDS, lifetime / 2)

    def _ask(self) -> Answer:
        try:
            request = self._claimant.request()
        except SettingsError as error:
            raise DestinationPausedError(error.message, next_step=error.next_step, code="no-token") from None
        headers = {"Content-Type": "application/x-www-form-urlencoded", **request.headers}
        content = urlencode(request.form).encode()
        try:
            with make_client(tls=self._tls, read_seconds=_ANSWER_SECONDS) as client:
                answer = exchange(
                    client,
                    "POST",
                    self._claimant.token_url,
                    headers=headers,
                    content=content,
                    deadline_seconds=2 * _ANSWER_SECONDS,
                )
        except ExchangeError as error:
            raise _not_reached(error) from None
        if answer.status in (408, 425, 429) or answer.status >= 500:
            raise DeliveryDeferredError(f"The token server answers {answer.status}.", code="token-server")
        if answer.status != 200:
            raise DestinationPausedError(
                f"The token server refuses this program's credentials (status {answer.status}{_error_word(answer)}).",
                next_step="Check client_id and what goes with it, and whether this computer's clock is right; "
                "then resume the destination.",
                code="token-refused",
            )
        return answer


def _not_reached(error: ExchangeError) -> DeliveryError:
    known = delivery_error(error, server="token server")
    if isinstance(known, DestinationPausedError):
        return known
    return DeliveryDeferredError(f"The token server does not answer ({error}).", code="token-server")


# RFC 6749, section 5.2; a server's own words might hold anything.
_ERROR_WORDS: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
    | {"invalid_scope"}
)


def _error_word(answer: Answer) -> str:
    word = _json_object(answer).get("error")
    return f", {word}" if isinstance(word, str) and word in _ERROR_WORDS else ""


def _json_object(answer: Answer) -> dict[str, object]:
    try:
        content = json.loads(answer.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _read_token(answer: Answer) -> tuple[SecretStr, float]:
    """The token and its lifetime in seconds.

    Raises:
        DeliveryDeferredError: The answer holds no token that a header can carry.
    """
    content = _json_object(answer)
    token, kind = content.get("access_token"), content.get("token_type", "Bearer")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise DeliveryDeferredError("The token server's answer holds no token.", code="token-server")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise DeliveryDeferredError("The token server gives tokens of another kind than Bearer.", code="token-server")
    return SecretStr(token), _lifetime(content.get("expires_in"))


def _lifetime(given: object) -> float:
    try:
        seconds = float(given) if isinstance(given, int | float | str) else _LIFETIME_UNSAID_SECONDS
    except ValueError:
        return _LIFETIME_UNSAID_SECONDS
    return max(seconds, 1.0) if seconds < 10**9 else _LIFETIME_UNSAID_SECONDS
