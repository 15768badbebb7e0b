"""A real mail server that somebody else wrote, with one postbox for everybody."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message as Parsed
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Postbox:
    """What arrived, over what; refuses recipients named nobody."""

    def __init__(self) -> None:
        self.got: list[Parsed] = []
        self.encrypted: list[bool] = []

    async def handle_RCPT(  # noqa: N802  # the server's own names
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.got.append(message_from_bytes(envelope.content or b""))
        self.encrypted.append(session.ssl is not None)
        return "250 OK"


@contextmanager
def mail_server(certificate: Path | None = None, key: Path | None = None) -> Iterator[tuple[Postbox, int]]:
    box = Postbox()
    wanted: dict[str, Any] = {}
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)
        wanted = {"tls_context": tls, "require_starttls": True, "auth_required": True, "authenticator": _knows}
    controller = Controller(box, hostname="127.0.0.1", port=_free_port(), **wanted)
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    # The server connects to itself before it knows which port the system chose, so the port is chosen here.
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword) -> AuthResult:
    return AuthResult(success=(given.login, given.password) == (b"scorebridge", b"synthetic-password"))
