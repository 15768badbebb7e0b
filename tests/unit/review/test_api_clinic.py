"""Running the clinic with a token: the day, sources, templates, portals, lists, blind audit, shadow, the trail."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from review.setup import SourceSetup
from store import audit, outbox, template_drafts, work_requests
from store.users import Role
from tests.unit.review.api_caller import Caller
from tests.unit.review.review_clinic import SETUP, SITE, TEMPLATE, TODAY, Clinic, blind_check
from tests.unit.review.shadow_clinic import with_typed_values
from tests.unit.review.two_sites import OTHER, furnish_second, open_both, token_for


@pytest.fixture
def both(home: Path) -> Iterator[Clinic]:
    opened = open_both(home)
    yield opened
    opened.database.close()


@pytest.fixture
def admin(both: Clinic) -> Caller:
    return Caller(both.app, token_for(both, Role.ADMINISTRATOR, user="ada"))


@pytest.fixture
def stranger(both: Clinic) -> Caller:
    """An administrator's token of the other site only."""
    furnish_second(both.database)
    return Caller(both.app, token_for(both, Role.ADMINISTRATOR, sites={OTHER}))


@pytest.fixture
def reviewer(both: Clinic) -> Caller:
    return Caller(both.app, token_for(both, Role.REVIEWER, user="rosa"))


def source() -> SourceSetup:
    return SETUP.sources[0]


def done(clinic: Clinic) -> list[str]:
    with clinic.database.reading() as session:
        return [one.event.action for one in audit.events(session, limit=1000)]


def test_a_day_is_counted_and_signed_once_it_was_seen(both: Clinic, admin: Caller, stranger: Caller) -> None:
    path = f"/sites/{SITE}/day"
    day = TODAY.isoformat()
    told = admin.get(f"{path}/figures", day=day).json()
    assert (told["figures"]["waiting"], told["adds_up"], len(told["reports"])) == (3, True, 1)
    part = admin.get(f"{path}/records", day=day, kind="waiting", limit=2).json()
    rest = admin.get(f"{path}/records", day=day, kind="waiting", after=part["next"]).json()
    assert [one["case_id"] for one in (*part["items"], *rest["items"])] == both.case_ids
    shown = admin.get(f"{path}/to-sign", day=day).json()
    wish = {"day": day, "name": "Ada Byron", "note": "They wait.", "seen": "0" * 64}
    assert admin.post(f"{path}/sign", wish).status_code == 409
    signed = admin.post(f"{path}/sign", wish | {"seen": shown["sha256"]}).json()
    kept = admin.get(f"/signed-days/{signed['sign_off_id']}").json()
    assert (kept["signed"]["sha256"], kept["changes"], kept["intact"]) == (shown["sha256"], [], True)
    assert [one["sign_off_id"] for one in admin.get("/signed-days").json()["items"]] == [signed["sign_off_id"]]
    assert stranger.get("/signed-days").json()["items"] == []
    assert stranger.get(f"/signed-days/{signed['sign_off_id']}").status_code == 404
    assert Caller(both.app, token_for(both, Role.REVIEWER)).post(f"{path}/sign", wish).status_code == 403


def test_a_folder_is_read_and_what_became_of_it_is_asked_for(both: Clinic, reviewer: Caller, stranger: Caller) -> None:
    (shown,) = reviewer.get("/sources").json()["items"]
    assert (shown["site"], shown["key"]) == (SITE, source().key)
    assert reviewer.get(f"/sources/{source().key}").json()["waiting"] == []
    asked = reviewer.post(f"/sources/{source().key}/scan").json()
    assert (asked["kind"], asked["state"]) == ("scan-source", "waiting")
    with both.database.session() as session:
        work_requests.finish(session, asked["request_id"], went_well=True, outcome="Read.", now=both.clock())
    assert reviewer.get(f"/work-requests/{asked['request_id']}").json()["outcome"] == "Read."
    assert reviewer.post(f"/sources/{source().key}/backlog").status_code == 200
    assert "preview-roster" not in {one["kind"] for one in reviewer.get("/work").json()["items"]}
    assert reviewer.get(f"/work-requests/{both.preview_id}").status_code == 404
    for path in (f"/sources/{source().key}", f"/work-requests/{asked['request_id']}"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"/sources/{source().key}/scan").status_code == 404
    assert stranger.get("/work").json()["items"] == []
    assert Caller(both.app, token_for(both, Role.VIEWER)).get("/sources").status_code == 403


