"""How this program gets into a server: whom it trusts and what it shows. The same settings for every kind of server."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from portal.secret_places import SecretReference

_HEADER_NAME: Final = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
# Headers that the HTTP library or a destination file writes: a credential there would break the request.
_TAKEN_HEADERS: Final = re.compile(r"(?i)host|content-.*|accept.*|connection|transfer-encoding|idempotency-key|if-.*")


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port  # the port is read because reading it checks it
    except ValueError:
        raise ValueError("not a URL") from None
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("a URL starts with https:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("no user name or password in a URL: name a secret's place instead")
    if parts.fragment:
        raise ValueError("no # in a URL")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("https only; http is for this machine itself")
    return url


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine by its own name, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_slash(url: str) -> str:
    return url.rstrip("/")


def _checked_base_url(url: str) -> str:
    if urlsplit(url).query:
        raise ValueError("no ? in a base URL")
    return url


# Taken as it is written: servers compare it with the audience of a signed request, letter by letter.
ExactUrl = Annotated[str, AfterValidator(_checked_url)]
Url = Annotated[str, AfterValidator(_checked_url), AfterValidator(_without_slash)]
BaseUrl = Annotated[Url, AfterValidator(_checked_base_url)]


class StrictSettings(BaseModel):
    """Settings in which a wrong key is a fault.

    A wrong setting may be a secret pasted into the wrong place: errors never show what was given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class BasicSettings(StrictSettings):
    """A user name and a password (RFC 7617)."""

    user: str = Field(min_length=1, pattern=r"^[^:\x00-\x1f\x7f]+$")
    password: SecretReference


class OAuth2Settings(StrictSettings):
    """OAuth 2 client credentials (RFC 6749, section 4.4).

    Attributes:
        send_as: "basic" puts id and secret into the Authorization header, "post" into the form.
    """

    token_url: ExactUrl
    client_id: str = Field(min_length=1)
    client_secret: SecretReference
    scope: str = ""
    send_as: Literal["basic", "post"] = "basic"


class SmartSettings(StrictSettings):
    """SMART Backend Services (SMART App Launch 2, private_key_jwt): this program signs for itself with a private key.

    Attributes:
        token_url: Also the audience of what is signed, letter by letter.
        key: Place of the private key, PEM or JWK: RSA of 2048 bits or more signs RS384, EC on P-384 signs ES384.
        key_id: Name under which the public key is registered; None for the JWK's own, else its thumbprint (RFC 7638).
        jwks_url: Where the server finds the public keys, if it must be told with each request.
    """

    token_url: ExactUrl
    client_id: str = Field(min_length=1)
    key: SecretReference
    key_id: str | None = Field(default=None, min_length=1)
    scope: str = Field(min_length=1)
    jwks_url: ExactUrl | None = None


class AccessSettings(StrictSettings):
    """How a server is trusted, and what this program shows it; one credential at most.

    Attributes:
        token: Place of a bearer token or an API key.
        token_header: Header that carries the token bare, such as X-Api-Key, instead of `Authorization: Bearer …`.
        ca_file: Certificate authority of the server, where it is the clinic's own.
        client_certificate: PEM certificate for a server that asks for one, with `client_key` unless both are one file.
    """

    token: SecretReference | None = None
    token_header: str | None = Field(default=None, pattern=_HEADER_NAME)
    basic: BasicSettings | None = None
    oauth2: OAuth2Settings | None = None
    smart: SmartSettings | None = None
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> AccessSettings:
        # Sections with faults of their own have a validator of this name, which lists these among them.
        if faults := list(self._access_faults()):
            raise ValueError("; ".join(faults))
        return self

    def _access_faults(self) -> Iterator[str]:
        given = [name for name in ("token", "basic", "oauth2", "smart") if getattr(self, name) is not None]
        if len(given) > 1:
            yield f"{' and '.join(given)} exclude each other"
        if self.token_header is not None and self.token is None:
            yield "token_header without token"
        if self.token_header is not None and _TAKEN_HEADERS.fullmatch(self.token_header):
            yield f"token_header: {self.token_header} carries something else"
        if self.client_key is not None and self.client_certificate is None:
            yield "client_key without client_certificate"
