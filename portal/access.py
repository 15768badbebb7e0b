"""The way into one server, ready to be used: certificates loaded, keys and tokens at hand, every fault listed."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from portal.access_settings import AccessSettings
from portal.auth import PortalAuth, TokenSource, basic_pair, referred_token
from portal.destination_file import TokenHeader
from portal.http import Client, make_client, tls_context
from portal.secret_places import read_secret
from portal.signing_keys import load_signing_key
from portal.token_server import SharedSecret, SignedAssertion, TokenServer
from records.errors import SettingsError

_BEARER = TokenHeader()


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How one server is trusted, and what it is shown; shared by all threads that talk to it.

    Attributes:
        tls: None for the usual authorities.
        tokens: None for a server that asks for nothing, or for a client certificate only.
        header: Where a token goes.
    """

    tls: ssl.SSLContext | None = field(default=None, repr=False)
    tokens: TokenSource | None = field(default=None, repr=False)
    header: TokenHeader = _BEARER

    def client(self, *, read_seconds: float = 30.0, connections: int = 2) -> Client:
        """A client for one thread; close it after use."""
        auth = None if self.tokens is None else PortalAuth(self.tokens, header=self.header)
        return make_client(auth=auth, tls=self.tls, read_seconds=read_seconds, connections=connections)


def open_access(
    settings: AccessSettings, *, folder: Path, header: TokenHeader = _BEARER, look_at_secrets: bool = True
) -> Access:
    """The way in that the settings describe; relative certificate files are relative to `folder`.

    Args:
        header: Where a bearer token goes, as the destination file has it.
        look_at_secrets: Whether a secret that is not at its place is a fault already.

    Raises:
        SettingsError: A certificate, key or secret cannot be used; every fault is listed, none shows a secret.
    """
    faults: list[SettingsError] = []
    tls = None
    try:
        tls = _tls(settings, folder=folder)
    except SettingsError as error:
        faults.append(error)
    if look_at_secrets:
        faults += _secret_faults(settings)
    if faults:
        steps = dict.fromkeys(fault.next_step for fault in faults if fault.next_step)
        raise SettingsError(" ".join(fault.message for fault in faults), next_step=" ".join(steps))
    return Access(tls=tls, tokens=_tokens(settings, tls), header=_header(settings, header))


def _tls(settings: AccessSettings, *, folder: Path) -> ssl.SSLContext | None:
    if settings.ca_file is None and settings.client_certificate is None:
        return None
    return tls_context(
        ca_file=_beside(settings.ca_file, folder),
        client_certificate=_beside(settings.client_certificate, folder),
        client_key=_beside(settings.client_key, folder),
    )


def _beside(path: Path | None, folder: Path) -> Path | None:
    return None if path is None else folder / path


def _secret_faults(settings: AccessSettings) -> list[SettingsError]:
    try:
        if settings.token is not None:
            read_secret(settings.token)
        elif settings.basic is not None:
            read_secret(settings.basic.password)
        elif settings.oauth2 is not None:
            read_secret(settings.oauth2.client_secret)
        elif settings.smart is not None:
            load_signing_key(settings.smart.key, key_id=settings.smart.key_id)
    except SettingsError as error:
        return [error]
    return []


def _tokens(settings: AccessSettings, tls: ssl.SSLContext | None) -> TokenSource | None:
    if settings.token is not None:
        return referred_token(settings.token)
    if settings.basic is not None:
        return basic_pair(settings.basic)
    if settings.oauth2 is not None:
        return TokenServer(SharedSecret(settings.oauth2), tls=tls)
    if settings.smart is not None:
        return TokenServer(SignedAssertion(settings.smart), tls=tls)
    return None


def _header(settings: AccessSettings, header: TokenHeader) -> TokenHeader:
    if settings.token_header is not None:
        return TokenHeader(header=settings.token_header, scheme="")
    return TokenHeader(scheme="Basic") if settings.basic is not None else header