def test_a_template_is_brought_checked_held_and_published_by_who_may(both: Clinic, admin: Caller) -> None:
    author = Caller(both.app, token_for(both, Role.TEMPLATE_AUTHOR, user="tom"))
    (shown,) = author.get("/templates").json()["items"]
    assert [one["revision"] for one in shown["revisions"]] == [3, 2]
    assert author.get("/templates/riverside").json()["text"] == TEMPLATE
    assert author.get("/templates/nothing").status_code == 404
    changed = author.get("/templates/riverside/revisions/3/changes", since=2).json()
    assert changed["fields"] == [{"place": "revision", "before": "2", "after": "3"}]
    assert {"-revision: 2", "+revision: 3"} < set(changed["lines"])
    assert author.get("/templates/riverside/revisions/3/changes", since=7).status_code == 404
    assert author.get("/templates/riverside/revisions/3/changes").status_code == 422
    revision = "/templates/riverside/revisions/3"
    assert author.post(f"{revision}/hold").status_code == 200
    assert author.get("/templates/riverside").json()["revisions"][0]["state"] == "held"
    assert author.post(f"{revision}/release").status_code == 403, "only a person of this role proves who they are"
    assert admin.post(f"{revision}/release").status_code == 200
    assert author.post(f"{revision}/check").json()["kind"] == "check-template"
    faulty = author.post("/template-drafts", {"text": "id: riverside"})
    assert faulty.status_code == 409
    brought = author.post("/template-drafts", {"text": TEMPLATE.replace("revision: 3", "revision: 5")}).json()
    draft = f"/template-drafts/{brought['draft_id']}"
    assert "revision: 5" in author.get(draft).json()["text"]
    assert brought["draft_id"] in {one["draft_id"] for one in author.get("/template-drafts").json()["items"]}
    assert author.post(f"{draft}/check").json()["subject"] == "riverside@5"
    assert author.post(f"{draft}/publish", {}).status_code == 403
    asked = admin.post(f"{draft}/publish", {"is_live": True}).json()
    with both.database.reading() as session:
        assert work_requests.get(session, asked["request_id"], sites=None).arguments["state"] == "live"
    rolled = admin.post("/templates/riverside/revisions/2/roll-back", {}).json()
    assert rolled["kind"] == "roll-back-template"
    assert author.post(f"{draft}/drop").status_code == 200
    with both.database.reading() as session:
        assert brought["draft_id"] not in {one.draft_id for one in template_drafts.list_drafts(session)}
    assert author.get(draft).status_code == 404
    assert Caller(both.app, token_for(both, Role.REVIEWER)).get("/templates").status_code == 403


def test_a_portal_is_stopped_and_resumed_by_administrators_only(both: Clinic, admin: Caller, reviewer: Caller) -> None:
    assert [one["destination_id"] for one in admin.get("/destinations").json()["items"]] == ["portal"]
    assert admin.post("/destinations/portal/pause").status_code == 200
    assert admin.get("/destinations/portal").json()["paused"] == outbox.BY_PERSON
    assert [one["kind"] for one in admin.get("/notices").json()["items"]] == ["destination-paused"]
    read_only = Caller(both.app, token_for(both, Role.ADMINISTRATOR, read_only=True))
    assert read_only.post("/destinations/portal/resume").status_code == 403
    assert admin.post("/destinations/portal/resume").status_code == 200
    assert admin.get("/destinations/portal").json()["paused"] is None
    assert admin.post("/destinations/portal/release", {"reason": "no-permission"}).json() == {"released": 0}
    assert admin.post("/destinations/portal/probe").json()["kind"] == "probe-destination"
    assert admin.get("/destinations/nothing").status_code == 404
    assert reviewer.post("/destinations/portal/pause").status_code == 403


@pytest.mark.parametrize("what", ["pause", "resume"])
def test_a_portal_that_other_sites_share_is_stopped_by_who_sees_them_all(
    both: Clinic, admin: Caller, what: str
) -> None:
    if what == "resume":
        admin.post("/destinations/portal/pause")
    before = admin.get("/destinations/portal").json()["paused"]
    local = Caller(both.app, token_for(both, Role.ADMINISTRATOR, sites={SITE}))
    refused = local.post(f"/destinations/portal/{what}")
    assert (refused.status_code, refused.json()["code"]) == (409, "other-sites")
    assert admin.get("/destinations/portal").json()["paused"] == before
    everywhere = Caller(both.app, token_for(both, Role.ADMINISTRATOR, sites={SITE, OTHER}))
    assert everywhere.post(f"/destinations/portal/{what}").status_code == 200
    assert admin.post("/test-alert").json()["kind"] == "test-alert"
    assert admin.get("/health").json()["ok"] is True


