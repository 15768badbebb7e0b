"""How the review pages are served."""

from __future__ import annotations

import ssl

import uvicorn
from fastapi import FastAPI

from review.settings import WebSettings


def server_config(app: FastAPI, settings: WebSettings) -> uvicorn.Config:
    """A uvicorn configuration for one process.

    No access log, since addresses of pages are nobody's business; no forwarded addresses, since `/metrics` and the
    cookies rely on the address of the connection itself; TLS 1.2 or later where a certificate is set.
    """
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        lifespan="off",
        log_config=None,
        timeout_keep_alive=15,
        limit_concurrency=200,
        timeout_graceful_shutdown=5,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )
    if settings.has_tls:
        config.load()
        if config.ssl is not None:
            config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return config
