"""The delivery worker against WireMock, whose journal tells what was really sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from delivery_cases import MORNING, assessment, confirm, delivery_worker, destination, new_store, reasons, states

from records.submission import DeliveryState
from store import outbox
from store.database import Database
from tests.portals.wiremock_portal import WireMock, wiremock

D = DeliveryState
pytestmark = pytest.mark.xdist_group("wiremock")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireMock]:
    with wiremock(log=tmp_path_factory.mktemp("wiremock") / "log.txt") as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        yield opened


def deliver(
    database: Database, folder: Path, url: str, *, until: timedelta = timedelta(hours=6), **settings: object
) -> None:
    """Step through the hours until nothing is left to do."""
    given = {"read_back": False} | settings
    worker = delivery_worker(database, destination(folder, url, **given), read_seconds=1.0)
    now = MORNING
    while now <= MORNING + until:
        worker.step(now)
        if set(states(database)) <= {D.DELIVERED, D.DEAD, D.HELD}:
            return
        now += timedelta(minutes=20)


def test_through_every_fault_of_a_connection_one_value_is_taken_once(
    portal: WireMock, database: Database, tmp_path: Path
) -> None:
    portal.plays("answers-after-every-fault")
    confirm(database, [("P1", assessment("P1"))])
    deliver(database, tmp_path, portal.url)
    assert states(database) == {D.DELIVERED: 1}
    sent = portal.journal("POST")
    assert [one.status for one in sent].count(201) == 1
    assert len(sent) == 6
    assert len({(one.headers["idempotency-key"], one.body) for one in sent}) == 1
    # After each answer that was lost the portal is looked at before anything is sent again.
    assert len(portal.journal("GET")) >= 4


@pytest.mark.parametrize("scenario", ["stores-and-answers-too-late", "stores-and-breaks-the-answer"])
def test_a_value_whose_answer_was_lost_is_found_and_not_sent_again(
    portal: WireMock, database: Database, tmp_path: Path, scenario: str
) -> None:
    portal.plays(scenario)
    confirm(database, [("P1", assessment("P1"))])
    deliver(database, tmp_path, portal.url)
    assert len(portal.journal("POST")) == 1
    with database.reading() as session:
        (entry,) = outbox.list_submissions(session)
    assert entry.state is D.DELIVERED
    assert entry.receipt is not None
    assert (entry.receipt.remote_id, entry.receipt.found) == ("om-P1", True)


def test_an_answer_that_dribbles_in_is_read_to_its_end(portal: WireMock, database: Database, tmp_path: Path) -> None:
    portal.plays("dribbles")
    confirm(database, [("P1", assessment("P1"))])
    deliver(database, tmp_path, portal.url)
    assert (states(database), len(portal.journal("POST"))) == ({D.DELIVERED: 1}, 1)


def test_a_portal_of_uneven_speed_gets_each_value_once(portal: WireMock, database: Database, tmp_path: Path) -> None:
    portal.plays("answers-now-and-then")
    patients = [f"P{number}" for number in range(40)]
    confirm(database, [(patient, assessment(patient)) for patient in patients])
    deliver(database, tmp_path, portal.url)
    assert states(database) == {D.DELIVERED: 40}
    sent = [one.path.split("/")[3] for one in portal.journal("POST")]
    assert sorted(sent) == sorted(patients)


def test_a_date_to_wait_for_is_waited_for(portal: WireMock, database: Database, tmp_path: Path) -> None:
    portal.plays("asks-to-wait-until-a-date")
    confirm(database, [("P1", assessment("P1"))])
    ready = destination(tmp_path, portal.url, read_back=False)
    worker = delivery_worker(database, ready, clock=lambda: MORNING)
    for minutes in (0, 3, 6, 9):
        worker.step(MORNING + timedelta(minutes=minutes))
    assert (states(database), len(portal.journal("POST"))) == ({D.PENDING: 1}, 1)
    worker.step(MORNING + timedelta(minutes=11))
    assert (states(database), len(portal.journal("POST"))) == ({D.DELIVERED: 1}, 2)


def test_a_portal_that_points_elsewhere_is_not_followed(portal: WireMock, database: Database, tmp_path: Path) -> None:
    portal.plays("points-elsewhere")
    confirm(database, [("P1", assessment("P1"))])
    deliver(database, tmp_path, portal.url)
    assert (states(database), reasons(database)) == ({D.DEAD: 1}, {"http-307"})
    assert portal.journal(path="/elsewhere") == []


def test_a_token_that_ended_is_renewed_and_the_value_sent_once_more(
    portal: WireMock, database: Database, tmp_path: Path
) -> None:
    portal.plays("ends-its-tokens")
    (tmp_path / "secret").write_text("client-secret-of-the-test")
    oauth2 = {"token_url": f"{portal.url}/token", "client_id": "a", "client_secret": f"file:{tmp_path}/secret"}
    confirm(database, [("P1", assessment("P1")), ("P2", assessment("P2"))])
    deliver(database, tmp_path, portal.url, token=None, oauth2=oauth2)
    assert states(database) == {D.DELIVERED: 2}
    assert [one.status for one in portal.journal("POST", path="/v1")] == [401, 201, 201]
    assert len(portal.journal("POST", path="/token")) == 2
