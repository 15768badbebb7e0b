"""Critical answers and operator notices over a real webhook and a real mail server on loopback."""

from __future__ import annotations

import email
import json
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from delivery_cases import MORNING, assessment, confirm, new_store

from portal.alert_messages import ChannelReceipt
from portal.alert_settings import AlertSettings
from portal.alerting import AlertWorker, send_test
from records.errors import StoreError
from store import alert_tellings, alerts, notices
from store.database import Database

MINUTE = timedelta(minutes=1)


@dataclass
class Inbox:
    """What a channel got, and whether it is broken."""

    url: str = ""
    port: int = 0
    got: list[str] = field(default_factory=list)
    broken: bool = False
    hang: threading.Event | None = None


@pytest.fixture
def webhook() -> Iterator[Inbox]:
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if inbox.hang is not None:
                inbox.hang.wait(20)
            if not inbox.broken:
                inbox.got.append(body)
            self.send_response(500 if inbox.broken else 204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield inbox
        server.shutdown()


@pytest.fixture
def mail() -> Iterator[Inbox]:
    inbox = Inbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if inbox.broken:
                return
            self._say("220 mail.test")
            while line := self.rfile.readline().decode().strip():
                command = line.split()[0].upper()
                if command == "DATA":
                    self._say("354 go on")
                    lines = list(iter(lambda: self.rfile.readline().decode(), ".\r\n"))
                    inbox.got.append("".join(lines))
                if command == "QUIT":
                    self._say("221 bye")
                    return
                self._say("250 ok")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        inbox.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield inbox
        server.shutdown()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        yield opened


def settings(webhook: Inbox | None, mail: Inbox | None, **other: object) -> AlertSettings:
    given: dict[str, object] = {"escalate_after_minutes": 15, "steps": 3}
    if webhook is not None:
        given["webhook"] = webhook.url
    if mail is not None:
        given["smtp"] = {
            "host": "127.0.0.1",
            "port": mail.port,
            "from": "scorebridge@clinic.test",
            "to": "oncall@clinic.test",
            "escalate_to": "head@clinic.test",
            "starttls": False,
        }
    return AlertSettings.model_validate(given | other)


def raise_one(database: Database, key: str = "a") -> int:
    (record_id,) = confirm(database, [(f"SECRETPATIENT{key}", assessment(f"SECRETPATIENT{key}"))])
    with database.session() as session:
        raised = alerts.raise_alert(
            session,
            alert_key=key,
            site="WCP",
            report_id=record_id,
            position=0,
            instrument="phq-9",
            link_id="9",
            points=2,
            unverified=False,
            now=MORNING,
        )
    assert raised is not None
    return raised.alert_id


def test_a_critical_answer_is_told_over_every_channel_without_saying_whose(
    database: Database, webhook: Inbox, mail: Inbox
) -> None:
    alert_id = raise_one(database)
    AlertWorker(database=database, settings=settings(webhook, mail)).step(MORNING)
    assert json.loads(webhook.got[0]) == {
        "kind": "critical-alert",
        "alert": alert_id,
        "site": "WCP",
        "raised_at": MORNING.isoformat(),
        "step": 1,
    }
    message = email.message_from_string(mail.got[0])
    assert message["To"] == "oncall@clinic.test"
    assert f"alert {alert_id}" in message["Subject"]
    for told in webhook.got + mail.got:
        assert "SECRETPATIENT" not in told
        assert "phq" not in told.lower()


def test_it_is_told_again_to_more_people_until_somebody_acknowledges(
    database: Database, webhook: Inbox, mail: Inbox
) -> None:
    alert_id = raise_one(database)
    telling = AlertWorker(database=database, settings=settings(webhook, mail))
    for minutes in (0, 1, 14, 15, 16, 29, 30, 45, 60, 89, 90, 120, 149, 150, 151):
        telling.step(MORNING + minutes * MINUTE)
    assert [json.loads(told)["step"] for told in webhook.got] == [1, 2, 3, 4, 5]
    assert email.message_from_string(mail.got[1])["To"] == "oncall@clinic.test, head@clinic.test"
    other = raise_one(database, "b")
    telling.step(MORNING + 152 * MINUTE)
    with database.session() as session:
        alerts.acknowledge(session, other, actor="anna", now=MORNING + 153 * MINUTE)
        alerts.acknowledge(session, alert_id, actor="anna", now=MORNING + 153 * MINUTE)
    telling.step(MORNING + 300 * MINUTE)
    assert len(webhook.got) == len(mail.got) == 6


def test_one_channel_that_fails_stops_neither_the_other_nor_the_escalation(
    database: Database, webhook: Inbox, mail: Inbox
) -> None:
    raise_one(database)
    telling = AlertWorker(database=database, settings=settings(webhook, mail))
    mail.broken = True
    telling.step(MORNING)
    telling.step(MORNING + 15 * MINUTE)
    assert [json.loads(told)["step"] for told in webhook.got] == [1, 2]
    mail.broken = False
    telling.step(MORNING + 16 * MINUTE)
    assert len(mail.got) == 1
    assert len(webhook.got) == 2


def test_what_every_channel_refused_is_told_in_the_next_round(database: Database, webhook: Inbox) -> None:
    raise_one(database)
    telling = AlertWorker(database=database, settings=settings(webhook, None))
    webhook.broken = True
    assert telling.step(MORNING) == 0
    webhook.broken = False
    assert telling.step(MORNING + MINUTE) == 1
    assert json.loads(webhook.got[0])["step"] == 1


def test_an_acknowledged_alert_is_not_told_by_a_channel_that_comes_back(
    database: Database, webhook: Inbox, mail: Inbox
) -> None:
    alert_id = raise_one(database)
    telling = AlertWorker(database=database, settings=settings(webhook, mail))
    mail.broken = True
    telling.step(MORNING)
    with database.session() as session:
        alerts.acknowledge(session, alert_id, actor="anna", now=MORNING)
    mail.broken = False
    telling.step(MORNING + MINUTE)
    assert mail.got == []


def test_notices_to_the_operator_are_gathered(database: Database, webhook: Inbox, mail: Inbox) -> None:
    telling = AlertWorker(database=database, settings=settings(webhook, mail, notices_every_minutes=5))
    for minute in range(12):
        with database.session() as session:
            notices.leave(session, "file-quarantined", f"report {minute}", "A file cannot be read.", now=MORNING)
        telling.step(MORNING + minute * MINUTE)
    gathered = [json.loads(told) for told in webhook.got]
    assert [len(told["notices"]) for told in gathered] == [1, 5, 5]
    assert gathered[0]["kind"] == "operator-notices"
    assert gathered[0]["notices"][0]["subject"] == "report 0"
    assert len(mail.got) == 3


def test_a_channel_that_hangs_does_not_delay_the_other(database: Database, webhook: Inbox, mail: Inbox) -> None:
    webhook.hang = threading.Event()
    stop = threading.Event()
    telling = AlertWorker(database=database, settings=settings(webhook, mail), clock=lambda: MORNING)
    thread = threading.Thread(target=telling.run, args=(stop,))
    thread.start()
    try:
        for key in "ab":
            raise_one(database, key)
            telling.wake.set()
            ends = time.monotonic() + 5
            while len(mail.got) < (1 if key == "a" else 2):
                assert time.monotonic() < ends
                time.sleep(0.01)
        assert webhook.got == []
    finally:
        webhook.hang.set()
        stop.set()
        thread.join(timeout=30)


def test_a_test_message_says_which_channel_works(webhook: Inbox, mail: Inbox) -> None:
    mail.broken = True
    results = send_test(settings(webhook, mail), now=MORNING)
    assert results["webhook"] is None
    assert "mail server fails" in (results["mail"] or "")
    assert json.loads(webhook.got[0])["kind"] == "test"


def test_a_restart_neither_forgets_a_channel_that_failed_nor_tells_twice(
    database: Database, webhook: Inbox, mail: Inbox
) -> None:
    alert_id = raise_one(database)
    mail.broken = True
    AlertWorker(database=database, settings=settings(webhook, mail)).step(MORNING)
    mail.broken = False
    AlertWorker(database=database, settings=settings(webhook, mail)).step(MORNING + MINUTE)
    assert (len(webhook.got), len(mail.got)) == (1, 1)
    with database.reading() as session:
        told = {(one.channel, one.step): one for one in alert_tellings.of_alert(session, alert_id)}
    assert told["webhook", 1].told_at == MORNING
    assert (told["mail", 1].told_at, told["mail", 1].attempts) == (MORNING + MINUTE, 2)
    assert told["webhook", 1].receipt == "http-204"


def test_a_channel_that_never_took_a_step_is_named_to_the_others_until_it_works(
    database: Database, webhook: Inbox, mail: Inbox
) -> None:
    raise_one(database)
    telling = AlertWorker(database=database, settings=settings(webhook, mail))
    mail.broken = True
    for minute in range(10):
        telling.step(MORNING + minute * MINUTE)
    kinds = [json.loads(told) for told in webhook.got]
    assert [told["kind"] for told in kinds] == ["critical-alert", "operator-notices"]
    assert kinds[1]["notices"][0]["subject"] == "mail"
    with database.reading() as session:
        (failing,) = alert_tellings.failing(session)
    assert (failing.channel, failing.step, failing.told_at) == ("mail", 1, None)
    mail.broken = False
    telling.step(MORNING + 11 * MINUTE)
    with database.reading() as session:
        assert alert_tellings.failing(session) == []
        assert notices.list_open(session) == []


def test_what_the_store_cannot_write_down_is_told_once_and_still_escalates(
    database: Database, webhook: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_one(database)
    telling = AlertWorker(database=database, settings=settings(webhook, None))

    def full(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(alert_tellings, "mark_told", full)
        for minute in (0, 1, 2, 15, 16):
            telling.step(MORNING + minute * MINUTE)
    assert [json.loads(told)["step"] for told in webhook.got] == [1, 2]
    telling.step(MORNING + 17 * MINUTE)
    assert len(webhook.got) == 2
    with database.reading() as session:
        assert alerts.list_alerts(session, open_only=True)[0].notices == 2


def test_each_rung_of_a_ladder_tells_its_own_channels(database: Database, webhook: Inbox, mail: Inbox) -> None:
    simple = settings(webhook, mail)
    ladder = AlertSettings.model_validate(
        {
            "channel": [
                {"name": "pager", "webhook": webhook.url},
                {"name": "head", "smtp": simple.smtp.model_dump(by_alias=True) if simple.smtp else None},
            ],
            "rung": [{"after_minutes": 0, "channels": "pager"}, {"after_minutes": 10, "channels": ["pager", "head"]}],
            "repeat_minutes": 30,
        }
    )
    raise_one(database)
    for minute in range(0, 75, 5):
        AlertWorker(database=database, settings=ladder).step(MORNING + minute * MINUTE)
    assert [json.loads(told)["step"] for told in webhook.got] == [1, 2, 3, 4]
    assert len(mail.got) == 3


def test_whoever_was_told_hears_that_the_patient_was_ruled_out(database: Database, webhook: Inbox, mail: Inbox) -> None:
    alert_id = raise_one(database)
    telling = AlertWorker(database=database, settings=settings(webhook, mail))
    telling.step(MORNING)
    with database.session() as session:
        alerts.acknowledge(session, alert_id, actor="anna", now=MORNING)
        alerts.begin_again(session, alert_id, patient_id="P1", actor="anna", now=MORNING + 5 * MINUTE)
    telling.step(MORNING + 5 * MINUTE)
    told = [json.loads(one) for one in webhook.got]
    assert [one.get("patient_ruled_out") for one in told] == [None, True]
    assert [one["step"] for one in told] == [1, 1]
    assert "patient ruled out" in email.message_from_string(mail.got[1])["Subject"]
    telling.step(MORNING + 20 * MINUTE)
    assert json.loads(webhook.got[2])["step"] == 2


def test_a_recipient_that_the_mail_server_refuses_is_a_notice(database: Database) -> None:
    class HalfTaken:
        name, takes_notices, keeps_tasks, patients_of = "webhook", False, False, None

        def send(self, _message: object) -> ChannelReceipt:
            return ChannelReceipt(known_as="<1@clinic.test>", refused=1)

    raise_one(database)
    AlertWorker(
        database=database, settings=settings(Inbox(url="http://127.0.0.1:9"), None), channels=[HalfTaken()]
    ).step(MORNING)
    with database.reading() as session:
        assert [notice.kind for notice in notices.list_open(session)] == ["alert-recipient-refused"]
