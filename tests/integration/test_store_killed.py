"""A process that is killed at any moment leaves a store that adds up."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

from store import audit, balance, cases, kept_records, outbox, reports
from store import database as databases
from store.reports import ReportState
from store.settings import StoreSettings

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EACH = 7

# Reports without end: archive, take, hand over; one line per commit that was reported as done.
WRITER = textwrap.dedent(
    """
    import itertools, sys
    from pathlib import Path
    from records.decision import Decision
    from store import database as databases, reports
    from store.handover import hand_over
    from store.settings import StoreSettings
    from store_cases import NOW, outcome, printed_file, record

    start, home = int(sys.argv[1]), Path(sys.argv[2])
    with databases.open_existing(StoreSettings(home=home)) as database:
        for number in itertools.count(start):
            content = b"report %d " % number * 1000
            archived = database.archive.put(content)
            with database.session() as session:
                report = reports.take(
                    session, printed_file(content), source="wcp", file_name="r.pdf", archived=archived
                )
            records = [
                record(list(Decision)[place % 2], patient_id=f"D{number}-{place}") for place in range(EACH)
            ]
            with database.session() as session:
                hand_over(session, report.report_id, outcome(*records), now=NOW)
            print(report.report_id, flush=True)
    """
).replace("EACH", str(EACH))


def test_a_killed_writer_leaves_whole_reports_and_an_intact_trail(tmp_path: Path) -> None:
    settings = StoreSettings(home=tmp_path / "home")
    databases.create(settings, now=NOW).close()
    done: list[int] = []
    for turn in range(6):
        done += _write_until_killed(settings.home, start=turn * 100_000, lines=2 + turn, delay=0.013 * turn)
        _check(settings, done)


def _write_until_killed(home: Path, *, start: int, lines: int, delay: float) -> list[int]:
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests/unit/store'}"}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(start), str(home)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(lines)]
        time.sleep(delay)
        writer.kill()
        told += [int(line) for line in writer.stdout.read().splitlines() if line.isdigit()]
    return told


def _check(settings: StoreSettings, done: list[int]) -> None:
    with databases.open_existing(settings) as database, database.reading() as session:
        kept = reports.recent(session, limit=10_000)
        handed = [one for one in kept if one.state is ReportState.HANDED_OVER]
        assert set(done) <= {one.report_id for one in handed}
        for one in kept:
            whole = one.state is ReportState.HANDED_OVER
            assert len(kept_records.of_report(session, one.report_id)) == (EACH if whole else 0)
            document = reports.document_of(session, one.report_id)
            assert document is not None
            assert len(database.archive.get(*document)) == one.size_bytes
        assert balance.mismatches(session) == []
        assert outbox.counts(session)["pending"] + cases.count_open(session) == EACH * len(handed)
        assert audit.verify(session, anchor_file=database.anchor_file).intact
