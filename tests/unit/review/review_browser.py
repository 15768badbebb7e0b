"""A browser without pictures: it follows forms as a person would, with whatever hidden fields the page holds."""

from __future__ import annotations

from html.parser import HTMLParser

from fastapi import FastAPI
from httpx import Response
from starlette.testclient import TestClient

from tests.unit.review.review_clinic import PASSWORD

SAME_ORIGIN = {"sec-fetch-site": "same-origin"}


class _Forms(HTMLParser):
    """Every form of a page: action to its hidden and preset fields."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._fields: dict[str, str] | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._fields = self.forms.setdefault(values["action"], {})
        elif self._fields is None:
            return
        elif tag == "input" and (values.get("type") != "radio" or "checked" in values):
            self._fields[values["name"]] = values.get("value", "")
        elif tag == "select":
            self._select = values["name"]
        elif tag == "option" and "selected" in values:
            self._fields[self._select] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None


class Browser:
    """One person's browser."""

    def __init__(self, app: FastAPI, *, base_url: str = "http://127.0.0.1:8765", client: str = "127.0.0.1") -> None:
        self.http = TestClient(app, base_url=base_url, follow_redirects=False, client=(client, 50000))
        self.page: Response | None = None

    def signed_in(self, name: str, password: str = PASSWORD) -> Browser:
        self.open("/sign-in")
        answer = self.submit("/sign-in", name=name, password=password)
        assert answer.status_code == 303, answer.text
        return self

    def open(self, path: str) -> Response:
        self.page = self.http.get(path)
        return self.page

    def forms(self) -> dict[str, dict[str, str]]:
        assert self.page is not None
        parser = _Forms()
        parser.feed(self.page.text)
        return parser.forms

    def submit(self, action: str, /, **fields: str) -> Response:
        """Send the form of the present page with this action; fields are written with _ for -."""
        form = self.forms()[action] | {name.replace("item_", "item-"): value for name, value in fields.items()}
        answer = self.http.post(action, data=form, headers=SAME_ORIGIN)
        if answer.status_code != 303:
            self.page = answer
        return answer
