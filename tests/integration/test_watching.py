"""A file that arrives is taken once, whole, and after its quiet time; the original is never altered."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from watched_folder import WatchedFolder, pdf, watched

from records.errors import StoreError
from store import sightings
from store.reports import ReportState
from store.sightings import SightingState


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[WatchedFolder]:
    made = watched(tmp_path)
    yield made
    made.database.close()


# --- whole, once, after the quiet time


def test_a_file_is_taken_after_its_quiet_time_and_not_before(folder: WatchedFolder) -> None:
    folder.drop("scores.pdf", pdf("a"))
    folder.scan()
    folder.scan(after=1.9)
    assert folder.reports() == []
    folder.scan(after=0.2)
    assert folder.names() == ["scores.pdf"]
    assert folder.hints == [folder.clock.now]


def test_a_file_that_grows_in_steps_is_taken_once_and_whole(folder: WatchedFolder) -> None:
    content = pdf("grown", size=50_000)
    path = folder.drop("scores.pdf", b"")
    for start in range(0, len(content), 10_000):
        with path.open("ab") as file:
            file.write(content[start : start + 10_000])
        folder.scan(after=1.5)
        assert folder.reports() == []
    folder.settle()
    [report] = folder.reports()
    assert folder.kept(report) == content


def test_a_writer_that_pauses_longer_than_the_quiet_time_is_waited_for(folder: WatchedFolder) -> None:
    content = pdf("paused", size=5_000)
    path = folder.drop("scores.pdf", content[:3000])
    folder.settle()
    folder.scan(after=60)
    assert folder.reports() == []
    path.write_bytes(content)
    folder.settle()
    assert [folder.kept(report) for report in folder.reports()] == [content]


def test_space_that_a_network_copy_reserves_first_is_no_file_yet(folder: WatchedFolder) -> None:
    content = pdf("copied", size=5_000)
    path = folder.drop("scores.pdf", b"\0" * len(content))
    folder.settle()
    assert folder.reports() == []
    path.write_bytes(content)
    folder.settle()
    assert [folder.kept(report) for report in folder.reports()] == [content]


def test_a_file_renamed_in_from_outside_is_taken(folder: WatchedFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside.pdf"
    outside.write_bytes(pdf("moved in"))
    outside.rename(folder.folder / "scores.pdf")
    folder.settle()
    assert folder.names() == ["scores.pdf"]


def test_a_file_renamed_from_tmp_to_pdf_is_taken_under_its_new_name_only(folder: WatchedFolder) -> None:
    path = folder.drop("scores.pdf.tmp", pdf("renamed"))
    folder.settle()
    path.rename(folder.folder / "scores.pdf")
    folder.settle()
    assert folder.names() == ["scores.pdf"]


def test_scanning_again_and_again_takes_nothing_twice(folder: WatchedFolder) -> None:
    folder.drop("scores.pdf", pdf("a"))
    for _ in range(10):
        folder.settle()
    assert len(folder.reports()) == 1


# --- the same name, the same bytes


def test_new_bytes_under_an_old_name_are_a_new_report(folder: WatchedFolder) -> None:
    folder.drop("scores.pdf", pdf("monday"))
    folder.settle()
    folder.drop("scores.pdf", pdf("tuesday"))
    folder.settle()
    assert [folder.kept(r) for r in folder.reports(ReportState.WAITING)] == [pdf("monday"), pdf("tuesday")]


def test_the_same_bytes_written_over_themselves_are_no_second_report(folder: WatchedFolder) -> None:
    folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    assert len(folder.reports()) == 1


def test_new_bytes_of_the_same_length_and_time_are_noticed(folder: WatchedFolder) -> None:
    path = folder.drop("scores.pdf", pdf("monday 1"))
    os.utime(path, (1_780_000_000, 1_780_000_000))
    folder.settle()
    path.write_bytes(pdf("monday 2"))
    os.utime(path, (1_780_000_000, 1_780_000_000))
    folder.settle()
    assert [folder.kept(r) for r in folder.reports()] == [pdf("monday 1"), pdf("monday 2")]


def test_touching_a_file_changes_nothing(folder: WatchedFolder) -> None:
    path = folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    path.touch()
    folder.settle()
    assert len(folder.reports()) == 1


def test_the_same_bytes_under_a_second_name_are_a_duplicate_of_the_first(folder: WatchedFolder) -> None:
    folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    folder.drop("scores (copy).pdf", pdf("a"))
    folder.settle()
    first, second = folder.reports()
    assert second.state is ReportState.DUPLICATE
    assert second.duplicate_of == first.report_id
    assert "duplicate-file" in second.reasons


def test_a_reprint_under_the_old_name_after_it_was_cleared_away_is_a_duplicate(folder: WatchedFolder) -> None:
    path = folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    path.unlink()
    folder.settle()
    folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    assert [report.state for report in folder.reports()] == [ReportState.WAITING, ReportState.DUPLICATE]


def test_a_file_that_goes_before_it_is_taken_leaves_a_notice(folder: WatchedFolder) -> None:
    path = folder.drop("scores.pdf", pdf("a"))
    folder.scan()
    path.unlink()
    folder.scan(after=1)
    assert folder.reports() == []
    assert "file-vanished" in folder.notices()


def test_a_file_that_goes_after_it_was_taken_is_nothing_to_tell(folder: WatchedFolder) -> None:
    path = folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    path.unlink()
    folder.settle()
    assert folder.notices() == set()


# --- names


@pytest.mark.parametrize(
    "name",
    [
        "two words.pdf", "Zoë Müller – 评分.pdf", "line\nbreak.pdf", "-rf.pdf", "x" * 246 + ".pdf", "SCORES.PDF",
        "semi;colon & 'quote\".pdf", "$(reboot).pdf", "%s%n.pdf", "[red]bold.pdf", ".pdf", "tab\there.csv",
    ],
)  # fmt: skip
def test_any_name_is_taken(folder: WatchedFolder, name: str) -> None:
    folder.drop(name, pdf(name))
    folder.settle()
    assert folder.names() == [name]


def test_names_that_are_no_text_are_taken_and_remembered(folder: WatchedFolder) -> None:
    for name in (b"bad\xff.pdf", b"bad\xfe.pdf", rb"bad\xff.pdf"):
        folder.drop(os.fsdecode(name), pdf(repr(name)))
    folder.settle()
    folder.restart()
    folder.settle()
    assert len(folder.reports(ReportState.WAITING)) == len(folder.reports()) == 3


def test_other_files_are_left_alone(folder: WatchedFolder) -> None:
    for name in ("scores.docx", "scores.pdf.part", "Thumbs.db", "~lock.pdf#"):
        folder.drop(name, pdf(name))
    folder.settle()
    assert folder.reports() == []


# --- what is no file


def test_links_pipes_sockets_and_folders_are_no_reports(folder: WatchedFolder, tmp_path: Path) -> None:
    outside = tmp_path / "secret.pdf"
    outside.write_bytes(pdf("outside"))
    (folder.folder / "link.pdf").symlink_to(outside)
    (folder.folder / "dangling.pdf").symlink_to(tmp_path / "nothing")
    (folder.folder / "folder.pdf").mkdir()
    os.mkfifo(folder.folder / "pipe.pdf")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder.folder / "s.pdf"))
    folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    listener.close()
    assert folder.names() == ["scores.pdf"]
    with folder.database.reading() as session:
        known = sightings.known(session, folder.source.name)
    ignored = {Path(path).name: s.reason for path, s in known.items() if s.state is SightingState.IGNORED}
    assert ignored == dict.fromkeys(("link.pdf", "dangling.pdf", "pipe.pdf", "s.pdf"), "unsafe-path")


def test_a_link_that_takes_a_files_place_is_not_followed(folder: WatchedFolder, tmp_path: Path) -> None:
    outside = tmp_path / "secret.pdf"
    outside.write_bytes(pdf("outside"))
    path = folder.drop("scores.pdf", pdf("a"))
    folder.scan()
    path.unlink()
    path.symlink_to(outside)
    folder.settle()
    assert folder.reports() == []


def test_a_file_that_takes_a_links_place_is_taken(folder: WatchedFolder, tmp_path: Path) -> None:
    path = folder.folder / "scores.pdf"
    path.symlink_to(tmp_path / "nothing")
    folder.settle()
    path.unlink()
    path.write_bytes(pdf("a"))
    folder.settle()
    assert folder.names() == ["scores.pdf"]


def test_a_hard_link_is_a_second_name_for_the_same_report(folder: WatchedFolder) -> None:
    path = folder.drop("scores.pdf", pdf("a"))
    folder.settle()
    os.link(path, folder.folder / "other.pdf")
    folder.settle()
    assert [r.state for r in folder.reports()] == [ReportState.WAITING, ReportState.DUPLICATE]


# --- not whole, not readable, not a report


def test_an_empty_file_waits_and_is_set_aside_when_it_stays_so(folder: WatchedFolder) -> None:
    folder.drop("scores.pdf", b"")
    folder.settle()
    assert folder.reports() == []
    folder.scan(after=601)
    [report] = folder.reports()
    assert (report.state, report.reasons) == (ReportState.QUARANTINED, ("empty-file",))
    assert "file-quarantined" in folder.notices()


def test_a_file_cut_off_is_set_aside_once_and_taken_when_the_rest_comes(folder: WatchedFolder) -> None:
    content = pdf("whole", size=4000)
    path = folder.drop("scores.pdf", content[:2000])
    folder.settle()
    folder.scan(after=601)
    for _ in range(5):
        folder.scan(after=601)
    assert [(r.state, r.reasons) for r in folder.reports()] == [(ReportState.QUARANTINED, ("incomplete",))]
    path.write_bytes(content)
    folder.settle()
    [_, whole] = folder.reports()
    assert (whole.state, folder.kept(whole)) == (ReportState.WAITING, content)


def test_touching_a_file_in_quarantine_tells_nothing_new(folder: WatchedFolder) -> None:
    path = folder.drop("scores.pdf", pdf("cut")[:20])
    folder.settle()
    folder.scan(after=601)
    path.touch()
    folder.settle()
    folder.scan(after=601)
    assert len(folder.reports()) == 1


def test_something_else_named_pdf_is_set_aside_at_once(folder: WatchedFolder) -> None:
    folder.drop("scores.pdf", b"<html>not found</html>")
    folder.settle()
    assert [(r.state, r.reasons) for r in folder.reports()] == [(ReportState.QUARANTINED, ("not-a-pdf",))]


def test_files_too_large_are_each_set_aside_and_none_is_a_duplicate_of_another(tmp_path: Path) -> None:
    folder = watched(tmp_path, max_bytes=1000)
    folder.drop("a.pdf", pdf("a", size=2000))
    folder.drop("b.pdf", pdf("b", size=3000))
    folder.settle()
    found = {r.file_name: (r.state, r.reasons, r.size_bytes) for r in folder.reports()}
    assert found == {
        "a.pdf": (ReportState.QUARANTINED, ("file-too-large",), len(pdf("a", size=2000))),
        "b.pdf": (ReportState.QUARANTINED, ("file-too-large",), len(pdf("b", size=3000))),
    }


class _Lock:
    """The system refuses to open some files, as Windows does while another program holds them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: set[str] = set()
        opened = os.open

        def refuse(path: str | Path, flags: int, *rest: int, **more: int) -> int:
            if Path(path).name in self.names:
                raise PermissionError(13, "Permission denied")
            return opened(path, flags, *rest, **more)

        monkeypatch.setattr("ingest.intake.os.open", refuse)