def test_a_patient_list_is_looked_at_imported_and_rolled_back(both: Clinic, admin: Caller, stranger: Caller) -> None:
    path = f"/sites/{SITE}/patient-list"
    shown = admin.get(path).json()
    assert (shown["is_stale"], [one["version"] for one in shown["versions"]], shown["said"]) == (False, [1], [])
    assert admin.post(f"{path}/look").json()["request_id"] == both.preview_id
    assert admin.post(f"{path}/import/{both.preview_id}", {}).status_code == 404, "it is not shown yet"
    with both.database.session() as session:
        work_requests.finish(
            session, both.preview_id, went_well=True, outcome="Shown.", found={"refused": "Too much."},
            now=both.clock(),
        )  # fmt: skip
    assert admin.post(f"{path}/import/{both.preview_id}", {}).status_code == 409
    assert admin.post(f"{path}/import/{both.preview_id}", {"accepted": True}).json()["kind"] == "import-roster"
    assert admin.post(f"{path}/roll-back", {"to": 7}).status_code == 409
    assert admin.post(f"{path}/said/1/revoke").status_code == 404
    foreign = f"/sites/{OTHER}/patient-list/import/{both.preview_id}"
    assert stranger.post(foreign, {"accepted": True}).status_code == 404
    author = Caller(both.app, token_for(both, Role.TEMPLATE_AUTHOR))
    assert author.post(f"{path}/roll-back", {"to": 1}).status_code == 403


def test_a_match_is_checked_blindly(both: Clinic, reviewer: Caller) -> None:
    task_id = blind_check(both)
    stranger = Caller(both.app, token_for(both, Role.ADMINISTRATOR, sites={OTHER}))
    assert [one["task_id"] for one in reviewer.get("/blind-audits").json()["waiting"]] == [task_id]
    shown = reviewer.get(f"/blind-audits/{task_id}").json()
    assert {"D4"} < {one["patient_id"] for one in shown["people"]}
    assert (shown["program_said"], shown["agrees"]) == (None, None)
    assert stranger.get("/blind-audits").json()["waiting"] == []
    assert stranger.get("/blind-audits").json()["figures"]["drawn"] == 0
    assert stranger.get(f"/blind-audits/{task_id}").status_code == 404
    wish = {"verdict": "patient", "patient_id": "D5"}
    assert (
        Caller(both.app, token_for(both, Role.CLINICIAN)).post(f"/blind-audits/{task_id}/answer", wish).status_code
        == 403
    )
    assert reviewer.post(f"/blind-audits/{task_id}/answer", wish).json()["agrees"] is False
    assert reviewer.get(f"/blind-audits/{task_id}").json()["program_said"] == "D4"
    settled = reviewer.post(f"/blind-audits/{task_id}/settle", {"found": "match-was-wrong"})
    assert settled.json()["settled"] == "match-was-wrong"


def test_the_comparison_is_settled_and_signed(both: Clinic, admin: Caller, stranger: Caller) -> None:
    with_typed_values(both)
    told = admin.get("/shadow", site=SITE).json()
    assert told["unsettled"] > 0
    for one in told["open"]:
        key = {"record": one["record_id"], "typed": one["typed_id"]}
        shown = admin.get("/shadow/difference", **key).json()
        assert shown["differences"] == one["differences"]
        assert stranger.get("/shadow/difference", **key).status_code == 404
        verdicts = dict.fromkeys(one["differences"], "scorebridge-right")
        wish = {"record_id": one["record_id"], "typed_id": one["typed_id"], "verdicts": verdicts}
        assert stranger.post("/shadow/settle", wish).status_code == 409
        assert admin.post("/shadow/settle", wish).status_code == 200
    told = admin.get("/shadow", site=SITE).json()
    assert (told["unsettled"], told["open"]) == (0, [])
    signing = {"name": "Ada Byron", "site": SITE, "seen": told["sha256"]}
    assert Caller(both.app, token_for(both, Role.REVIEWER)).post("/shadow/sign", signing).status_code == 403
    assert admin.post("/shadow/sign", signing | {"seen": "0" * 64}).status_code == 409
    signed = admin.post("/shadow/sign", signing).json()
    path = f"/shadow/signed/{signed['sign_off_id']}"
    assert admin.get(path).json()["snapshot"]["sha256"] == told["sha256"]
    assert [one["sign_off_id"] for one in admin.get("/shadow/signed").json()["items"]] == [signed["sign_off_id"]]
    assert stranger.get(path).status_code == 404
    assert stranger.get("/shadow/signed").json()["items"] == []
    assert stranger.get("/shadow", site=SITE).status_code == 404


