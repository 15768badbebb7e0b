"""An OpenID Connect provider: sent to with a code flow and PKCE, believed only what its signed ID token says.

Requests go through authlib. Nothing is asked of the provider until somebody presses its button, so that a provider
that is down keeps nobody from signing in with a password.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, NamedTuple

from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from review.provider_settings import ProviderSettings

RETURNS_WITHIN: Final = timedelta(minutes=10)
_METADATA_LASTS: Final = timedelta(hours=1)
_MOST_BYTES: Final = 1024 * 1024
_LEEWAY_SECONDS: Final = 60
_ASK_AGAIN: Final = {"prompt": "login", "max_age": "0"}
_Claims = TypeAdapter(dict[str, object])


class ProviderError(Exception):
    """The provider cannot be reached, or what came from it is not to be believed; the message holds no secret."""


class ProviderMetadata(BaseModel):
    """What the discovery document says of itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class SignedInBrowser(NamedTuple):
    """A browser whose person proves once more who they are: the user's id, and the mark of the session."""

    user_id: int
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """What must be remembered of a browser that was sent to the provider, in that browser only.

    Attributes:
        proves: The browser that left to prove who its person is; None for a sign-in.
    """

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next_path: str
    left_at: datetime
    proves: SignedInBrowser | None

    def to_json(self) -> str:
        """As text, to be sealed."""
        parts = (self.state, self.nonce, self.verifier, self.next_path, self.left_at.isoformat(), self.proves)
        return json.dumps(parts)

    @classmethod
    def from_json(cls, text: str) -> Departure:
        """What `to_json` made."""
        state, nonce, verifier, next_path, left_at, proves = json.loads(text)
        return cls(
            state=state,
            nonce=nonce,
            verifier=verifier,
            next_path=next_path,
            left_at=datetime.fromisoformat(left_at),
            proves=None if proves is None else SignedInBrowser(*proves),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom the provider has recognised.

    Attributes:
        subject: The provider's own id of the person; never given to somebody else.
        name: Value of the claim that names a user here, or None if it is missing or not verified.
        groups: Values of the claim that roles are taken from.
        second_factor: There was a second factor at the provider, as far as the settings trust it to say so.
    """

    subject: str
    name: str | None
    groups: tuple[str, ...]
    second_factor: bool


class Provider:
    """The configured provider. Safe to share between threads."""

    def __init__(self, settings: ProviderSettings, client_secret: SecretStr | None) -> None:
        self.settings = settings
        self._secret = client_secret
        self._known: tuple[datetime, ProviderMetadata] | None = None
        self._answered: dict[str, datetime] = {}
        self._lock = Lock()

    @property
    def words(self) -> str:
        """What the button calls it."""
        return self.settings.name

    def depart(self, *, next_path: str, proves: SignedInBrowser | None, now: datetime) -> tuple[str, Departure]:
        """Where to send the browser, and what to remember of it.

        Args:
            proves: Whoever is signed in already and is to be asked again, whatever the provider remembers of them;
                None for a sign-in.

        Raises:
            ProviderError: The provider cannot be reached.
        """
        departure = Departure(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next_path=next_path,
            left_at=now,
            proves=proves,
        )
        metadata = self._metadata(now)
        with self._client(metadata) as client:
            address, _ = client.create_authorization_url(
                metadata.authorization_endpoint,
                state=departure.state,
                code_verifier=departure.verifier,
                nonce=departure.nonce,
                **({} if proves is None else _ASK_AGAIN),
            )
        return str(address), departure

    def arrive(self, answer: Mapping[str, str], departure: Departure, *, now: datetime) -> Person:
        """Who came back, with what the provider put into the address.

        Raises:
            ProviderError: It is not the answer to this departure, the provider refused, its token is not right, or
                does not say that a person who left to prove who they are has been asked again.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), departure.state.encode()):
            raise ProviderError("the state differs")
        metadata = self._metadata(now)
        said = answer.get("iss")
        # RFC 9207: an answer of another provider must not be taken for one of ours.
        if (said or metadata.authorization_response_iss_parameter_supported) and said != self.settings.issuer:
            raise ProviderError("the answer comes from another issuer")
        if "error" in answer or not answer.get("code"):
            raise ProviderError("the provider refused")
        self._take_once(departure, now)
        claims = self._claims(metadata, answer["code"], departure, now=now)
        if departure.proves is not None:
            _check_asked_again(claims, since=departure.left_at, now=now)
        return self._person(claims)

    def _take_once(self, departure: Departure, now: datetime) -> None:
        """Refuse a second answer to one departure, even where the provider takes a code twice."""
        with self._lock:
            self._answered = {state: at for state, at in self._answered.items() if now - at < RETURNS_WITHIN}
            if departure.state in self._answered:
                raise ProviderError("the answer was given before")
            self._answered[departure.state] = now

    def _claims(
        self, metadata: ProviderMetadata, code: str, departure: Departure, *, now: datetime
    ) -> Mapping[str, object]:
        with self._client(metadata) as client:
            try:
                token = client.fetch_token(
                    metadata.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=departure.verifier,
                )
            except OAuthError as refused:
                raise ProviderError(f"the provider gave no token ({type(refused).__name__})") from None
            except Exception as fault:  # noqa: BLE001 - authlib chooses the HTTP library, so its errors have no one name
                raise ProviderError(f"the token cannot be fetched ({type(fault).__name__})") from None
        id_token, access_token = token.get("id_token"), token.get("access_token")
        if not isinstance(id_token, str):
            raise ProviderError("there is no ID token")
        return self._verified(metadata, id_token, access_token, departure, now=now)

    def _verified(
        self, metadata: ProviderMetadata, id_token: str, access_token: object, departure: Departure, *, now: datetime
    ) -> Mapping[str, object]:
        options = {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "value": self.settings.client_id},
            "nonce": {"essential": True, "value": departure.nonce},
        }
        params = {"nonce": departure.nonce, "client_id": self.settings.client_id, "access_token": access_token}
        try:
            # Keys are fetched anew each time: sign-ins are few, and a key that was withdrawn must not be believed.
            keys = KeySet.import_key_set(self._json(metadata.jwks_uri))  # type: ignore[arg-type]  # it checks what it is given
            token = jwt.decode(id_token, keys, algorithms=list(self.settings.algorithms))
            claims = CodeIDToken(token.claims, token.header, options, params)
            claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_SECONDS)
        except InvalidKeyIdError:
            raise ProviderError("the ID token was signed with an unknown key") from None
        except (JoseError, ValueError, KeyError, TypeError) as wrong:
            raise ProviderError(f"the ID token is not right ({type(wrong).__name__})") from None
        return _Claims.validate_python(dict(claims))

    def _person(self, claims: Mapping[str, object]) -> Person:
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise ProviderError("the ID token names nobody")
        name = claims.get(self.settings.match_claim)
        if self.settings.match_claim == "email" and claims.get("email_verified") is not True:
            name = None
        return Person(
            subject=subject,
            name=name if isinstance(name, str) and name else None,
            groups=_words(claims.get(self.settings.role_claim)) if self.settings.role_claim else (),
            second_factor=self._had_second_factor(claims),
        )

    def _had_second_factor(self, claims: Mapping[str, object]) -> bool:
        if self.settings.second_factor == "provider":
            return True
        if self.settings.second_factor == "here":
            return False
        trusted = set(self.settings.trusted_amr) & set(_words(claims.get("amr")))
        return bool(trusted) or claims.get("acr") in self.settings.trusted_acr

    def _metadata(self, now: datetime) -> ProviderMetadata:
        with self._lock:
            if self._known is not None and now - self._known[0] < _METADATA_LASTS:
                return self._known[1]
        try:
            document = self._json(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            metadata = ProviderMetadata.model_validate(document)
        except ValidationError:
            raise ProviderError("the discovery document lacks something") from None
        if metadata.issuer != self.settings.issuer:
            raise ProviderError("the discovery document names another issuer")
        for address in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
            if self.settings.issuer.startswith("https://") and not address.startswith("https://"):
                raise ProviderError("the discovery document names an unprotected address")
        with self._lock:
            self._known = (now, metadata)
        return metadata

    def _json(self, address: str) -> dict[str, object]:
        with self._client(None) as client:
            try:
                answer = client.request("GET", address, withhold_token=True)
                answer.raise_for_status()
                if len(answer.content) > _MOST_BYTES:
                    raise ProviderError("the provider’s answer is too large")
                return _Claims.validate_python(answer.json())
            except (ProviderError, ValidationError):
                raise
            except Exception as fault:  # noqa: BLE001 - authlib chooses the HTTP library, so its errors have no one name
                raise ProviderError(f"the provider cannot be reached ({type(fault).__name__})") from None

    def _client(self, metadata: ProviderMetadata | None) -> OAuth2Client:
        method = "none"
        if self._secret is not None:
            offered = metadata.token_endpoint_auth_methods_supported if metadata else ()
            method = "client_secret_post" if offered == ("client_secret_post",) else "client_secret_basic"
        return OAuth2Client(
            client_id=self.settings.client_id,
            client_secret=self._secret.get_secret_value() if self._secret else None,
            token_endpoint_auth_method=method,
            redirect_uri=self.settings.redirect_url,
            scope=" ".join(self.settings.scopes),
            code_challenge_method="S256",
            timeout=self.settings.timeout_seconds,
            follow_redirects=False,
            trust_env=False,
        )


def _check_asked_again(claims: Mapping[str, object], *, since: datetime, now: datetime) -> None:
    # OpenID Connect Core 3.1.2.1: with max_age the ID token says when the person was asked. That it was asked for is
    # no proof: a provider may pass over prompt and max_age.
    asked_at = claims.get("auth_time")
    first, last = since.timestamp() - _LEEWAY_SECONDS, now.timestamp() + _LEEWAY_SECONDS
    if not isinstance(asked_at, int | float) or isinstance(asked_at, bool) or not first <= asked_at <= last:
        raise ProviderError("the person was not asked again")


def _words(value: object) -> tuple[str, ...]:
    """The texts of a claim that is one text or a list of them."""
    if isinstance(value, str):
        return (value,)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
