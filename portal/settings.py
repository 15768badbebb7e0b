"""What is set for destinations, and where secrets are.

A secret is never a setting: a setting names the place it is read from (`env:NAME`, `file:PATH`,
`keyring:SERVICE/USER`), so that the settings file can be shown, copied and logged.
"""

from __future__ import annotations

import importlib
import ipaddress
import os
from pathlib import Path
from typing import Annotated, Final, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from records.errors import SettingsError
from records.submission import DestinationMode

_KINDS: Final = ("env", "file", "keyring")


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
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine by its own name, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked_base_url(url: str) -> str:
    if urlsplit(url).query:
        raise ValueError("no ? in a base URL")
    return url


def _checked_reference(reference: str) -> str:
    kind, separator, place = reference.partition(":")
    if kind not in _KINDS or not separator or not place.strip():
        raise ValueError("a secret is named by its place: env:NAME, file:PATH or keyring:SERVICE/USER")
    if kind == "keyring" and "/" not in place:
        raise ValueError("a keyring secret is named keyring:SERVICE/USER")
    return reference


def _split_words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


Url = Annotated[str, AfterValidator(_checked_url)]
BaseUrl = Annotated[str, AfterValidator(_checked_url), AfterValidator(_checked_base_url)]
SecretReference = Annotated[str, AfterValidator(_checked_reference)]


class _Settings(BaseModel):
    # A wrong setting may be a secret pasted into the wrong place: errors never show what was given.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class OAuth2Settings(_Settings):
    """OAuth 2 client credentials (RFC 6749, section 4.4).

    Attributes:
        send_as: "basic" puts id and secret into the Authorization header, "post" into the form.
    """

    token_url: Url
    client_id: str = Field(min_length=1)
    client_secret: SecretReference
    scope: str = ""
    send_as: Literal["basic", "post"] = "basic"


class DestinationSettings(_Settings):
    """One portal.

    Attributes:
        destination_id: Name in the outbox; written `id` in the file.
        file: Destination file, beside the settings or one of those that come with the program.
        token: Place of a bearer token; None with `oauth2`, or for a portal without either (client certificate).
        allow_list: Patients that may be sent in mode "staging".
        base_url: Where the portal is, for a destination file that speaks HTTP.
        folder: Where CSV files are put, for a destination file of the kind csv.
        variables: Values for the variables of the destination file.
        rate_per_second: Requests per second to this portal, all threads together; None for what the destination file
            says, or 50. Never more than the file allows.
        probe_patient: A test patient at the portal that `destination probe --write` may write to.
        read_back: After each success, look whether the portal shows what was sent.
        send_shadow_backlog: Once out of shadow mode, send what was held in it. False by default: in that time somebody
            went on typing, and nobody but the clinic knows what the portal has already.
        batch_size: How many new values go in one request, where the destination file says how; 1 for each by itself.
        hold_minutes: How long a decision can be undone before its value is sent; withdrawals never wait.
        ca_file: Certificate authority of the portal, where it is the clinic's own.
        client_certificate: PEM certificate for a portal that asks for one, with `client_key` unless both are one file.
    """

    destination_id: str = Field(alias="id", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    file: str = Field(min_length=1)
    base_url: BaseUrl | None = None
    folder: Path | None = None
    variables: dict[str, str | int | bool] = Field(default_factory=dict)
    mode: DestinationMode = DestinationMode.SHADOW
    token: SecretReference | None = None
    oauth2: OAuth2Settings | None = None
    allow_list: Annotated[tuple[str, ...], BeforeValidator(_split_words)] = ()
    rate_per_second: float | None = Field(default=None, gt=0, le=1000)
    probe_patient: str | None = Field(default=None, min_length=1)
    read_back: bool = True
    send_shadow_backlog: bool = False
    batch_size: int = Field(default=1, ge=1, le=1000)
    hold_minutes: float = Field(default=0.0, ge=0, le=24 * 60)
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> DestinationSettings:
        faults = []
        if (self.base_url is None) == (self.folder is None):
            faults.append("either base_url or, for CSV files, folder")
        if self.token is not None and self.oauth2 is not None:
            faults.append("token and oauth2 exclude each other")
        if self.mode is DestinationMode.STAGING and not self.allow_list:
            faults.append("mode staging needs an allow_list of patients")
        if self.client_key is not None and self.client_certificate is None:
            faults.append("client_key without client_certificate")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class PatientSearchSettings(_Settings):
    """A FHIR R4 server whose Patient search lists the patients of one site.

    Attributes:
        query: Search parameters that say who belongs to the site; without `active=true`, so that inactive and merged
            patients are known as such.
        patient_id: What the portal knows a patient by: "id", the resource's own, or "identifier:SYSTEM".
        identifier_system: System of the medical record numbers; None for identifiers of the type MR.
        token: Place of a bearer token; None with `oauth2`, or for a server without either (client certificate).
        page_seconds: Longest wait for one page of the answer.
        ca_file: Certificate authority of the server, where it is the clinic's own.
    """

    base_url: BaseUrl
    query: str = "_count=200"
    patient_id: str = Field(default="id", pattern=r"^(id|identifier:\S+)$")
    identifier_system: str | None = Field(default=None, min_length=1)
    token: SecretReference | None = None
    oauth2: OAuth2Settings | None = None
    page_seconds: float = Field(default=60.0, gt=0, le=600)
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> PatientSearchSettings:
        faults = []
        if self.token is not None and self.oauth2 is not None:
            faults.append("token and oauth2 exclude each other")
        if self.client_key is not None and self.client_certificate is None:
            faults.append("client_key without client_certificate")
        if any(sign.isspace() or sign in "?#" for sign in self.query):
            faults.append("query is what follows the question mark, such as organization=12&_count=200")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class _Keyring(Protocol):
    def get_password(self, service_name: str, username: str) -> str | None: ...


def read_secret(reference: str) -> SecretStr:
    """The secret that a reference names, read anew each time so that a renewed one is taken up.

    Raises:
        SettingsError: There is none; the message names the place, never a value.
    """
    kind, _, place = reference.partition(":")
    if kind == "env":
        value = os.environ.get(place)
    elif kind == "file":
        value = _from_file(Path(place))
    elif kind == "keyring":
        value = _from_keyring(place)
    else:
        raise SettingsError("A secret is named by its place: env:NAME, file:PATH or keyring:SERVICE/USER.")
    if value is None or not value.strip():
        raise SettingsError(f"There is no secret at {kind}:{place}.", next_step="Put it there, then start again.")
    if not value.strip().isprintable():
        raise SettingsError(f"The secret at {kind}:{place} has characters that no header can carry.")
    return SecretStr(value.strip())


def _from_file(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _from_keyring(place: str) -> str | None:
    service, _, user = place.partition("/")
    try:
        keyring: _Keyring = importlib.import_module("keyring")
    except ImportError:
        raise SettingsError(
            "A setting names a secret in the keyring, and the package keyring is not installed.",
            next_step="Install keyring, or name the secret by env: or file:.",
        ) from None
    try:
        return keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001  # every keyring backend has errors of its own
        raise SettingsError(f"The keyring cannot be read ({type(error).__name__}).") from None