def test_the_rows_of_a_report_are_rejected_together(both: Clinic, reviewer: Caller, stranger: Caller) -> None:
    found = reviewer.get("/groups").json()["items"]
    (group,) = [one for one in found if one["cause"] == f"report-{both.report_id}"]
    assert group not in stranger.get("/groups").json()["items"]
    members = reviewer.get(f"/sites/{SITE}/group", cause=group["cause"]).json()["items"]
    assert [one["case_id"] for one in members] == both.case_ids
    chosen = [{"case_id": one["case_id"], "version": one["version"]} for one in members]
    wish = {"what": "wrong-report", "cases": chosen}
    assert stranger.post("/groups/decide", wish).json()["decided"] == []
    assert Caller(both.app, token_for(both, Role.CLINICIAN)).post("/groups/decide", wish).status_code == 403
    decided = reviewer.post("/groups/decide", wish).json()
    safe = [one["case_id"] for one in members if not one["why_not"]]
    assert decided["decided"] == safe
    assert safe
    assert reviewer.post("/groups/decide", {"what": "approve", "cases": chosen}).status_code == 409
    assert reviewer.get(f"/sites/{SITE}/group", cause="nothing").status_code == 404


def test_who_is_to_be_registered_is_listed(both: Clinic, reviewer: Caller, stranger: Caller) -> None:
    assert reviewer.post(f"/cases/{both.case_ids[2]}/park", {"version": 1}).status_code == 200
    (one,) = reviewer.get("/registrations").json()["items"]
    assert (one["case_id"], one["patient"]["mrn"]) == (both.case_ids[2], "X&Y")
    assert stranger.get("/registrations").json()["items"] == []
    assert Caller(both.app, token_for(both, Role.VIEWER)).get("/registrations").status_code == 403


def test_the_trail_is_taken_out_with_a_reason_by_administrators(both: Clinic, admin: Caller, reviewer: Caller) -> None:
    reviewer.get(f"/cases/{both.case_ids[0]}")
    auditor = Caller(both.app, token_for(both, Role.AUDITOR, user="odo"))
    wish = {"action": "case.viewed", "reason": "asked for by the board"}
    assert admin.post("/audit/export", {"action": "case.viewed"}).status_code == 422
    assert admin.post("/audit/export", wish | {"reason": " "}).status_code == 409
    assert auditor.post("/audit/export", wish).status_code == 403, "an auditor proves who they are on the page"
    lines = admin.post("/audit/export", wish).text.splitlines()
    assert [json.loads(line)["actor"] for line in lines] == ["rosa"]
    assert "audit.exported" in done(both)
    asked = admin.post("/audit/export", wish | {"format": "csv", "action": None})
    assert asked.headers["content-type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(asked.text)))
    assert (table[0]["action"], table[0]["who"], table[0]["detail"][:10]) == ("audit.exported", "ada", "format=csv")
    assert admin.post("/audit/export", wish | {"format": "xlsx"}).status_code == 422
    looks = auditor.post(f"/sites/{SITE}/patients/who-saw", {"patient_id": "D1"}).json()
    assert [one["event"]["actor"] for one in looks["looks"]] == ["rosa"]
    seq = looks["looks"][0]["event"]["seq"]
    names = auditor.post(f"/audit/events/{seq}/names").json()
    assert [one["printed"] for one in names["records"]] == ["Kowalsky, Thomas"]
    assert auditor.post("/audit/verify").json()["intact"] is True
    assert reviewer.post("/audit/verify").status_code == 403
    assert reviewer.post(f"/audit/events/{seq}/names").status_code == 403


def test_a_week_is_reviewed_by_who_sees_all_sites(both: Clinic, stranger: Caller) -> None:
    auditor = Caller(both.app, token_for(both, Role.AUDITOR, user="odo"))
    shown = auditor.get("/audit/weeks/2026-11-09").json()
    assert shown["signed_by"] is None
    wish = {"note": "Nothing to note.", "seen": shown["sha256"]}
    assert auditor.post("/audit/weeks/2026-11-09/sign", wish | {"seen": "0"}).status_code == 409
    assert auditor.post("/audit/weeks/2026-11-09/sign", wish).json()["signed_by"] == "odo"
    assert auditor.get("/audit/weeks").json()["signed"] == ["2026-11-09"]
    assert auditor.get("/audit/weeks/2026-11-10").status_code == 404
    for path in ("/audit/weeks", "/audit/weeks/2026-11-09"):
        assert stranger.get(path).status_code == 403
    assert Caller(both.app, token_for(both, Role.REVIEWER)).get("/audit/weeks").status_code == 403
