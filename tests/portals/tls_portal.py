"""Portals behind TLS that ask for client certificates.

`tls_portal` is the sandbox on uvicorn, which hangs up without a word when it refuses a client; `alerting_portal` sends
the alert that most servers send. What a proxy such as nginx does, which answers with a page, needs no TLS to try.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from portal.sandbox import Connections, SandboxOptions, SandboxPortal
from portal.sandbox_values import Values


@contextmanager
def tls_portal(
    certificate: Path, *, clients: Path | None = None, tls: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> Iterator[tuple[str, Values]]:
    """URL and values of a portal with this certificate.

    Args:
        clients: Authority of the client certificates it asks for; None to ask for none.
    """
    portal = SandboxPortal(SandboxOptions(token="secret-token-of-the-test"), connections=Connections())
    config = uvicorn.Config(
        portal.app,
        port=0,
        ssl_certfile=certificate,
        ssl_ca_certs=None if clients is None else str(clients),
        ssl_cert_reqs=ssl.CERT_NONE if clients is None else ssl.CERT_REQUIRED,
        access_log=False,
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    config.load()
    assert config.ssl is not None
    config.ssl.minimum_version = config.ssl.maximum_version = tls
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", portal.values
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


@contextmanager
def alerting_portal(certificate: Path, *, clients: Path) -> Iterator[tuple[str, list[bytes]]]:
    """URL of a server that lets nobody in without a certificate, and everything it could read."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=clients)
    context.load_cert_chain(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            opened = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            try:
                opened.do_handshake()
                heard.append(opened.recv(65536))
                opened.close()
            except ssl.SSLError:
                with socket.socket(fileno=opened.detach()) as refused:
                    refused.settimeout(1)
                    refused.recv(65536)  # so that closing does not overtake the alert

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)