def test_a_file_that_stays_locked_is_set_aside_once_and_taken_when_it_is_free(
    folder: WatchedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = _Lock(monkeypatch)
    lock.names = {"scores.pdf"}
    folder.drop("scores.pdf", pdf("a"))
    folder.drop("neighbour.pdf", pdf("b"))
    folder.settle()
    assert folder.names() == ["neighbour.pdf"]
    for _ in range(6):
        folder.scan(after=601)
    assert [r.reasons for r in folder.reports(ReportState.QUARANTINED)] == [("file-locked",)]
    lock.names = set()
    folder.settle()
    assert folder.names(ReportState.WAITING) == ["neighbour.pdf", "scores.pdf"]


def test_a_file_with_an_impossible_date_keeps_nobody_waiting(folder: WatchedFolder) -> None:
    path = folder.drop("a.pdf", pdf("a"))
    for far in (2**33, -(2**31), 2**40):
        os.utime(path, (far, far))
        folder.drop(f"{far}.pdf", pdf(str(far)))
        folder.settle()
    assert len(folder.reports(ReportState.WAITING)) == 4


def test_a_fault_on_one_file_does_not_keep_its_neighbours_waiting(
    folder: WatchedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def break_down(path: str | Path, flags: int, *rest: int, **more: int) -> int:
        if Path(path).name == "bad.pdf":
            raise ValueError("something nobody has foreseen")
        return opened(path, flags, *rest, **more)

    for name in ("a.pdf", "bad.pdf", "c.pdf", "d.pdf"):
        folder.drop(name, pdf(name))
    folder.scan()
    monkeypatch.setattr("ingest.intake.os.open", break_down)
    with pytest.raises(ValueError, match="nobody"):
        folder.scan(after=3)
    assert folder.names() == ["a.pdf", "c.pdf", "d.pdf"]


# --- the folder


def test_a_read_only_folder_is_read_and_left_as_it_is(folder: WatchedFolder) -> None:
    path = folder.drop("scores.pdf", pdf("a"))
    before = path.stat()
    folder.folder.chmod(0o555)
    folder.settle()
    folder.hand_over(folder.reports()[0])
    folder.settle()
    folder.folder.chmod(0o755)
    after = path.stat()
    assert (before.st_mtime_ns, before.st_ino, path.read_bytes()) == (after.st_mtime_ns, after.st_ino, pdf("a"))


def test_a_folder_that_goes_is_told_and_taken_up_again_without_doubles_when_it_is_back(folder: WatchedFolder) -> None:
    folder.drop("a.pdf", pdf("a"))
    folder.settle()
    away = folder.folder.with_name("away")
    folder.folder.rename(away)
    folder.settle()
    assert folder.notices() == {"source-unreachable"}
    away.rename(folder.folder)
    folder.drop("b.pdf", pdf("b"))
    folder.settle()
    assert folder.notices() == set()
    assert folder.names(ReportState.WAITING) == folder.names() == ["a.pdf", "b.pdf"]


def test_an_unreachable_folder_makes_the_last_good_scan_older(folder: WatchedFolder) -> None:
    folder.scan()
    good = folder.watcher.last_good_scan
    folder.folder.rmdir()
    folder.scan(after=100)
    assert folder.watcher.last_good_scan == good


# --- restarts


def test_a_restart_knows_what_was_taken(folder: WatchedFolder) -> None:
    for n in range(5):
        folder.drop(f"{n}.pdf", pdf(str(n)))
    folder.settle()
    folder.restart()
    folder.settle()
    assert len(folder.reports()) == 5


def test_what_changed_while_the_service_was_down_is_taken(folder: WatchedFolder) -> None:
    folder.drop("a.pdf", pdf("a"))
    gone = folder.drop("gone.pdf", pdf("gone"))
    folder.settle()
    folder.drop("a.pdf", pdf("another"))
    folder.drop("b.pdf", pdf("b"))
    gone.unlink()
    folder.restart()
    folder.settle()
    assert folder.names() == ["a.pdf", "a.pdf", "b.pdf", "gone.pdf"]


def test_the_row_and_the_memory_of_a_file_come_together_or_not_at_all(
    folder: WatchedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.drop("a.pdf", pdf("a"))
    folder.scan()

    def dies(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("ingest.intake.sightings.remember", dies)
        folder.scan(after=3)
    assert folder.reports() == []
    folder.restart()
    folder.settle()
    assert [r.state for r in folder.reports()] == [ReportState.WAITING]


# --- the backlog


def test_files_older_than_the_first_day_are_listed_and_taken_when_they_are_released(tmp_path: Path) -> None:
    folder = watched(tmp_path, start_from_of_init=date(2026, 9, 14))
    old = folder.drop("old.pdf", pdf("old"))
    os.utime(old, (1_700_000_000, 1_700_000_000))
    folder.drop("new.pdf", pdf("new"))
    folder.settle()
    assert folder.names() == ["new.pdf"]
    with folder.database.session() as session:
        [listed] = [
            s for s in sightings.known(session, folder.source.name).values() if s.state is SightingState.BACKLOG
        ]
        sightings.remember(
            session, folder.source.name, listed.path, size=listed.size, mtime_ns=listed.mtime_ns,
            state=SightingState.PENDING, now=folder.clock.now,
        )  # fmt: skip
    folder.settle()
    assert folder.names() == ["new.pdf", "old.pdf"]


def test_the_first_day_is_the_sites_own(tmp_path: Path) -> None:
    folder = watched(tmp_path, start_from_of_init=date(2026, 9, 14))
    eve = folder.drop("eve.pdf", pdf("eve"))
    os.utime(eve, (1_789_361_400, 1_789_361_400))  # 04:50 UTC on the 14th: the evening before in Chicago
    day = folder.drop("day.pdf", pdf("day"))
    os.utime(day, (1_789_362_600, 1_789_362_600))  # ten past midnight in Chicago
    folder.settle()
    assert folder.names() == ["day.pdf"]


def test_a_released_file_of_the_backlog_survives_a_restart(tmp_path: Path) -> None:
    folder = watched(tmp_path, start_from_of_init=date(2026, 9, 14))
    os.utime(folder.drop("old.pdf", pdf("old")), (1_700_000_000, 1_700_000_000))
    folder.settle()
    folder.restart()
    folder.settle()
    assert folder.reports() == []


# --- several sources


def test_several_sources_have_their_own_patterns_sites_and_quiet_times(tmp_path: Path) -> None:
    north = watched(tmp_path, site="NORTH", folder="north", patterns=["*.pdf"], quiet_seconds=1)
    south = watched(
        tmp_path, database=north.database, site="SOUTH", folder="south", patterns=["score_*.csv"], quiet_seconds=10
    )
    for source in (north, south):
        source.drop("report.pdf", pdf("same bytes in both clinics"))
        source.drop("score_1.csv", b"a;b\n1;2\n")
        source.scan()
        source.scan(after=5)
    assert (north.names(), south.names()) == (["report.pdf"], [])
    south.scan(after=6)
    assert south.names() == ["score_1.csv"]
    assert {r.site for r in north.reports()} == {"NORTH"}


def test_the_same_bytes_at_two_sites_are_two_reports(tmp_path: Path) -> None:
    north = watched(tmp_path, site="NORTH", folder="north")
    south = watched(tmp_path, database=north.database, site="SOUTH", folder="south")
    for source in (north, south):
        source.drop("report.pdf", pdf("same"))
        source.settle()
    assert [r.state for r in (*north.reports(), *south.reports())] == [ReportState.WAITING] * 2
