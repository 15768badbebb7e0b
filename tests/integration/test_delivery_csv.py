"""Delivery to a portal that takes files from a folder."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from delivery_cases import MORNING, assessment, confirm, new_store, reasons, states

from parsers.instrument_library import load_instruments
from portal.connections import configure
from portal.csv_drop import prepare
from portal.delivery import DeliveryWorker
from portal.settings import DestinationSettings
from records.submission import DeliveryState
from store import outbox
from store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return new_store(tmp_path)


def worker(database: Database, folder: Path) -> DeliveryWorker:
    given = {"id": "portal", "file": "csv-drop.yaml", "folder": "in", "mode": "live"}
    destinations = configure([DestinationSettings.model_validate(given)], folder=folder)
    return DeliveryWorker(database=database, destinations=destinations, instruments=load_instruments())


def rows(folder: Path) -> list[dict[str, str]]:
    found = []
    for path in sorted((folder / "in").glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            found += list(csv.DictReader(file))
    return found


def test_each_record_becomes_one_file_and_a_withdrawal_another(database: Database, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    prepare(tmp_path / "in")
    numbers = confirm(database, [(f"P{n}", assessment(f"P{n}", total=n)) for n in range(1, 6)])
    delivery = worker(database, tmp_path)
    delivery.step(MORNING)
    assert states(database) == {DeliveryState.DELIVERED: 5}
    assert sorted((row["patient_id"], row["score"], row["status"]) for row in rows(tmp_path)) == [
        (f"P{n}", str(n), "final") for n in range(1, 6)
    ]
    with database.session() as session:
        outbox.enqueue_withdrawal(session, numbers[0], reason="test", actor="a", now=MORNING, reopen=False)
    delivery.step(MORNING + timedelta(minutes=1))
    withdrawn = [row for row in rows(tmp_path) if row["status"] == "entered-in-error"]
    (first,) = [row for row in rows(tmp_path) if row["patient_id"] == "P1" and row["status"] == "final"]
    assert [row["id"] for row in withdrawn] == [first["id"]]


def test_a_result_word_is_written_where_there_is_no_total(database: Database, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    prepare(tmp_path / "in")
    confirm(database, [("P1", assessment("P1", instrument="c-ssrs", total=None, result="moderate"))])
    worker(database, tmp_path).step(MORNING)
    assert [(row["score"], row["items"]) for row in rows(tmp_path)] == [("moderate", "")]


def test_a_folder_that_is_not_prepared_pauses_the_destination_with_one_notice(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    confirm(database, [("P1", assessment("P1")), ("P2", assessment("P2"))])
    worker(database, tmp_path).step(MORNING)
    with database.reading() as session:
        assert outbox.paused(session) == {"portal": "folder-not-prepared"}
    assert rows(tmp_path) == []


def test_a_share_that_is_gone_is_tried_again(database: Database, tmp_path: Path) -> None:
    confirm(database, [("P1", assessment("P1"))])
    delivery = worker(database, tmp_path)
    delivery.step(MORNING)
    assert (states(database), reasons(database)) == ({DeliveryState.PENDING: 1}, {"csv-folder"})
    (tmp_path / "in").mkdir()
    prepare(tmp_path / "in")
    delivery.step(MORNING + timedelta(hours=1))
    assert states(database) == {DeliveryState.DELIVERED: 1}
