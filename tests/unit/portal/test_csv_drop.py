"""CSV files for portals without an interface: in sight once, whole, whatever happens between any two steps."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from portal import csv_drop
from portal.connections import configure, connected
from portal.csv_drop import CsvDrop, prepare
from portal.destination import CsvDestination
from portal.destination_files import load_destination, read_destination
from portal.record_shape import RECORD_FIELDS
from portal.settings import DestinationSettings
from records.errors import (
    DeliveryDeferredError,
    DeliveryHeldError,
    DeliveryRefusedError,
    DestinationPausedError,
    SettingsError,
)
from records.submission import ResultStatus, Submission

Submissions = Callable[..., Submission]
RECORD: dict[str, JsonValue] = dict.fromkeys(RECORD_FIELDS) | {
    "external_id": "EXT1",
    "patient_id": "P100",
    "instrument": "phq-9",
    "score": 14,
    "authored_on": "2026-03-02",
    "status": "final",
    "revision": 1,
    "items": [{"link_id": "1", "points": 3}, {"link_id": "2", "points": None}],
}


class KilledError(BaseException):
    """The process is gone: nothing catches it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepare(tmp_path)
    return tmp_path


@pytest.fixture
def drop(folder: Path) -> CsvDrop:
    return CsvDrop(folder, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC))


def taken_away(folder: Path, into: list[str]) -> None:
    """What the portal does."""
    for path in sorted(folder.glob("*.csv")):
        with io.FileIO(path) as file:  # not by `Path.open`, which is a step of the program's
            into.append(f"{path.name}:{file.read().decode()}")
        path.unlink()


