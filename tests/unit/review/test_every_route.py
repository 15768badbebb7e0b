"""Whatever a report, a file, a note or a user is called stays text; whatever is asked for badly gets nothing.

Every page that can be fetched is fetched over a store whose every text that comes from outside is an attack.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from httpx import Response

from records.case import RejectReason
from records.decision import Decision
from review import actions
from review.site_scope import NAMED
from review.web import ROUTES
from store import alerts, listings, roster, users
from store.users import Role
from tests.unit.review.review_browser import SAME_ORIGIN, Browser
from tests.unit.review.review_clinic import PASSWORD, SITE, START, Clinic, Row, candidate, hand_in, identity, match_of
from tests.unit.review.shadow_clinic import open_difference, signed_day, with_typed_values
from tests.unit.review.two_sites import OTHER, SECRETS, OtherSite, furnish_second, open_both

ATTACKS = (
    "<script>zap(1)</script>",
    '"><img src=zap onerror=zap(2)>',
    "'><svg/onload=zap(3)>",
    "javascript:zap(4)",
    "{{ 7 * 191 }}{% raw %}",
    "\u202egnp.zap\u202c",
    "zap\r\nX-Zap: 1",
    "=HYPERLINK(zap)",
    "</textarea></title><iframe src=zap>",
)
ALL = " ".join(ATTACKS)
_CLASSLESS = re.compile(r"zap", re.IGNORECASE)


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


@pytest.fixture
def hostile(home: Path) -> Iterator[Clinic]:
    opened = open_both(home)
    _attack(opened)
    yield opened
    opened.database.close()


def _attack(clinic: Clinic) -> None:
    """Put attacks wherever a text comes from outside."""
    now = START
    rows = tuple(
        Row(
            who=replace(identity(f"{text}, {text}", date(1990, 1, 2), text), sex=text),
            match=match_of(candidate("D1", 0.9, ("name", text, 1.0))), reasons=("patient-below-threshold",),
            instrument=text, severity=text, result=text, critical=True, total=3 + number,
        )
        for number, text in enumerate(ATTACKS)
    )  # fmt: skip
    with clinic.database.session() as session:
        listed = roster.current(session, SITE)
        assert listed is not None
        hostile = replace(listed.patients[0], patient_id="D9", family=ALL, given=ALL, mrn=ALL, preferred=ALL)
        roster.replace(
            session, SITE, (*listed.patients, hostile), as_of=now, imported_from=ALL, actor=ALL, now=now,
            max_removed_share=1.0,
        )  # fmt: skip
        users.add(session, ALL, PASSWORD, Role.REVIEWER, actor=ALL, now=now)
    report_id = hand_in(clinic.database, rows, now=now, file_name=ALL)
    sure = match_of(candidate("D9", 0.99, ("name", "exact", 9.0)), reasons=())
    hand_in(
        clinic.database, (Row(who=identity(ALL, date(1990, 1, 2), ALL), match=sure, reasons=()),), now=now,
        file_name=ALL, decision=Decision.CONFIRMED,
    )  # fmt: skip
    with clinic.database.session() as session:
        raised = alerts.raise_alert(
            session, alert_key=ALL, site=SITE, report_id=report_id, position=0, instrument=ALL, link_id=ALL, points=1,
            unverified=True, now=now,
        )  # fmt: skip
        assert raised is not None
        cases = listings.cases_after(session, sites={SITE}, after=0, limit=100)
    actions.acknowledge_alert(clinic.database, raised.alert_id, actor=ALL, now=now, note=ALL)
    actions.reject(
        clinic.database, cases[-1].case_id, version=1, reason=RejectReason.OTHER, note=ALL, actor=ALL, now=now
    )


def _addresses(clinic: Clinic) -> Iterator[str]:
    """Every address of a page that can be fetched: with the newest things of the first site, and the oldest."""
    with_typed_values(clinic)
    signed_day(clinic)
    record_id, typed_id = open_difference(clinic)
    with clinic.database.reading() as session:
        for pick in (0, -1):
            here = {SITE}
            ids: dict[str, object] = {
                "case_id": listings.cases_after(session, sites=here, after=0, limit=200)[pick].case_id,
                "record_id": listings.records_after(session, sites=here, after=0, limit=200)[pick].record_id,
                "report_id": listings.reports_after(session, sites=here, after=0, limit=200)[pick].report_id,
                "alert_id": listings.alerts_after(session, sites=here, after=0, limit=200)[pick].alert_id,
                "number": 1, "task_id": 1, "sign_off_id": 1, "day_sign_off_id": 1, "token_id": 1, "seq": 1 - pick * 9,
                "week": "2026-11-16", "kind": "records", "name": "app.css", "typed_id": typed_id, "site": SITE,
            }  # fmt: skip
            for route in ROUTES:
                if route.method == "GET":
                    shadow = "{typed_id}" in route.path
                    yield _filled(route.path, ids | ({"record_id": record_id} if shadow else {}))


def _filled(path: str, values: Mapping[str, object]) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: str(values.get(name[1], 1)), path)


def _is_inert(answer: Response, where: str) -> None:
    for name, value in answer.headers.items():
        assert not _CLASSLESS.search(name), (where, name)
        assert "\r" not in value
        assert "\n" not in value
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return
    assert "1337" not in answer.text, where  # 7 * 191: a template in a text was run
    page = Elements()
    page.feed(answer.text)
    for tag, attributes in page.found:
        assert tag not in {"iframe", "object", "embed", "base"}, (where, tag)
        if tag in {"script", "img"}:
            assert attributes.get("src", "").startswith("/"), (where, tag, attributes)
        for name, value in attributes.items():
            assert not name.startswith("on"), (where, tag, name)
            assert name not in {"style", "srcdoc", "formaction"} or tag == "button", (where, tag, name)
            if name in {"href", "src", "action", "hx-get", "hx-post", "xlink:href"}:
                assert value.startswith(("/", "#")), (where, tag, name)
                assert not value.startswith("//"), (where, value)
                assert not _CLASSLESS.search(value), (where, value)


def test_hostile_text_is_inert_on_every_page(hostile: Clinic) -> None:
    ada = Browser(hostile.app).signed_in("ada")
    seen = ""
    for address in _addresses(hostile):
        answer = ada.open(address)
        assert answer.status_code in (200, 303, 403, 404, 422), address
        _is_inert(answer, address)
        seen += answer.text if "html" in answer.headers.get("content-type", "") else ""
    for attack in ("&lt;script&gt;zap", "img src=zap", "{{ 7 * 191 }}", "HYPERLINK"):
        assert attack in seen, f"no page showed {attack!r}: the walk proves nothing"


def test_no_cell_of_an_export_begins_a_formula(hostile: Clinic) -> None:
    ada = Browser(hostile.app).signed_in("ada")
    ada.open("/audit")
    form = {"form_token": ada.forms()["/sign-out"]["form_token"], "reason": "yearly", "kind": "csv", "format": "csv"}
    answer = ada.http.post("/audit/export", data=form, headers=SAME_ORIGIN)
    assert answer.status_code == 200, answer.text[:200]
    if not answer.headers["content-type"].startswith("text/csv"):
        pytest.fail(f"no CSV: {answer.headers['content-type']}")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert len(rows) > 10
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell[:40]


def test_every_page_with_patient_data_is_kept_by_no_browser(hostile: Clinic) -> None:
    ada = Browser(hostile.app).signed_in("ada")
    for address in _addresses(hostile):
        if not address.startswith("/static/"):
            assert ada.open(address).headers["cache-control"] == "no-store", address


@pytest.mark.parametrize("name", ["vera", "tom", "odo"])
def test_page_images_are_for_those_who_read_patients(hostile: Clinic, name: str) -> None:
    path = f"/reports/{hostile.report_id}/pages/1.png"
    assert Browser(hostile.app).open(path).status_code == 401
    assert Browser(hostile.app).signed_in(name).open(path).status_code == 403
    assert Browser(hostile.app).signed_in("rosa").open(path).status_code == 200
    for wrong in ("0", "-1", "999999", "99999999999999999999"):
        assert Browser(hostile.app).signed_in("rosa").open(f"/reports/{wrong}/pages/1.png").status_code in (404, 422)
        assert Browser(hostile.app).signed_in("rosa").open(path.replace("1.png", f"{wrong}.png")).status_code in (
            404,
            422,
        )


def _sees_one_site(clinic: Clinic) -> Browser:
    """An administrator who sees the first site only."""
    with clinic.database.session() as session:
        users.add(session, "bea", PASSWORD, Role.ADMINISTRATOR, actor="setup", now=clinic.clock())
        users.set_sites(session, "ada", {SITE}, actor="setup", now=clinic.clock())
    return Browser(clinic.app).signed_in("ada")


@pytest.fixture
def other(home: Path) -> Iterator[tuple[Clinic, OtherSite]]:
    opened = open_both(home)
    yield opened, furnish_second(opened.database)
    opened.database.close()


def test_another_sites_things_are_as_if_they_were_not_there(other: tuple[Clinic, OtherSite]) -> None:
    clinic, foreign = other
    ada = _sees_one_site(clinic)
    ada.open("/")
    token = ada.forms()["/sign-out"]["form_token"]
    filler = {"number": 1, "typed_id": 1, "task_id": 1, "day_sign_off_id": 1, "site": OTHER}
    for route in ROUTES:
        if not re.findall(r"\{(\w+)\}", route.path) or not set(re.findall(r"\{(\w+)\}", route.path)) & NAMED.keys():
            continue
        answers = []
        for ids in (foreign.ids, dict.fromkeys(foreign.ids, 999_999)):
            path = _filled(route.path, {**filler, **ids})
            if route.method == "GET":
                answer = ada.http.get(path)
            else:
                answer = ada.http.post(path, data={"form_token": token, "version": "1"}, headers=SAME_ORIGIN)
            answers.append((answer.status_code, answer.text))
        assert answers[0][0] == 404, route.path
        assert answers[0] == answers[1], route.path


def test_no_page_shows_anything_of_another_site(other: tuple[Clinic, OtherSite]) -> None:
    clinic, _ = other
    everywhere = Browser(clinic.app).signed_in("ada")
    assert any(secret in everywhere.open("/queue").text for secret in SECRETS)
    ada = _sees_one_site(clinic)
    for address in _addresses(clinic):
        shown = ada.open(address).text
        told = [secret for secret in (*SECRETS, OTHER) if len(secret) > 2 and secret in shown]
        assert told == [], address


def test_odd_methods_get_nothing(hostile: Clinic) -> None:
    rosa = Browser(hostile.app).signed_in("rosa")
    for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "FOO"):
        for path in ("/queue", "/sign-in", f"/cases/{hostile.case_ids[0]}", "/static/app.css"):
            answer = rosa.http.request(method, path, headers=SAME_ORIGIN)
            assert answer.status_code in (403, 405, 411, 415), (method, path)
            assert "Kowalsk" not in answer.text


def test_odd_addresses_get_nothing(hostile: Clinic) -> None:
    rosa = Browser(hostile.app).signed_in("rosa")
    long = "/cases/" + "1" * 60_000
    odd = (
        long, "/cases/1%00", "/cases/%0a", "/cases/1%0d%0aX-Zap:%201", "/cases/99999999999999999999", "/cases/-1",
        "/cases/1e3", "/cases/0x1", "/static/%2e%2e/web.py", "/static/..%2fweb.py", "/static/%2e%2e%2fguard.py",
        "/static/....//web.py", "/static/%252e%252e/web.py", "/static/app.css%00.png", "/static/\\..\\web.py",
        "/./queue/../reports/%2e%2e", "/reports/1/pages/..%2f..%2f1.png", "/queue;x=1",
        "/%F0%28%8C%28", "/cases/%FF",
    )  # fmt: skip
    for path in odd:
        answer = rosa.http.get(path)
        assert answer.status_code in (400, 404, 422), path[:40]
        assert "x-zap" not in answer.headers
        assert "Kowalsk" not in answer.text
        assert "import" not in answer.text, path[:40]


def test_the_clock_of_a_hostile_session_ends_like_any_other(hostile: Clinic) -> None:
    rosa = Browser(hostile.app).signed_in("rosa")
    hostile.clock.advance(timedelta(minutes=16))
    assert rosa.open(f"/cases/{hostile.case_ids[0]}").status_code == 303
