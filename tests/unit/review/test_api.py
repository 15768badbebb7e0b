"""What a program can do with a token, and what it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response

from records.case import CaseState
from review.api.application import description, guarded_routes
from review.api.wire import MOST_BYTES
from store import audit, cases, tokens, users
from store.users import Role
from tests.unit.review.api_caller import Caller
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import SITE, Clinic
from tests.unit.review.two_sites import OTHER, SECRETS, OtherSite, furnish_second, open_both, token_for


@pytest.fixture
def both(home: Path) -> Iterator[Clinic]:
    opened = open_both(home)
    yield opened
    opened.database.close()


@pytest.fixture
def other(both: Clinic) -> OtherSite:
    return furnish_second(both.database)


@pytest.fixture
def reviewer(both: Clinic) -> Caller:
    return Caller(both.app, token_for(both, Role.REVIEWER))


def actions_of(clinic: Clinic) -> list[tuple[str, str]]:
    with clinic.database.reading() as session:
        return [(one.event.actor, one.event.action) for one in audit.events(session, limit=1000)]


def test_a_case_is_decided_like_on_the_page(both: Clinic, reviewer: Caller) -> None:
    case_id = both.case_ids[0]
    shown = reviewer.get(f"/cases/{case_id}").json()
    assert shown["values"]["patient"]["name"] == "Kowalsky, Thomas"
    assert [one["patient_id"] for one in shown["candidates"]] == ["D1", "D2", "D3"]
    body = {"version": shown["version"], "patient_id": "D1"}
    answer = reviewer.post(f"/cases/{case_id}/approve", body)
    assert answer.status_code == 200, answer.text
    record = reviewer.get(f"/records/{answer.json()['record_id']}").json()
    assert record["patient_id"] == "D1"
    assert record["state"] == "confirmed"
    assert [one["state"] for one in record["submissions"]] == ["pending"]
    assert [one["state"] for one in reviewer.get("/submissions").json()["items"]] == ["pending"]


def test_a_decision_that_is_sent_twice_changes_nothing_the_second_time(both: Clinic, reviewer: Caller) -> None:
    body = {"version": 1, "reason": "duplicate"}
    assert reviewer.post(f"/cases/{both.case_ids[2]}/reject", body).json()["state"] == "rejected"
    again = reviewer.post(f"/cases/{both.case_ids[2]}/reject", body)
    assert (again.status_code, again.json()["code"]) == (409, "stale")
    assert again.headers["content-type"] == "application/problem+json"
    assert again.json()["next_step"]


def test_a_patient_who_differs_is_approved_only_by_who_says_that_it_was_seen(both: Clinic, reviewer: Caller) -> None:
    body = {"version": 1, "patient_id": "D2"}
    answer = reviewer.post(f"/cases/{both.case_ids[0]}/approve", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "differs")
    answer = reviewer.post(f"/cases/{both.case_ids[0]}/approve", body | {"although_it_differs": True})
    assert answer.status_code == 200, answer.text


def test_values_are_corrected_and_a_rejection_is_taken_back(both: Clinic, reviewer: Caller) -> None:
    path = f"/cases/{both.case_ids[2]}"
    corrected = reviewer.post(f"{path}/correct", {"version": 1, "changes": {"total": "7"}}).json()
    assert corrected == {"case_id": both.case_ids[2], "version": 2, "state": "open"}
    assert reviewer.get(path).json()["values"]["total"] == 7
    assert reviewer.post(f"{path}/reject", {"version": 2, "reason": "duplicate"}).status_code == 200
    assert reviewer.post(f"{path}/reopen").json()["state"] == "open"
    ruled = reviewer.post(f"/cases/{both.case_ids[0]}/not-this-patient", {"version": 1, "patient_id": "D1"})
    assert ruled.json()["version"] == 2
    assert reviewer.get(f"/cases/{both.case_ids[0]}").json()["candidates"][0]["ruled_out"] is True


def test_a_confirmed_record_is_corrected_undone_and_taken_back(both: Clinic, reviewer: Caller) -> None:
    approved = reviewer.post(f"/cases/{both.case_ids[0]}/approve", {"version": 1, "patient_id": "D1"}).json()
    path = f"/records/{approved['record_id']}"
    version = reviewer.get(path).json()["version"]
    body = {"version": version, "reason": "wrong patient", "reopen": False, "wrong_patient": True}
    assert reviewer.post(f"{path}/withdraw", body).status_code == 409
    assert reviewer.post(f"{path}/undo", {"version": version}).json()["undone"] == "confirmation"
    stale = reviewer.post(f"{path}/undo", {"version": version})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")


def test_patients_are_found_and_what_was_searched_for_is_in_no_address(both: Clinic, reviewer: Caller) -> None:
    found = reviewer.post(f"/sites/{SITE}/patients/find", {"query": "osei hannah"}).json()
    assert [one["patient_id"] for one in found["patients"]] == ["D4"]
    trail = reviewer.post(f"/sites/{SITE}/patients/trail", {"patient_id": "D4"}).json()
    assert trail == {"patient_id": "D4", "told": [], "amended": []}
    addresses = " ".join(description()["paths"])
    assert "query" not in addresses
    assert "{patient" not in addresses


def test_the_queue_brings_the_next_case_and_takes_ones_last_decision_back(both: Clinic, reviewer: Caller) -> None:
    first = reviewer.get("/cases/next").json()
    assert first["case_id"] == both.case_ids[0]
    assert reviewer.post(f"/cases/{both.case_ids[0]}/open").json()["is_mine"] is True
    sam = Caller(both.app, token_for(both, Role.REVIEWER, user="sam"))
    assert sam.get("/cases/next").json()["case_id"] != both.case_ids[0]
    assert sam.post(f"/cases/{both.case_ids[0]}/open").json()["holder"] == "robot-reviewer"
    body = {"version": 1, "reason": "duplicate"}
    assert sam.post(f"/cases/{both.case_ids[0]}/reject", body).json()["code"] == "taken"
    assert sam.post(f"/cases/{both.case_ids[0]}/take-over").json()["is_mine"] is True
    assert sam.post(f"/cases/{both.case_ids[0]}/reject", body).json()["state"] == "open", "two people must say it"
    (made,) = sam.get("/decisions").json()["items"]
    assert reviewer.post("/decisions/undo", {"decision_id": made["decision_id"]}).status_code == 409
    assert sam.post("/decisions/undo", {"decision_id": made["decision_id"]}).json()["kind"] == "proposed"


def test_a_skipped_case_comes_last_and_a_parked_one_comes_back(both: Clinic, reviewer: Caller) -> None:
    assert reviewer.post(f"/cases/{both.case_ids[0]}/skip").status_code == 200
    assert reviewer.get("/cases/next").json()["case_id"] == both.case_ids[1]
    assert reviewer.post(f"/cases/{both.case_ids[2]}/park", {"version": 1}).status_code == 200
    assert reviewer.get("/cases/next", after=both.case_ids[1]).json()["case_id"] == both.case_ids[0]
    assert reviewer.post(f"/cases/{both.case_ids[2]}/bring-back").status_code == 200


def test_the_audit_trail_is_searched_by_who_may_and_the_search_is_in_it(both: Clinic, reviewer: Caller) -> None:
    reviewer.get(f"/cases/{both.case_ids[0]}")
    auditor = Caller(both.app, token_for(both, Role.AUDITOR, user="odo"))
    found = auditor.post("/audit/search", {"action": "case.viewed"}).json()["items"]
    assert [one["actor"] for one in found] == ["robot-reviewer"]
    assert auditor.get(f"/audit/events/{found[0]['seq']}").json() == found[0]
    assert auditor.get("/audit/events/99999999999999999999").status_code == 404
    assert auditor.get("/audit/chain").json()["intact"] is None
    assert ("odo", "audit.listed") in actions_of(both)
    assert reviewer.post("/audit/search", {}).status_code == 403


def test_a_page_is_fetched_as_a_picture(both: Clinic, reviewer: Caller) -> None:
    answer = reviewer.get(f"/reports/{both.report_id}/pages/1.png")
    assert answer.content.startswith(b"\x89PNG")
    assert reviewer.get(f"/reports/{both.report_id}/pages/99.png").status_code == 404


def test_an_alert_is_taken_by_the_user_of_the_token(both: Clinic) -> None:
    clinician = Caller(both.app, token_for(both, Role.CLINICIAN, user="carla"))
    taken = clinician.post(f"/alerts/{both.alert_id}/acknowledge", {"note": "Called back."}).json()
    assert taken["acknowledged_by"] == "carla"
    shown = clinician.get(f"/alerts/{both.alert_id}").json()
    assert [one["note"] for one in shown["events"]] == ["Called back."]
    assert clinician.get("/alerts", is_open="true").json()["items"] == []


def test_the_day_adds_up_and_names_nobody(both: Clinic) -> None:
    viewer = Caller(both.app, token_for(both, Role.VIEWER))
    day = viewer.get(f"/sites/{SITE}/day").json()
    assert day["adds_up"] is True
    assert day["balance"]["printed"] == 3
    assert [one["site"] for one in viewer.get("/sites").json()["items"]] == [SITE, OTHER]
    assert viewer.get("/cases").status_code == 403


def test_a_list_comes_in_parts_and_every_entry_once(both: Clinic, reviewer: Caller, other: OtherSite) -> None:
    del other
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        part = reviewer.get("/cases", after=after, limit=2).json()
        assert len(part["items"]) <= 2
        seen += [one["case_id"] for one in part["items"]]
        after = part["next"]
    assert seen == sorted(set(seen))
    assert len(seen) == 5


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Bearer sbt_" + "A" * 43]
)
def test_without_a_good_token_there_is_nothing(both: Clinic, authorization: str | None) -> None:
    caller = Caller(both.app, None)
    if authorization is not None:
        caller.headers = {"authorization": authorization}
    answer = caller.get("/cases")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="scorebridge"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


def test_a_signed_in_browser_is_nobody_to_the_api(both: Clinic) -> None:
    ada = Browser(both.app).signed_in("ada")
    assert ada.open("/api/v1/cases").status_code == 401
    assert ada.open("/api/v1/openapi.json").status_code == 401


def test_the_body_of_a_stranger_is_not_read(both: Clinic) -> None:
    answer = Caller(both.app, None).http.post(
        "/api/v1/cases/1/approve", content=b"{not json", headers={"content-type": "application/json"}
    )
    assert answer.status_code == 401
    viewer = token_for(both, Role.VIEWER)
    answer = Caller(both.app, None).http.post(
        "/api/v1/cases/1/approve", content=b"{not json",
        headers={"content-type": "application/json", "authorization": f"Bearer {viewer}"},
    )  # fmt: skip
    assert answer.status_code == 403


def test_a_token_ends_with_its_day_its_revocation_and_its_user(both: Clinic) -> None:
    revoked, disabled, demoted = (token_for(both, Role.REVIEWER, user="rosa") for _ in range(3))
    late = token_for(both, Role.REVIEWER, user="sam")
    with both.database.session() as session:
        first = tokens.bearer(session, revoked, now=both.clock())
        assert first is not None
        tokens.revoke(session, first.token.token_id, actor="ada", now=both.clock())
    assert Caller(both.app, revoked).get("/cases").status_code == 401
    assert Caller(both.app, demoted).get("/cases").status_code == 200
    with both.database.session() as session:
        users.set_role(session, "rosa", Role.VIEWER, actor="ada", now=both.clock())
    assert Caller(both.app, demoted).get("/cases").status_code == 401
    with both.database.session() as session:
        users.set_role(session, "rosa", Role.REVIEWER, actor="ada", now=both.clock())
        users.disable(session, "rosa", actor="ada", now=both.clock())
    assert Caller(both.app, disabled).get("/cases").status_code == 401
    assert Caller(both.app, late).get("/cases").status_code == 200
    both.clock.advance(timedelta(days=30))
    assert Caller(both.app, late).get("/cases").status_code == 401
    assert actions_of(both).count(("rosa", "token.refused")) == 3


def test_a_token_that_reads_changes_nothing(both: Clinic) -> None:
    caller = Caller(both.app, token_for(both, Role.REVIEWER, read_only=True))
    assert caller.get("/cases").status_code == 200
    assert caller.post(f"/sites/{SITE}/patients/find", {"query": "osei"}).status_code == 200
    answer = caller.post(f"/cases/{both.case_ids[0]}/reject", {"version": 1, "reason": "duplicate"})
    assert (answer.status_code, answer.json()["code"]) == (403, "read-only-token")
    with both.database.reading() as session:
        assert cases.get(session, both.case_ids[0]).state is CaseState.OPEN


def test_guessing_is_slowed_down_and_a_good_token_passes_all_the_same(both: Clinic, reviewer: Caller) -> None:
    guesser = Caller(both.app, "sbt_guess")
    assert [guesser.get("/cases").status_code for _ in range(12)] == [401] * 10 + [429] * 2
    assert guesser.get("/cases").headers["retry-after"] == "60"
    assert reviewer.get("/cases").status_code == 200
    assert Caller(both.app, "sbt_guess", client="10.0.0.9").get("/cases").status_code == 401
    both.clock.advance(timedelta(minutes=1))
    assert guesser.get("/cases").status_code == 401


def test_every_change_and_every_look_at_a_patient_is_in_the_audit_trail(both: Clinic) -> None:
    caller = Caller(both.app, token_for(both, Role.REVIEWER, user="rosa"))
    caller.get(f"/cases/{both.case_ids[0]}")
    caller.get(f"/reports/{both.report_id}")
    caller.get(f"/reports/{both.report_id}/pages/1.png")
    caller.post(f"/sites/{SITE}/patients/find", {"query": "osei"})
    caller.post(f"/cases/{both.case_ids[2]}/reject", {"version": 1, "reason": "duplicate"})
    done = [action for actor, action in actions_of(both) if actor == "rosa"]
    assert done == ["case.viewed", "report.viewed", "page.viewed", "patient.searched", "token.used", "case.rejected"]


# Without a parameter of their own, or for a token of certain sites, these answer otherwise than with 200.
_ASK_MORE = {
    "/sites/{site}/group", "/sites/{site}/patient-list/columns/{work_id}", "/shadow/difference", "/audit/weeks"
}  # fmt: skip
# Lists that name no site, or hold nothing of the other one here.
_NAME_NO_SITE = {
    "/cases/next", "/decisions", "/audit/chain", "/signed-days", "/work", "/sources", "/notices", "/health",
    "/templates", "/template-drafts", "/destinations", "/blind-audits", "/shadow/signed", "/registrations",
}  # fmt: skip


def test_another_sites_things_are_as_if_they_were_not_there(both: Clinic, other: OtherSite) -> None:
    here = Caller(both.app, token_for(both, Role.ADMINISTRATOR, sites={SITE}))
    everywhere = Caller(both.app, token_for(both, Role.ADMINISTRATOR))
    for route in guarded_routes():
        named = set(route.param_convertors) & (other.ids.keys() | {"site"})
        if not named:
            continue
        free = {"number": 1, "work_id": 1, "alias_id": 1}
        path = route.path.format(**(other.ids | free | {"site": OTHER}))
        nothing = route.path.format(**(dict.fromkeys(other.ids, 999_999) | free | {"site": "NOWHERE"}))
        ask = here.get if route.methods == {"GET"} else _sent(here) if route.file_bytes else here.post
        foreign, absent = ask(path), ask(nothing)
        assert (foreign.status_code, absent.status_code) == (404, 404), route.path
        assert foreign.content == absent.content
        if route.methods == {"GET"} and route.path not in _ASK_MORE:
            assert everywhere.get(path).status_code == 200, route.path


def _sent(caller: Caller) -> Callable[[str], Response]:
    return lambda path: caller.send(path, [("file", "a.csv", b"a,b\n")])


def test_lists_hold_nothing_of_another_site(both: Clinic, other: OtherSite) -> None:
    del other
    here = Caller(both.app, token_for(both, Role.ADMINISTRATOR, sites={SITE}))
    everywhere = Caller(both.app, token_for(both, Role.ADMINISTRATOR))
    for route in guarded_routes():
        if route.methods != {"GET"} or "{" in route.path or route.path in {"/openapi.json", *_ASK_MORE}:
            continue
        answer = here.get(route.path)
        assert answer.status_code == 200
        assert OTHER not in answer.text, route.path
        assert not [secret for secret in SECRETS if f'"{secret}' in answer.text], route.path
        if route.path not in _NAME_NO_SITE:
            assert OTHER in everywhere.get(route.path).text, route.path


def test_every_operation_has_a_policy_and_says_whether_it_changes_something() -> None:
    for route in guarded_routes():
        assert route.admission.policy.roles, route.path
        assert not route.admission.policy.is_open, route.path
        assert route.methods in ({"GET"}, {"POST"}), route.path
        if route.methods == {"GET"}:
            assert not route.admission.changes, route.path
    only_read = {one.path for one in guarded_routes() if one.methods == {"POST"} and not one.admission.changes}
    assert only_read == {
        "/sites/{site}/patients/find",
        "/sites/{site}/patients/trail",
        "/sites/{site}/patients/who-saw",
        "/audit/search",
        "/audit/events/{seq}/names",
    }


def test_what_cannot_be_understood_is_not_repeated(both: Clinic, reviewer: Caller) -> None:
    case = f"/cases/{both.case_ids[0]}"
    for body in (
        {"version": "SECRETNAME", "patient_id": "D1"},
        {"version": 1, "patient_id": "D1", "SECRETNAME": 1},
        {"version": 1, "patient_id": ["SECRETNAME"]},
    ):
        answer = reviewer.post(f"{case}/approve", body)
        assert answer.status_code == 422
        assert "SECRETNAME" not in answer.text
    answer = reviewer.post(f"{case}/correct", {"version": 1, "changes": {"SECRETNAME": 1}})
    assert (answer.status_code, answer.json()["fields"]) == (422, ["body.changes"])
    answer = reviewer.post(f"{case}/correct", {"version": 1, "changes": {"SECRETNAME": "1"}})
    assert answer.status_code == 409
    assert "SECRETNAME" not in answer.text
    for path in ("/cases/SECRETNAME", "/nowhere/SECRETNAME", "/cases?state=SECRETNAME", "/sites/SECRETNAME/day"):
        answer = reviewer.get(path)
        assert answer.status_code in (404, 422), path
        assert "SECRETNAME" not in answer.text


@pytest.mark.parametrize("number", ["0", "-1", "1.0", "99999999999999999999", "2147483648", "１", "1%2F2", "None"])
def test_a_number_that_is_none_is_not_there(both: Clinic, reviewer: Caller, number: str) -> None:
    for thing in ("cases", "records", "reports", "alerts", "submissions"):
        assert reviewer.get(f"/{thing}/{number}").status_code == 404, thing


def test_an_address_with_control_characters_is_none(reviewer: Caller) -> None:
    for odd in ("%00", "1%0A", "1%0D%0AX-Evil:%201"):
        answer = reviewer.get(f"/cases/{odd}")
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert "x-evil" not in answer.headers


def test_bodies_that_are_no_small_json_are_refused(both: Clinic, reviewer: Caller) -> None:
    path = f"/api/v1/cases/{both.case_ids[0]}/approve"

    def post(content: bytes, kind: str | None) -> int:
        headers = reviewer.headers | ({} if kind is None else {"content-type": kind})
        return reviewer.http.post(path, content=content, headers=headers).status_code

    assert post(b" " * (MOST_BYTES + 1), "application/json") == 413
    assert post(b"{}", "application/x-www-form-urlencoded") == 415
    assert post(b"{}", None) == 415
    assert post(b"{", "application/json") == 422
    assert post(b'{"version": 1, "patient_id": "\xff"}', "application/json") == 400
    assert post(b"[" * 20_000, "application/json") in (400, 422)
    assert post(json.dumps({"version": 1, "patient_id": "\ud800"}).encode(), "application/json") == 422
    assert post(json.dumps({"version": 1, "patient_id": "\x00"}).encode(), "application/json") == 422
    assert post(b'{"version": 1e400, "patient_id": "D1"}', "application/json") == 422


def test_other_methods_are_refused(both: Clinic, reviewer: Caller) -> None:
    for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"):
        answer = reviewer.http.request(method, "/api/v1/cases", headers=reviewer.headers)
        assert answer.status_code == 405, method


def test_the_description_is_for_whoever_has_a_token(both: Clinic) -> None:
    answer = Caller(both.app, token_for(both, Role.AUDITOR)).get("/openapi.json")
    assert answer.json() == description()
    assert answer.json()["openapi"].startswith("3.1")
