"""The day's page: what is urgent and missing comes first, its figures add up and lead somewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from review.day_charts import hour_chart, rate_chart
from review.day_surroundings import ShownFlags
from store import audit, balance, blind_audit, day_figures, notices, outbox, users
from store.day_drift import DayRate
from store.day_figures import Figures
from store.users import Role
from tests.unit.review.day_clinic import (
    EAST,
    SOURCES,
    busy,
    empty,
    opened,
    print_report,
    sign_today,
    waits,
)
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import PASSWORD, SITE, TODAY, ZONE, Clinic


@pytest.fixture(scope="module")
def busy_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("busy") / "home"
    clinic = busy(home)
    clinic.database.close()
    return home


@pytest.fixture
def day(busy_home: Path, tmp_path: Path) -> Iterator[Clinic]:
    clinic = opened(Path(shutil.copytree(busy_home, tmp_path / "busy")))
    clinic.clock.moment = clinic.clock.moment.replace(hour=14) + timedelta(hours=10, minutes=24)
    yield clinic
    clinic.database.close()


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_seven_figures_add_up_and_each_leads_to_as_many_records(day: Clinic) -> None:
    ada = Browser(day.app).signed_in("ada")
    said = text_of(ada.open(f"/?day={TODAY}").text)
    found = re.search(
        r"([\d,]+) records = ([\d,]+) automatic \+ ([\d,]+) decided by a person \+ ([\d,]+) waiting \+ (\d+) failed",
        said,
    )
    assert found is not None
    records, *parts = (int(one.replace(",", "")) for one in found.groups())
    assert records == sum(parts) == 361
    for kind, count in zip(("records", "automatic", "reviewed", "waiting", "failed"), (records, *parts), strict=True):
        assert f"{count:,} record" in text_of(ada.open(f"/day/list/{kind}?site=&day={TODAY}").text)


def test_a_missing_report_a_held_layout_and_a_waiting_answer_are_said_at_the_top(day: Clinic) -> None:
    said = text_of(Browser(day.app).signed_in("ada").open("/").text)
    assert "2 urgent answers nobody has taken yet" in said
    assert "OSEI, Hannah Born 09-Jun-1991" in said
    assert f"No report came from {EAST}, folder silent." in text_of(
        Browser(day.app).signed_in("ada").open(f"/?day={TODAY - timedelta(days=1)}").text
    )
    assert "northgate-weekly@3" in said
    assert "25 records are held for review." in said
    assert said.index("urgent answers") < said.index("Matched automatically") < said.index("Sources")


def test_a_viewer_sees_the_figures_and_no_names(day: Clinic) -> None:
    page = Browser(day.app).signed_in("vera").open("/").text
    assert "2 urgent answers nobody has taken yet" in text_of(page)
    for word in ("OSEI", "Osei", "1991", "BH-5", "Synthetic"):
        assert word not in page
    assert 'href="/reports/' not in page
    assert 'href="/cases/' not in page


def to_check(page: str) -> int:
    found = re.search(r"checked blindly (\d+) to check", page)
    assert found is not None
    return int(found[1])


def test_who_sees_one_site_is_told_nothing_of_another(day: Clinic) -> None:
    with day.database.session() as session:
        users.add(session, "eve", PASSWORD, Role.REVIEWER, sites=(EAST,), actor="ada", now=day.clock())
        balance.keep_check(session, wrong=[day.report_id], reports=12_345, now=day.clock())
        notices.leave(session, "letter-not-sent", SITE, "The letter of the first.", now=day.clock())
        notices.leave(session, "letter-not-sent", EAST, "The letter of the other.", now=day.clock())
        blind_audit.draw_due(session, share=1.0, per_week=0, now=day.clock())
    ada, eve = (text_of(Browser(day.app).signed_in(name).open("/").text) for name in ("ada", "eve"))
    for word in ("OSEI", "northgate-weekly", SITE, "does not add up", "12,345", "The letter of the first."):
        assert word not in eve
    assert "The sum of 1 report does not add up" in ada
    assert "reports add up, checked" in eve
    assert "The letter of the other." in eve
    assert "The letter of the first." in ada
    assert to_check(ada) > to_check(eve) > 0


def test_a_paused_destination_is_told_to_those_whose_scores_wait_for_it(day: Clinic) -> None:
    with day.database.session() as session:
        outbox.pause(session, "portal", reason="credential-refused", actor="service", now=day.clock())
        outbox.pause(session, "elsewhere", reason="credential-refused", actor="service", now=day.clock())
    said = text_of(Browser(day.app).signed_in("ada").open("/").text)
    assert "Nothing is sent to portal:" in said
    assert "elsewhere" not in said


def test_names_on_the_day_are_audited_once_for_each_session_that_sees_them(day: Clinic) -> None:
    carla = Browser(day.app).signed_in("carla")
    for path in ("/", "/day/part", "/"):
        assert "OSEI" in carla.open(path).text
    Browser(day.app).signed_in("vera").open("/")
    with day.database.reading() as session:
        lines = [line for line in audit.export(session) if '"alert.listed"' in line]
    assert len(lines) == 1
    assert "carla" in lines[0]


def test_only_news_is_a_new_look() -> None:
    shown = ShownFlags()
    assert shown.is_news("one", frozenset({"1.D4"}))
    assert not shown.is_news("one", frozenset({"1.D4"}))
    assert shown.is_news("two", frozenset({"1.D4"}))
    assert shown.is_news("one", frozenset({"1.D4", "2.D5"}))
    assert not shown.is_news("one", frozenset({"2.D5"}))
    assert shown.is_news("one", frozenset({"1.D4"}))


@pytest.mark.parametrize("path", ["/?site=NOWHERE", "/?day=yesterday", "/day/list/everything", "/day/signed/99"])
def test_what_is_not_there_is_not_found(day: Clinic, path: str) -> None:
    assert Browser(day.app).signed_in("ada").open(path).status_code == 404


def test_an_empty_day_says_when_the_first_report_usually_comes(tmp_path: Path) -> None:
    clinic = empty(tmp_path / "home")
    said = text_of(Browser(clinic.app).signed_in("rosa").open(f"/?site={SITE}").text)
    clinic.database.close()
    assert "No reports yet today The first usually arrives about 07:1" in said
    assert "Expected by 07:00" in said


def test_a_stopped_reader_and_a_lost_folder_are_said(busy_home: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(busy_home, tmp_path / "busy"))
    seen = "2026-11-20T23:58:00+00:00"
    health: dict[str, object] = {
        "stopped_threads": ["pipeline-0", "delivery"],
        "sources": [{"site": SITE, "deaf": True, "last_good_scan": seen}, {"site": EAST, "deaf": False}],
    }
    clinic = opened(home, health=health)
    said = text_of(Browser(clinic.app).signed_in("vera").open("/").text)
    clinic.database.close()
    assert "Reading stopped." in said
    assert "Delivery has stopped. Nothing is sent." in said
    assert f"A folder of {SITE} has not been looked at since 17:58" in said


def test_a_day_is_signed_on_the_page_and_later_changes_are_shown(day: Clinic) -> None:
    ada = Browser(day.app).signed_in("ada")
    form = f"/day/sign?site={SITE}&day={TODAY}"
    assert "records wait for review." in text_of(ada.open(form).text)
    refused = ada.submit("/day/sign", name="Ada Admin", note=" ")
    assert refused.status_code == 409
    assert "Something of this day is open." in refused.text
    done = ada.submit("/day/sign", name="Ada Admin", note="Tomorrow.")
    place = done.headers["location"].partition("?")[0]
    assert "Nothing has changed." in ada.open(place).text
    print_report(day.database, [waits(9_000)], source=SOURCES[0].name, seen_at=day.clock(), day=TODAY)
    assert "not there In review" in text_of(ada.open(place).text)
    assert "Ada Admin" in ada.open("/day/signed").text
    assert Browser(day.app).signed_in("rosa").open(form).status_code == 403


def test_what_was_shown_must_be_what_is_signed(day: Clinic) -> None:
    ada = Browser(day.app).signed_in("ada")
    ada.open(f"/day/sign?site={SITE}&day={TODAY}")
    print_report(day.database, [waits(9_001)], source=SOURCES[0].name, seen_at=day.clock(), day=TODAY)
    refused = ada.submit("/day/sign", name="Ada Admin", note="Tomorrow.")
    assert refused.status_code == 409
    assert "The figures have changed since they were shown." in refused.text


def test_a_sum_that_does_not_add_up_is_said(day: Clinic) -> None:
    with day.database.session() as session:
        balance.keep_check(session, wrong=[day.report_id], reports=9, now=day.clock())
    assert "The sum of 1 report does not add up: report" in text_of(Browser(day.app).signed_in("vera").open("/").text)


def test_the_chart_stacks_to_the_records_of_each_hour(day: Clinic) -> None:
    with day.database.reading() as session:
        told = day_figures.of_day(session, site=SITE, day=TODAY, zone=ZONE)
    chart = hour_chart(told.by_hour)
    assert chart is not None
    assert sum(figures.records for _, figures in chart.rows) == told.figures.records
    assert f"{told.figures.records} records between" in chart.sentence
    assert all(bar.y >= 0 and bar.height > 0 for bar in chart.bars)
    assert hour_chart({3: Figures()}) is None


def test_a_template_below_its_limit_is_marked() -> None:
    rates = [DayRate(day=TODAY - timedelta(days=back), automatic=95, of=100) for back in range(6, 0, -1)]
    rates.append(DayRate(day=TODAY, automatic=71, of=100))
    chart = rate_chart(rates, 0.8, day_words="20-Nov")
    assert chart is not None
    assert chart.is_low
    assert chart.last.words == "20-Nov 71%"
    fine = rate_chart([*rates[:-1], replace(rates[-1], automatic=90)], 0.8, day_words="20-Nov")
    assert fine is not None
    assert not fine.is_low
    assert rate_chart(rates[:1], None, day_words="") is None


def test_a_signature_of_the_store_is_listed(day: Clinic) -> None:
    day.clock.moment -= timedelta(hours=12)
    number = sign_today(day)
    assert f'href="/day/signed/{number}"' in Browser(day.app).signed_in("vera").open("/day/signed").text
