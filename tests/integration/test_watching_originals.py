"""What happens to the original once it is safely kept: left, moved or deleted, and never overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from watched_folder import WatchedFolder, pdf, watched

from store.reports import ReportState


def _moving(tmp_path: Path, *, into: str = "done") -> WatchedFolder:
    return watched(tmp_path, after=f"move:{tmp_path / into}")


def test_an_original_is_moved_only_when_its_report_is_settled(tmp_path: Path) -> None:
    folder = _moving(tmp_path)
    path = folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    assert path.exists()
    folder.hand_over(folder.reports()[0])
    folder.scan()
    assert not path.exists()
    assert (tmp_path / "done" / "scores.pdf").read_bytes() == pdf("a")


def test_a_file_moved_away_by_the_service_is_not_told_as_vanished(tmp_path: Path) -> None:
    folder = _moving(tmp_path)
    folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    folder.hand_over(folder.reports()[0])
    folder.settle()
    assert folder.notices() == set()
    assert len(folder.reports()) == 1


def test_moving_never_overwrites_what_lies_there(tmp_path: Path) -> None:
    folder = _moving(tmp_path)
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "scores.pdf").write_bytes(b"yesterday")
    (tmp_path / "done" / "scores-2.pdf").write_bytes(b"the day before")
    for day in ("monday", "tuesday"):
        folder.drop("scores.pdf", pdf(day))
        folder.settle()
        folder.hand_over(folder.reports(ReportState.WAITING)[0])
        folder.scan()
    done = {path.name: path.read_bytes() for path in (tmp_path / "done").iterdir()}
    assert done == {
        "scores.pdf": b"yesterday",
        "scores-2.pdf": b"the day before",
        "scores-3.pdf": pdf("monday"),
        "scores-4.pdf": pdf("tuesday"),
    }


def test_a_duplicate_is_moved_too(tmp_path: Path) -> None:
    folder = _moving(tmp_path)
    folder.drop("a.pdf", pdf("same"))
    folder.drop("b.pdf", pdf("same"))
    folder.settle()
    folder.hand_over(folder.reports(ReportState.WAITING)[0])
    folder.scan()
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["a.pdf", "b.pdf"]


def test_an_original_that_cannot_be_moved_stays_and_is_tried_again(tmp_path: Path) -> None:
    folder = _moving(tmp_path, into="blocked/done")
    (tmp_path / "blocked").write_bytes(b"a file where the folder should be")
    path = folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    folder.hand_over(folder.reports()[0])
    folder.settle()
    assert path.read_bytes() == pdf("a")
    (tmp_path / "blocked").unlink()
    folder.scan()
    assert (tmp_path / "blocked" / "done" / "scores.pdf").read_bytes() == pdf("a")
    assert len(folder.reports()) == 1


def test_an_original_printed_anew_meanwhile_is_not_moved_away_unread(tmp_path: Path) -> None:
    folder = _moving(tmp_path)
    path = folder.drop("scores.pdf", pdf("monday"))
    folder.settle()
    folder.hand_over(folder.reports()[0])
    path.write_bytes(pdf("tuesday"))
    folder.scan()
    assert path.read_bytes() == pdf("tuesday")
    folder.settle()
    assert [folder.kept(report) for report in folder.reports()] == [pdf("monday"), pdf("tuesday")]


def test_an_original_in_quarantine_stays_where_it_is(tmp_path: Path) -> None:
    folder = watched(tmp_path, after="delete")
    path = folder.drop("scores.pdf", b"<html>")
    folder.settle()
    folder.settle()
    assert path.read_bytes() == b"<html>"


def test_an_original_is_deleted_once_it_is_settled(tmp_path: Path) -> None:
    folder = watched(tmp_path, after="delete")
    path = folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    [report] = folder.reports()
    folder.hand_over(report)
    folder.scan()
    assert not path.exists()
    assert folder.kept(report) == pdf("a")


@pytest.mark.parametrize("waiting", [600])
def test_many_originals_that_must_stay_do_not_keep_a_settled_one(tmp_path: Path, waiting: int) -> None:
    folder = watched(tmp_path, after="delete", quiet_seconds=0)
    for n in range(waiting):
        folder.drop(f"{n:04d}.pdf", pdf(str(n)))
    folder.scan()
    last = folder.drop("zz.pdf", pdf("settled"))
    folder.scan()
    folder.hand_over(next(r for r in folder.reports() if r.file_name == "zz.pdf"))
    folder.scan()
    assert not last.exists()
    assert len(list(folder.folder.iterdir())) == waiting