@contextmanager
def killed_at_step(number: int, *, after_each: Callable[[], None], patched: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every call that changes the disk is a step; the process dies before step `number`, the portal is quick.

    What was written and not yet synced is torn by that.
    """
    steps: list[str] = []
    unsynced: list[Path] = []

    def counted(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **more: object) -> object:
            if len(steps) == number:
                raise KilledError(name)
            steps.append(name)
            done = real(*arguments, **more)
            if name == "open" and "wb" in arguments and isinstance(arguments[0], Path):
                unsynced.append(arguments[0])
            elif name == "fsync":
                unsynced.clear()
            after_each()
            return done

        return step

    with patched.context() as patch:
        patch.setattr(csv_drop.os, "fsync", counted("fsync", os.fsync))
        patch.setattr(Path, "rename", counted("rename", Path.rename))
        patch.setattr(Path, "open", counted("open", Path.open))
        try:
            yield steps
        except KilledError:
            for path in unsynced:
                os.truncate(path, path.stat().st_size // 2)
            raise


@pytest.mark.parametrize("quick", [True, False])
def test_a_process_that_dies_between_any_two_steps_neither_loses_nor_doubles(
    tmp_path: Path, submission: Submissions, monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    finished = False
    number = 0
    while not finished:
        folder = tmp_path / str(number)
        folder.mkdir()
        prepare(folder)
        seen: list[str] = []
        drop = CsvDrop(folder, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC))

        def portal() -> None:
            if quick:
                taken_away(folder, seen)  # noqa: B023  # called before the next round

        try:
            with killed_at_step(number, after_each=portal, patched=monkeypatch):
                drop.deliver(submission())
            finished = True
        except KilledError:
            again = submission(attempts=2, was_unknown=True)
            assert drop.deliver(again).remote_id == "EXT1-1.csv"
            assert drop.deliver(again).found
        taken_away(folder, seen)
        payload = submission().payload
        assert payload is not None
        assert seen == [f"EXT1-1.csv:{payload.decode()}"], f"killed before step {number}"
        number += 1
    assert number > 8


def test_a_process_may_die_again_and_again(
    folder: Path, drop: CsvDrop, submission: Submissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    for number in range(12):
        try:
            with killed_at_step(number, after_each=lambda: taken_away(folder, seen), patched=monkeypatch):
                drop.deliver(submission())
        except KilledError:
            pass
    assert len(seen) == 1


def test_what_is_half_written_is_out_of_the_portals_sight(
    folder: Path, drop: CsvDrop, submission: Submissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        with killed_at_step(number, after_each=lambda: None, patched=monkeypatch), pytest.raises(KilledError):
            drop.deliver(submission())
        assert list(folder.glob("*.csv")) == []


def test_a_full_disk_and_a_vanished_share_are_for_later(
    folder: Path, drop: CsvDrop, submission: Submissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(csv_drop.os, "fsync", full)
        with pytest.raises(DeliveryDeferredError) as caught:
            drop.deliver(submission())
    assert caught.value.code == "csv-folder"
    assert str(folder) not in str(caught.value)
    assert not drop.deliver(submission()).found
    gone = CsvDrop(folder / "gone", clock=lambda: datetime(2026, 3, 2, tzinfo=UTC))
    with pytest.raises(DeliveryDeferredError):
        gone.deliver(submission())


def test_an_empty_folder_may_be_a_share_that_is_not_mounted(tmp_path: Path, submission: Submissions) -> None:
    with pytest.raises(DestinationPausedError) as caught:
        CsvDrop(tmp_path, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC)).deliver(submission())
    assert caught.value.code == "folder-not-prepared"
    assert list(tmp_path.iterdir()) == []


def test_a_correction_and_a_withdrawal_are_files_of_their_own(
    folder: Path, drop: CsvDrop, submission: Submissions
) -> None:
    drop.deliver(submission())
    drop.deliver(submission(status=ResultStatus.CORRECTED, revision=2, remote_id="EXT1-1.csv"))
    drop.deliver(submission(status=ResultStatus.ENTERED_IN_ERROR, revision=3))
    assert sorted(path.name for path in folder.glob("*.csv")) == ["EXT1-1.csv", "EXT1-2.csv", "EXT1-3.csv"]


def test_a_withdrawal_of_what_was_never_put_there_puts_nothing(
    folder: Path, drop: CsvDrop, submission: Submissions
) -> None:
    receipt = drop.deliver(submission(status=ResultStatus.ENTERED_IN_ERROR, revision=2))
    assert (receipt.remote_id, receipt.found) == ("", True)
    assert list(folder.glob("*.csv")) == []


def test_another_content_under_the_same_name_is_for_a_person(
    folder: Path, drop: CsvDrop, submission: Submissions
) -> None:
    drop.deliver(submission())
    with pytest.raises(DeliveryRefusedError):
        drop.deliver(submission(score=15))
    (folder / ".sent/EXT1-1").unlink()
    with pytest.raises(DeliveryRefusedError):
        drop.deliver(submission(score=15))
    assert drop.deliver(submission()).found


def test_an_id_that_is_no_file_name_is_held(drop: CsvDrop, submission: Submissions) -> None:
    for name in ("", "../x", "a/b", "a b", "x" * 101):
        with pytest.raises(DeliveryHeldError):
            drop.deliver(replace(submission(), external_id=name))


def described() -> CsvDestination:
    destination = load_destination("csv-drop.yaml", folder=Path("/nowhere"))
    assert isinstance(destination, CsvDestination)
    return destination


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_a_row_holds_what_the_columns_say() -> None:
    content = described().body(RECORD, status=ResultStatus.FINAL, remote_id=None)
    (row,) = rows(content)
    assert row["id"] == "EXT1"
    assert row["score"] == "14"
    assert row["loinc"] == ""
    assert row["items"] == "1=3|2="
    assert content.endswith(b"\r\n")
    assert rows(described().body(RECORD | {"items": None}, status=ResultStatus.FINAL, remote_id=None))[0]["items"] == ""


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "a\nb", "＝1", "a\rb"])
def test_no_cell_is_one_that_a_spreadsheet_would_run(word: str) -> None:
    with pytest.raises(DeliveryHeldError) as caught:
        described().body(RECORD | {"score": word}, status=ResultStatus.FINAL, remote_id=None)
    assert caught.value.code == "csv-cell"
    assert word not in str(caught.value)


def test_separators_and_quotes_stay_inside_their_cell() -> None:
    word = 'high; "very", so'
    (row,) = rows(described().body(RECORD | {"score": word}, status=ResultStatus.FINAL, remote_id=None))
    assert row["score"] == word


def test_a_csv_file_with_faults_is_refused_with_all_of_them() -> None:
    text = "language: 2\nrecord: 2\nkind: csv\nid: x\nrevision: 1\ncolumns:\n  a: '=scor'\n  b: '=totl'\n"
    with pytest.raises(SettingsError) as caught:
        read_destination(text, file_name="x.yaml")
    assert "columns.a: there is no field 'scor'" in caught.value.message
    assert "columns.b" in caught.value.message


def test_a_configured_folder_gets_the_file(tmp_path: Path, submission: Submissions) -> None:
    (tmp_path / "in").mkdir()
    prepare(tmp_path / "in")
    given = {"id": "portal", "file": "csv-drop.yaml", "folder": "in", "mode": "live"}
    (destination,) = configure([DestinationSettings.model_validate(given)], folder=tmp_path)
    with connected(destination, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC)) as client:
        assert client.most_in_batch == 1
        client.deliver(submission())
    assert (tmp_path / "in/EXT1-1.csv").exists()


@pytest.mark.parametrize(
    "given", [{"file": "csv-drop.yaml", "base_url": "https://p.org"}, {"file": "generic-json.yaml", "folder": "in"}]
)
def test_a_folder_goes_with_csv_and_an_address_with_the_rest(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        configure([DestinationSettings.model_validate({"id": "portal"} | given)], folder=tmp_path)
