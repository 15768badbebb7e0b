"""The pages of an invented clinic behind a real server, and a browser that complains aloud."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page, Request, expect

from review.server import server_config
from review.settings import WebSettings
from tests.unit.review.review_clinic import PASSWORD


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address where an application is served as long as this lasts."""
    server = uvicorn.Server(server_config(app, WebSettings(port=0)))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


class Watch:
    """What the browser complained about, and whom it asked."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str | None] = set()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", self._note_failure)
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))

    def _note_failure(self, request: Request) -> None:
        # Whoever goes on before all is loaded breaks off the rest: on a busy machine that is any test.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.url} {request.failure}")


def read(page: Page) -> None:
    """Wait until a decision is taken again: what was painted just now nobody has read."""
    page.wait_for_load_state("networkidle")
    expect(page.locator("main[data-new]")).to_have_count(0)


def sign_in(page: Page, address: str, *, name: str = "rosa") -> None:
    """Sign in with the password that everybody of the invented clinic has."""
    page.goto(f"{address}/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Dashboard")).to_be_visible()
