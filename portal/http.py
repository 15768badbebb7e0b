"""The one place that knows the HTTP library: how clients are made, and one exchange with its answer read whole.

Redirects are off (a portal that moves is a setting, not a header), nothing is retried here, proxies and credentials
of the environment are ignored, and the library's own log is silent because it prints URLs, which hold patient ids.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from httpx import Auth, Client, Request, Response

from records.errors import SettingsError

__all__ = [
    "MAYBE_SENT",
    "NEVER_SENT",
    "Answer",
    "Auth",
    "Client",
    "ExchangeError",
    "MaybeSentError",
    "NeverSentError",
    "Request",
    "Response",
    "exchange",
    "make_client",
    "tls_context",
]

# Nothing of the request can have been read by the portal.
NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
# Everything else that goes wrong on the wire: the portal may have read and stored it.
MAYBE_SENT: Final = (httpx.RequestError, httpx.StreamError)

_LONGEST_ANSWER: Final = 4 * 1024 * 1024
# Shorter than the 5 s after which common servers close an idle connection: a request sent into a closing
# connection is lost in a way that looks like a lost answer.
_KEEPALIVE_SECONDS: Final = 3.0


class ExchangeError(Exception):
    """No answer; the message is the kind of failure and holds no URL."""


class NeverSentError(ExchangeError):
    """The portal cannot have seen the request."""


class MaybeSentError(ExchangeError):
    """The portal may have seen the request, or all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, read whole.

    Attributes:
        headers: Names in lower case.
        body: Not shown, it may hold patient data.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def tls_context(*, ca_file: Path | None, client_certificate: Path | None, client_key: Path | None) -> ssl.SSLContext:
    """How to trust and to be trusted; certificates are always checked.

    Raises:
        SettingsError: A file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        if client_certificate is not None:
            context.load_cert_chain(client_certificate, client_key, password=_no_password)
    except (OSError, ValueError) as error:
        raise SettingsError(f"The certificate files cannot be used ({type(error).__name__}).") from None
    return context


def _no_password() -> str:
    # Without this OpenSSL would ask on the terminal and stop the service there.
    raise ValueError("the key file has a password")


def make_client(
    *, auth: Auth | None = None, tls: ssl.SSLContext | None = None, read_seconds: float = 30.0, connections: int = 2
) -> Client:
    """A client for one thread; close it after use."""
    _silence_library_logs()
    timeout = httpx.Timeout(connect=5.0, read=read_seconds, write=30.0, pool=5.0)
    limits = httpx.Limits(max_connections=connections, keepalive_expiry=_KEEPALIVE_SECONDS)
    transport = httpx.HTTPTransport(verify=True if tls is None else tls, retries=0, trust_env=False, limits=limits)
    return Client(
        auth=auth,
        timeout=timeout,
        transport=transport,
        follow_redirects=False,
        trust_env=False,
        headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "scorebridge"},
    )


def exchange(
    client: Client,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    deadline_seconds: float = 60.0,
    longest: int = _LONGEST_ANSWER,
) -> Answer:
    """Send one request and read its whole answer, up to `longest` bytes.

    Raises:
        NeverSentError: The request cannot have arrived.
        MaybeSentError: It may have arrived; also when the answer is endless, or dribbles past the deadline.
    """
    ends = time.monotonic() + deadline_seconds
    try:
        with client.stream(method, url, headers=dict(headers), content=content) as response:
            body = bytearray()
            for part in response.iter_bytes():
                body += part
                if len(body) > longest or time.monotonic() > ends:
                    raise MaybeSentError("the answer has no end")
            return Answer(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=bytes(body),
            )
    except NEVER_SENT as error:
        raise NeverSentError(type(error).__name__) from None
    except MAYBE_SENT as error:
        raise MaybeSentError(type(error).__name__) from None


def _silence_library_logs() -> None:
    # By level, not by a filter: children such as httpcore.http11 hand their lines past filters of their parent.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
