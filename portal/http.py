"""The one place that knows the HTTP library: how clients are made, and one exchange with its answer read whole.

Redirects are off (a portal that moves is a setting, not a header), nothing is retried here, proxies and credentials
of the environment are ignored, and the library's own log is silent because it prints URLs, which hold patient ids.
"""

from __future__ import annotations

import functools
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryUnknownError,
    DestinationPausedError,
    SettingsError,
)

__all__ = [
    "MAYBE_SENT",
    "NEVER_SENT",
    "Answer",
    "Auth",
    "CertificateRefusedError",
    "Client",
    "ExchangeError",
    "MaybeSentError",
    "NeverSentError",
    "Request",
    "Response",
    "UntrustedServerError",
    "delivery_error",
    "exchange",
    "make_client",
    "tls_context",
]

# What the rest of the program sees of the library: a change to its successor is the import line above.
Auth = httpx.Auth
Client = httpx.Client
Request = httpx.Request
Response = httpx.Response

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


class UntrustedServerError(NeverSentError):
    """The server's certificate is not one to trust: nothing was said to it."""


class CertificateRefusedError(NeverSentError):
    """The server wants a client certificate, or another one; it has read nothing of the request (RFC 8446, 4.4.2.4)."""


# Alerts a server ends the handshake with because of our certificate. Under TLS 1.3 they come when the request is
# written already, and so look like a lost answer.
_CERTIFICATE_ALERTS: Final = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_UNKNOWN_CA",
    "ALERT_ACCESS_DENIED",
)
# nginx says it in a page, before the portal behind it hears of the request.
_NGINX_WORDS: Final = (b"No required SSL certificate was sent", b"The SSL certificate error")


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


@functools.cache
def _usual_authorities() -> ssl.SSLContext:
    # Those of the system, as with a client certificate: left to itself the library would take a list of its own.
    return ssl.create_default_context()


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
    trust = _usual_authorities() if tls is None else tls
    transport = httpx.HTTPTransport(verify=trust, retries=0, trust_env=False, limits=limits)
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
        UntrustedServerError: The server's certificate was refused.
        CertificateRefusedError: The server refused this program's certificate.
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
            if response.status_code == 400 and any(words in body for words in _NGINX_WORDS):
                raise CertificateRefusedError("status 400")
            return Answer(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=bytes(body),
            )
    except NEVER_SENT as error:
        raise _tls_failure(error) or NeverSentError(type(error).__name__) from None
    except MAYBE_SENT as error:
        raise _tls_failure(error) or MaybeSentError(type(error).__name__) from None


def _tls_failure(error: BaseException) -> ExchangeError | None:
    """What TLS says below the library's error, if certificates are the reason."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, ssl.SSLCertVerificationError):
            return UntrustedServerError(below.verify_message or "not trusted")
        if isinstance(below, ssl.SSLError) and (below.reason or "").endswith(_CERTIFICATE_ALERTS):
            return CertificateRefusedError(below.reason.partition("ALERT_")[2].lower().replace("_", " "))
        below = below.__cause__ or below.__context__
    return None


def delivery_error(error: ExchangeError, *, server: str = "portal") -> DeliveryError:
    """What becomes of a delivery whose exchange ended like this.

    Args:
        server: What to call the other side.
    """
    if isinstance(error, CertificateRefusedError):
        return DestinationPausedError(
            f"The {server} does not accept this program's client certificate ({error}).",
            next_step="Renew client_certificate and client_key, then resume the destination.",
            code="certificate-refused",
        )
    if isinstance(error, UntrustedServerError):
        return DeliveryDeferredError(f"The {server}'s certificate is not trusted ({error}).", code="certificate")
    if isinstance(error, NeverSentError):
        return DeliveryDeferredError(f"The {server} cannot be reached ({error}).", code="not-reached")
    return DeliveryUnknownError(f"The {server}'s answer was lost ({error}).", code="answer-lost")


def _silence_library_logs() -> None:
    # By level, not by a filter: children such as httpcore.http11 hand their lines past filters of their parent.
    for name in ("httpx", "httpcore", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
