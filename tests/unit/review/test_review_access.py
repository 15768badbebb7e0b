"""Who gets in, what a foreign page cannot do, and what every answer carries."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.routing import Mount

from records.case import CaseState
from records.geometry import Region
from records.picture import DrawnPage
from review.access import Policy, read_form
from review.api.wire import PREFIX
from review.guard import CONTENT_SECURITY_POLICY
from review.routing import MOST_FORM_BYTES
from review.server import server_config
from review.settings import WebSettings
from review.uploads import read_upload
from store import audit, cases, web_sessions
from store.users import Role
from tests.unit.review.day_clinic import sign_today
from tests.unit.review.review_browser import SAME_ORIGIN, Browser
from tests.unit.review.review_clinic import PASSWORD, SITE, STAFF, Clinic, blind_check, open_clinic
from tests.unit.review.shadow_clinic import open_difference, signed_day, with_typed_values

OWN_SCRIPT = re.compile(r'<script (?:type="module" )?src="/static/[\w.?=-]+"(?: defer)?></script>')


# The empty search shows nobody yet; a group that is not named leads back to the queue.
_NO_PATIENTS = {"/patients", "/queue/groups"}
_LEADS_ON = {"/queue/groups", "/prove/provider"}


def _routes(app: FastAPI) -> list[APIRoute]:
    # What is mounted there has policies of its own, and test_api.py walks them.
    pages = [route for route in app.routes if not (isinstance(route, Mount) and route.path == PREFIX)]
    assert all(isinstance(route, APIRoute) for route in pages), "a route that no policy can be read of"
    return [route for route in pages if isinstance(route, APIRoute)]


def _policies(route: APIRoute) -> list[Policy]:
    return [one.call for one in route.dependant.dependencies if isinstance(one.call, Policy)]


def test_every_route_has_exactly_one_policy_and_it_is_asked_first(clinic: Clinic) -> None:
    for route in _routes(clinic.app):
        assert len(_policies(route)) == 1, route.path
        assert isinstance(route.dependant.dependencies[0].call, Policy), route.path


def test_every_route_that_changes_something_asks_for_a_form_of_ours(clinic: Clinic) -> None:
    for route in _routes(clinic.app):
        if route.methods != {"GET"}:
            asked = [one.call for one in route.dependant.dependencies]
            assert read_form in asked or read_upload in asked, route.path


def test_only_the_pages_without_patient_data_are_open(clinic: Clinic) -> None:
    is_open = {route.path for route in _routes(clinic.app) if _policies(route)[0].is_open}
    signing_in = {path for path in is_open if path == "/sign-in" or path.startswith("/sign-in/")}
    assert is_open - signing_in == {"/health", "/metrics", "/static/{name}"}


def _takes_files(route: APIRoute) -> bool:
    return read_upload in [one.call for one in route.dependant.dependencies]


def _filled(path: str, clinic: Clinic, *, task_id: int = 1, difference: tuple[int, int] = (1, 1)) -> str:
    values = {
        "case_id": clinic.case_ids[0],
        "report_id": clinic.report_id,
        "alert_id": clinic.alert_id,
        "number": 1,
        "task_id": task_id,
        "record_id": difference[0],
        "typed_id": difference[1],
        "sign_off_id": 1,
        "token_id": 1,
        "name": "app.css",
        "kind": "records",
        "day_sign_off_id": 1,
        "seq": 1,
        "week": "2026-11-16",
        "submission_id": 1,
        "user_id": 1,
        "entry_id": 1,
        "access_id": 1,
        "key": clinic.app.state.office.setup.sources[0].key,
        "destination_id": "portal",
        "site": SITE,
        "request_id": clinic.preview_id,
        "work_id": clinic.scan_id,
        "draft_id": clinic.draft_id,
        "template_id": "riverside",
        "revision": 3,
        "alias_id": 1,
    }
    return path.format(**values)


def test_nobody_who_is_not_signed_in_sees_or_changes_anything(clinic: Clinic) -> None:
    stranger = Browser(clinic.app)
    for route in _routes(clinic.app):
        if _policies(route)[0].is_open:
            continue
        for method in route.methods:
            answer = stranger.http.request(
                method,
                _filled(route.path, clinic),
                headers=SAME_ORIGIN,
                data={"version": "1"} if method == "POST" else None,
                files={"file": ("a", b"a")} if _takes_files(route) else None,
            )
            assert answer.status_code in (303, 401), route.path
            assert "Kowalsk" not in answer.text
            assert answer.headers.get("location", "/sign-in").startswith("/sign-in")


@pytest.mark.parametrize("name", sorted(STAFF))
def test_each_role_reaches_what_its_policy_names_and_nothing_else(clinic: Clinic, name: str) -> None:
    person, task_id = Browser(clinic.app).signed_in(name), blind_check(clinic)
    with_typed_values(clinic)
    assert signed_day(clinic) == 1
    assert sign_today(clinic) == 1
    difference = open_difference(clinic)
    for route in _routes(clinic.app):
        policy = _policies(route)[0]
        if route.methods != {"GET"} or policy.is_open:
            continue
        answer = person.open(_filled(route.path, clinic, task_id=task_id, difference=difference))
        let_in = 303 if route.path in _LEADS_ON else 200
        assert answer.status_code == (let_in if STAFF[name] in policy.roles else 403), route.path
        if answer.status_code == 403:
            assert "Kowalsk" not in answer.text


def test_every_page_with_patient_data_leaves_an_event_of_having_been_looked_at(clinic: Clinic, rosa: Browser) -> None:
    task_id = blind_check(clinic)
    for route in _routes(clinic.app):
        roles = _policies(route)[0].roles
        # What viewers may see names nobody; the day, which names some to some, has tests of its own.
        if route.methods != {"GET"} or Role.CLINICIAN not in roles or Role.VIEWER in roles:
            continue
        if route.path in _NO_PATIENTS:
            continue
        with clinic.database.reading() as session:
            before = audit.verify(session, anchor_file=None).events
        assert rosa.open(_filled(route.path, clinic, task_id=task_id)).status_code == 200, route.path
        with clinic.database.reading() as session:
            made = audit.events(session, after=before)
        assert [one for one in made if one.event.actor == "rosa"], route.path


def test_a_viewer_cannot_decide_with_a_form_made_by_hand(clinic: Clinic) -> None:
    vera = Browser(clinic.app).signed_in("vera")
    vera.open("/")
    form = {"form_token": vera.forms()["/sign-out"]["form_token"], "version": "1", "patient_id": "D1"}
    answer = vera.http.post(f"/cases/{clinic.case_ids[0]}/approve", data=form, headers=SAME_ORIGIN)
    assert answer.status_code == 403


def test_a_form_without_the_sessions_token_is_refused(clinic: Clinic, rosa: Browser) -> None:
    sam = Browser(clinic.app).signed_in("sam")
    sam.open("/")
    foreign = sam.forms()["/sign-out"]["form_token"]
    path = f"/cases/{clinic.case_ids[0]}/reject"
    for token in (None, "", "x", "é", foreign):
        form = {"version": "1", "reason": "duplicate"} | ({} if token is None else {"form_token": token})
        answer = rosa.http.post(path, data=form, headers=SAME_ORIGIN)
        assert answer.status_code == 403
        assert "Nothing was saved." in answer.text
    with clinic.database.reading() as session:
        assert cases.get(session, clinic.case_ids[0]).state is CaseState.OPEN


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8765"},
    ],
)
def test_a_form_on_a_foreign_page_is_refused_even_with_the_right_token(
    clinic: Clinic, rosa: Browser, headers: dict[str, str]
) -> None:
    rosa.open(f"/cases/{clinic.case_ids[0]}")
    form = rosa.forms()[f"/cases/{clinic.case_ids[0]}/reject"] | {"reason": "duplicate"}
    answer = rosa.http.post(f"/cases/{clinic.case_ids[0]}/reject", data=form, headers=headers)
    assert answer.status_code == 403


def test_an_older_browser_without_fetch_headers_is_known_by_its_origin(clinic: Clinic, rosa: Browser) -> None:
    rosa.open(f"/cases/{clinic.case_ids[0]}")
    form = rosa.forms()[f"/cases/{clinic.case_ids[0]}/reject"] | {"reason": "duplicate"}
    headers = {"origin": "http://127.0.0.1:8765"}
    assert rosa.http.post(f"/cases/{clinic.case_ids[0]}/reject", data=form, headers=headers).status_code == 303


def test_a_foreign_host_name_pointed_at_this_machine_gets_nothing(clinic: Clinic) -> None:
    for host in ("evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "[", "::1]"):
        answer = Browser(clinic.app).http.get("/health", headers={"host": host})
        assert answer.status_code == 400, host
    for host in ("127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST"):
        assert Browser(clinic.app).http.get("/health", headers={"host": host}).status_code == 200, host


def test_bodies_that_are_no_small_form_are_not_read(clinic: Clinic, rosa: Browser) -> None:
    def post(content: bytes, kind: str) -> int:
        headers = SAME_ORIGIN | {"content-type": kind}
        return rosa.http.post("/sign-out", content=content, headers=headers).status_code

    assert post(b"a" * (MOST_FORM_BYTES + 1), "application/x-www-form-urlencoded") == 413
    assert post(b"{}", "application/json") == 415
    assert post(b"--x", "multipart/form-data; boundary=x") == 415
    assert post(b"&".join(b"a=b" for _ in range(5000)), "application/x-www-form-urlencoded") == 403
    assert post(b"\xff\xfe=%ff", "application/x-www-form-urlencoded") == 403


def test_every_answer_carries_the_protecting_headers(clinic: Clinic, rosa: Browser) -> None:
    paths = ["/sign-in", "/", "/queue", f"/cases/{clinic.case_ids[0]}", "/alerts", "/health", "/nowhere", "/cases/x"]
    paths += [f"/reports/{clinic.report_id}", f"/reports/{clinic.report_id}/pages/1.png", "/static/app.css"]
    for path in paths:
        headers = rosa.open(path).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        wanted = "public, max-age=31536000, immutable" if path.startswith("/static/") else "no-store"
        assert headers["cache-control"] == wanted


def test_pages_hold_nothing_that_the_policy_would_block(clinic: Clinic, rosa: Browser) -> None:
    for path in ("/", "/queue", f"/cases/{clinic.case_ids[0]}", f"/reports/{clinic.report_id}", "/alerts"):
        page = rosa.open(path).text.lower()
        for blocked in (" style=", "<style", " onclick=", " hx-on", "javascript:", "http://", "https://"):
            assert blocked not in page, (path, blocked)
        # A script of our own files is let through; words between the tags are not.
        assert page.count("<script") == len(OWN_SCRIPT.findall(page))


def test_what_cannot_be_understood_is_not_repeated(clinic: Clinic, rosa: Browser) -> None:
    for path in ("/cases/SECRETNAME", "/reports/SECRETNAME", "/queue?part=SECRETNAME"):
        answer = rosa.open(path)
        assert answer.status_code in (404, 422)
        assert "SECRETNAME" not in answer.text


def test_a_fault_of_a_page_tells_nothing_to_the_browser(home: Path) -> None:
    clinic = open_clinic(home, render=_falls_over)
    rosa = Browser(clinic.app).signed_in("rosa")
    answer = rosa.open(f"/cases/{clinic.case_ids[0]}")
    assert answer.status_code == 500
    assert "SECRET" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    clinic.database.close()


def _falls_over(content: bytes, page: int, parts: tuple[Region, ...]) -> DrawnPage:
    raise KeyError("SECRET")


def test_a_wrong_password_a_wrong_name_and_a_lock_sound_alike(clinic: Clinic) -> None:
    browser = Browser(clinic.app)
    said = []
    for name, password in [("nobody", PASSWORD)] + [("rosa", "wrong password")] * 5 + [("rosa", PASSWORD)]:
        browser.open("/sign-in")
        answer = browser.submit("/sign-in", name=name, password=password)
        assert answer.status_code == 403
        assert PASSWORD not in answer.text
        said.append(answer.text.replace(browser.forms()["/sign-in"]["form_token"], ""))
    assert len(set(said)) == 1
    clinic.clock.advance(timedelta(minutes=15))
    assert Browser(clinic.app).signed_in("rosa").open("/").status_code == 200


def test_the_session_cookie_is_kept_from_scripts_and_foreign_sites(clinic: Clinic) -> None:
    browser = Browser(clinic.app)
    browser.open("/sign-in")
    answer = browser.submit("/sign-in", name="rosa", password=PASSWORD)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("scorebridge="))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Max-Age" not in cookie


def test_over_tls_the_cookie_is_bound_to_this_host_and_to_tls(home: Path) -> None:
    settings = WebSettings(host="10.0.0.5", certificate=Path("c.pem"), key=Path("k.pem"), second_factor="optional")
    clinic = open_clinic(home, settings=settings)
    browser = Browser(clinic.app, base_url="https://scores.clinic.example")
    browser.open("/sign-in")
    answer = browser.submit("/sign-in", name="rosa", password=PASSWORD)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("__Host-scorebridge="))
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "strict-transport-security" in answer.headers
    assert browser.open("/").status_code == 200
    clinic.database.close()


def test_signing_in_gives_a_new_session_and_ends_the_old_one(clinic: Clinic, rosa: Browser) -> None:
    before = rosa.http.cookies["scorebridge"]
    rosa.open("/")
    rosa.submit("/sign-out")
    assert "scorebridge" not in rosa.http.cookies
    rosa.signed_in("rosa")
    assert rosa.http.cookies["scorebridge"] != before
    with clinic.database.session() as session:
        assert web_sessions.find(session, before, now=clinic.clock()) is None


def test_signing_out_empties_the_browser(clinic: Clinic, rosa: Browser) -> None:
    rosa.open("/")
    answer = rosa.submit("/sign-out")
    assert answer.headers["location"] == "/sign-in?said=signed-out"
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert rosa.open("/queue").status_code == 303


def test_a_session_ends_after_fifteen_idle_minutes_and_the_page_leaves_by_itself(clinic: Clinic, rosa: Browser) -> None:
    assert '<noscript><meta http-equiv="refresh" content="905; url=/sign-in?said=idle">' in rosa.open("/queue").text
    clinic.clock.advance(timedelta(minutes=14))
    assert rosa.open("/queue").status_code == 200
    clinic.clock.advance(timedelta(minutes=15))
    assert rosa.open("/queue").headers["location"] == "/sign-in?next=/queue"
    assert "signed out after 15 minutes" in rosa.open("/sign-in?said=idle").text


def test_after_signing_in_one_is_where_one_wanted_to_be(clinic: Clinic) -> None:
    browser = Browser(clinic.app)
    wanted = f"/cases/{clinic.case_ids[1]}"
    assert browser.open(wanted).headers["location"] == f"/sign-in?next={wanted}"
    browser.open(f"/sign-in?next={wanted}")
    assert browser.submit("/sign-in", name="rosa", password=PASSWORD).headers["location"] == wanted


@pytest.mark.parametrize(
    "lure",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/cases/1/../../x", "javascript:1", "/queue\n"],
)
def test_no_link_leads_out_of_the_program_through_the_sign_in(clinic: Clinic, lure: str) -> None:
    browser = Browser(clinic.app)
    page = browser.http.get("/sign-in", params={"next": lure})
    browser.page = page
    assert browser.forms()["/sign-in"]["next"] == "/"
    answer = browser.submit("/sign-in", name="rosa", password=PASSWORD, next=lure)
    assert answer.headers["location"] == "/"


def test_metrics_are_for_this_machine_only_and_health_for_everybody(clinic: Clinic) -> None:
    assert Browser(clinic.app).open("/metrics").text == "scorebridge_up 1\n"
    elsewhere = Browser(clinic.app, client="10.1.2.3")
    assert elsewhere.open("/metrics").status_code == 403
    assert elsewhere.open("/health").json() == {"ok": True}


def test_a_service_in_trouble_answers_so_that_a_monitor_needs_to_read_nothing(clinic: Clinic) -> None:
    def trouble() -> dict[str, object]:
        return {"ok": False, "stopped_threads": ["delivery"]}

    clinic.app.state.office = replace(clinic.app.state.office, health=trouble)
    answer = Browser(clinic.app).open("/health")
    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "stopped_threads": ["delivery"]}


def test_a_forwarded_address_does_not_open_the_metrics(clinic: Clinic) -> None:
    elsewhere = Browser(clinic.app, client="10.1.2.3")
    assert elsewhere.http.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 403
    assert server_config(clinic.app, WebSettings()).proxy_headers is False


def test_pages_reachable_from_other_machines_need_a_certificate() -> None:
    for host in ("0.0.0.0", "10.0.0.5", "::", "scores.clinic.example"):
        with pytest.raises(ValidationError, match="give certificate and key"):
            WebSettings(host=host)
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        assert not WebSettings(host=host).has_tls
    with pytest.raises(ValidationError, match="belong together"):
        WebSettings(certificate=Path("c.pem"))
    assert WebSettings(host="0.0.0.0", certificate=Path("c.pem"), key=Path("k.pem")).has_tls
