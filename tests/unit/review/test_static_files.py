"""What pages are made of comes with the program and is what its makers published."""

from __future__ import annotations

from hashlib import sha256

import pytest

from review.rendering import STATIC_KINDS, asset, static_file, static_names
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import Clinic
from tools.vendor import STATIC, Vendored, vendored


@pytest.mark.parametrize("one", vendored(), ids=lambda one: one.name)
def test_a_file_of_another_project_is_the_one_that_was_published(one: Vendored) -> None:
    assert sha256((STATIC / one.name).read_bytes()).hexdigest() == one.sha256
    assert (STATIC / one.licence_name).read_text("utf-8").strip()


def test_every_file_is_served_with_its_kind_and_may_be_kept_for_ever(clinic: Clinic) -> None:
    for name in sorted(static_names()):
        answer = Browser(clinic.app).open(asset(name))
        assert answer.status_code == 200, name
        assert answer.content == static_file(name)
        assert answer.headers["content-type"].split(";")[0] == STATIC_KINDS[name.rpartition(".")[2]].split(";")[0]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "name", ["__init__.py", "htmx.LICENSE.txt", "nothing.css", "..%2f__init__.py", "../app.css", "%2e%2e/web.py"]
)
def test_nothing_else_is_served(clinic: Clinic, name: str) -> None:
    assert Browser(clinic.app).open(f"/static/{name}").status_code == 404


def test_no_file_asks_another_machine() -> None:
    for path in STATIC.iterdir():
        if path.suffix in {".css", ".svg"}:
            assert "url(http" not in path.read_text("utf-8")
            assert "@import" not in path.read_text("utf-8")
