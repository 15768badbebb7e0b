"""The letter about a day, from the figures in the store to a real mail server."""

from __future__ import annotations

import email
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.policy import default
from pathlib import Path

import pytest
from postbox import Postbox, mail_server

from ingest import day_letter
from ingest.day_sources import watched_sources
from ingest.housekeeping import Housekeeping
from ingest.metrics import Metrics
from ingest.roster_imports import RosterImports
from ingest.rosters import Rosters
from ingest.settings import Settings, load_settings
from portal.letters import LetterWorker
from store import audit, day_letters, notices, outbox
from store.database import Database, open_existing
from store.settings import StoreSettings
from tests.unit.review.day_clinic import EAST, LISTING, SILENT, WEEKLY, automatic, print_report, waits
from tests.unit.review.review_clinic import SITE, TODAY, furnish

# Half past eight in the morning of a Friday at the first site, half past seven at the second.
MORNING = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
PATIENTS = ("Synthetic", "Kowals", "Osei", "M-1", "BH-", "P1", "1970", "1987")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    furnish(tmp_path / "home")
    with open_existing(StoreSettings(home=tmp_path / "home")) as opened:
        yield opened


def settings(folder: Path, port: int, *, when: str = "at", to: tuple[str, ...] = ("manager@clinic.test",)) -> Settings:
    """Two sites and three folders; the first site's listing is due at 06:30, the rest at 07:00."""
    places = [(LISTING, "06:30", SITE), (WEEKLY, "07:00", SITE), (SILENT, "07:00", EAST)]
    sources = "".join(
        f'[[source]]\nsite = "{site}"\nfolder = "{name.partition(":")[2]}"\nexpected_by = "{by}"\n'
        for name, by, site in places
    )
    (folder / "scorebridge.toml").write_text(
        f'home = "home"\nalerts = "none"\n[[site]]\nid = "{SITE}"\ntime_zone = "America/Chicago"\n'
        f'[[site]]\nid = "{EAST}"\ntime_zone = "America/Denver"\nletter_at = "07:00"\n{sources}'
        f'[letter]\nat = "08:00"\nwhen = "{when}"\naddress = "https://scores.clinic.test"\n'
        f'[letter.smtp]\nhost = "127.0.0.1"\nport = {port}\nstarttls = false\n'
        f'from = "scorebridge@clinic.test"\nto = {json.dumps(to)}\n',
        "utf-8",
    )
    return load_settings(folder / "scorebridge.toml")


def worker(database: Database, set_: Settings) -> LetterWorker:
    """As a freshly started program has it."""
    assert set_.letter is not None
    return LetterWorker(database=database, settings=set_.letter)


def fill_morning(database: Database) -> None:
    """Both folders of the first site have printed; nothing came from the second site."""
    early = MORNING - timedelta(hours=2, minutes=10)
    print_report(database, [automatic(1), automatic(2), waits(3)], source=LISTING, seen_at=early)
    print_report(database, [automatic(4)], source=WEEKLY, seen_at=early)


def readable(box: Postbox) -> list[Message]:
    return [email.message_from_bytes(one.as_bytes(), policy=default) for one in box.got]


def text_of(mail: Message) -> str:
    content = mail.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode("utf-8")


def test_each_site_has_one_letter_a_day_however_often_the_program_starts(database: Database, tmp_path: Path) -> None:
    fill_morning(database)
    with mail_server() as (box, port):
        given = settings(tmp_path, port)
        for minute in range(5):
            now = MORNING + timedelta(minutes=minute)
            day_letter.write_due(database, given, now=now)
            worker(database, given).step(now)
        subjects = sorted(str(one["Subject"]) for one in readable(box))
        assert subjects[0].startswith(f"[{EAST}] 20-Nov: 1 report MISSING, 0 records, 0 waiting")
        assert subjects[1].startswith(f"[{SITE}] 20-Nov: everything arrived,")
        assert len(subjects) == 2
        tomorrow = MORNING + timedelta(days=1)
        assert sorted(day_letter.write_due(database, given, now=tomorrow)) == sorted([SITE, EAST])
        assert worker(database, given).step(tomorrow) == 2
    with database.reading() as session:
        assert "".join(audit.export(session)).count("letter.sent") == 4


def test_the_letter_says_what_is_missing_paused_and_open_and_names_no_patient(
    database: Database, tmp_path: Path
) -> None:
    fill_morning(database)
    with database.session() as session:
        outbox.pause(session, "portal", reason="credential-refused", actor="service", now=MORNING)
    with mail_server() as (box, port):
        given = settings(tmp_path, port)
        day_letter.write_due(database, given, now=MORNING)
        assert worker(database, given).step(MORNING) == 2
        mails = {one["Subject"][1:4]: one for one in readable(box)}
    ours, other = text_of(mails[SITE]), text_of(mails[EAST[:3]])
    assert "silent: NO REPORT CAME, expected by 07:00" in other
    assert "silent" not in ours
    assert "listing: 1 report, 3 records" in ours
    assert "Nothing is sent to portal: it is paused." in ours
    assert f"https://scores.clinic.test/?site={SITE}&day={TODAY}" in ours
    for word in PATIENTS:
        assert word not in ours + other + str(mails[SITE]["Subject"])
    assert mails[SITE]["To"] == "manager@clinic.test"
    assert mails[SITE]["Auto-Submitted"] == "auto-generated"


def test_a_program_killed_after_sending_sends_the_same_mail_under_the_same_id(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_morning(database)
    with mail_server() as (box, port):
        given = settings(tmp_path, port)
        day_letter.write_due(database, given, now=MORNING)
        with monkeypatch.context() as killed:
            killed.setattr(database, "session", _killed)
            with pytest.raises(KeyboardInterrupt):
                worker(database, given).step(MORNING)
        assert len(box.got) == 1
        print_report(database, [automatic(9)], source=LISTING, seen_at=MORNING)
        later = MORNING + timedelta(minutes=2)
        day_letter.write_due(database, given, now=later)
        worker(database, given).step(later)
        first, *others = [one for one in readable(box) if one["Message-ID"] == box.got[0]["Message-ID"]]
        (again,) = others
        assert again.as_bytes() == first.as_bytes()
        assert worker(database, given).step(later + timedelta(hours=1)) == 0
        assert len(box.got) == 3


def _killed() -> None:
    raise KeyboardInterrupt


def test_a_mail_server_that_is_down_is_told_and_tried_again_until_it_takes_the_letter(
    database: Database, tmp_path: Path
) -> None:
    fill_morning(database)
    with mail_server() as (_, port):
        pass
    given = settings(tmp_path, port)
    day_letter.write_due(database, given, now=MORNING)
    assert worker(database, given).step(MORNING) == 0
    with database.reading() as session:
        told = {one.subject: one.sentence for one in notices.list_open(session) if one.kind == day_letters.FAILED}
    assert told.keys() == {SITE, EAST}
    assert "does not take it (unreachable); it is tried again" in told[SITE]
    assert worker(database, given).step(MORNING + timedelta(seconds=59)) == 0
    with mail_server() as (box, port):
        given = settings(tmp_path, port)
        assert worker(database, given).step(MORNING + timedelta(seconds=61)) == 2
        assert len(box.got) == 2
    with database.reading() as session:
        assert [one for one in notices.list_open(session) if one.kind == day_letters.FAILED] == []


def test_a_refused_recipient_keeps_the_letter_from_nobody_else_and_is_told(database: Database, tmp_path: Path) -> None:
    fill_morning(database)
    with mail_server() as (box, port):
        given = settings(tmp_path, port, to=("manager@clinic.test", "nobody@clinic.test"))
        day_letter.write_due(database, given, now=MORNING)
        assert worker(database, given).step(MORNING) == 2
        assert worker(database, given).step(MORNING + timedelta(hours=1)) == 0
        assert len(box.got) == 2
    with database.reading() as session:
        told = [one.sentence for one in notices.list_open(session) if one.kind == day_letters.FAILED]
    assert all("refuses 1 of the recipients" in one for one in told)
    assert len(told) == 2


def test_a_letter_for_when_everything_came_waits_for_the_last_report_and_at_most_for_its_hour(
    database: Database, tmp_path: Path
) -> None:
    given = settings(tmp_path, 25, when="complete")
    early = datetime(2026, 11, 20, 12, 40, tzinfo=UTC)  # 06:40 at the first site, 05:40 at the second
    print_report(database, [automatic(1)], source=LISTING, seen_at=early)
    assert day_letter.write_due(database, given, now=early) == []
    print_report(database, [automatic(2)], source=WEEKLY, seen_at=early)
    assert day_letter.write_due(database, given, now=early) == [SITE]
    assert day_letter.write_due(database, given, now=early + timedelta(hours=1)) == []
    at_its_hour = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
    assert day_letter.write_due(database, given, now=at_its_hour) == [EAST]


def test_the_notice_of_a_missing_report_ends_when_the_source_has_printed_since(
    database: Database, tmp_path: Path
) -> None:
    given = settings(tmp_path, 25)
    listing = next(one for one in watched_sources(given) if one.name == LISTING)
    keeping = housekeeping(database, given)
    keeping.step(MORNING)
    assert missing(database) == {f"{one.name}:{TODAY}" for one in watched_sources(given)}
    tomorrow = MORNING + timedelta(hours=22)
    # It comes in the night while nobody looks, and the next day's is not due yet.
    print_report(database, [automatic(1)], source=listing.name, seen_at=MORNING + timedelta(hours=15))
    keeping.step(MORNING + timedelta(hours=17))
    assert f"{LISTING}:{TODAY}" not in missing(database)
    assert f"{WEEKLY}:{TODAY}" in missing(database)
    keeping.step(tomorrow)
    assert f"{LISTING}:{TODAY + timedelta(days=1)}" in missing(database)
    assert f"{LISTING}:{TODAY}" not in missing(database)


def missing(database: Database) -> set[str]:
    with database.reading() as session:
        return {one.subject for one in notices.list_open(session) if one.kind == "no-report"}


def housekeeping(database: Database, given: Settings) -> Housekeeping:
    rosters = Rosters(database, given)
    return Housekeeping(
        database, given, rosters=RosterImports(database, given), matching=rosters, watchers=(), metrics=Metrics()
    )
