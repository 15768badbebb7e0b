"""Names, birth dates and record numbers stay inside: nothing written outside the encrypted store holds any."""

from __future__ import annotations

import csv
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from ingest.settings import load_settings
from portal.sandbox import SandboxOptions, running_sandbox
from portal.sandbox_values import Faults
from records.errors import ScorebridgeError
from store import database as databases
from store import notices, reports
from tests.acceptance.clinic import wait_for

# The morning runs once, before the first of these tests, so they stay on one worker.
pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("morning")]

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "ingest" / "demo"
BROKEN = ("truncated.pdf", "bad-xref.pdf", "html-named.pdf", "encrypted.pdf", "private-use.pdf", "cid.pdf", "scan.pdf")
_SETTLED = (reports.ReportState.HANDED_OVER, reports.ReportState.QUARANTINED, reports.ReportState.DUPLICATE)


def _secrets() -> dict[str, re.Pattern[bytes]]:
    """What must be found nowhere: family names, birth dates as anybody writes them, record numbers."""
    words: set[str] = set()
    for site in ("LMH", "NRC"):
        with (DEMO / f"roster_{site}.csv").open(encoding="utf-8", newline="") as file:
            for person in csv.DictReader(file):
                born = date.fromisoformat(person["date_of_birth"])
                words |= {born.isoformat(), f"{born:%m/%d/%Y}", f"{born:%d.%m.%Y}", f"{born:%Y%m%d}"}
                words |= {person["mrn"]} if len(person["mrn"]) >= 5 else set()
                words |= {person["last_name"]} if len(person["last_name"]) >= 5 else set()
    # A number that is part of a longer one is no record number: a time stamp holds many digits.
    before, after = rb"(?<![0-9A-Za-z])", rb"(?![0-9A-Za-z])"
    return {word: re.compile(before + re.escape(word.encode()) + after, re.I) for word in words}


SECRETS = _secrets()


def _found(content: bytes) -> list[str]:
    # A plain search first: it is a hundred times faster than the pattern, and nearly always enough.
    small = content.lower()
    return [w for w, pattern in SECRETS.items() if w.lower().encode() in small and pattern.search(content)]


def test_the_search_itself_finds_what_it_looks_for() -> None:
    assert len(SECRETS) > 100
    with (DEMO / "roster_NRC.csv").open("rb") as file:
        assert len(_found(file.read())) > 50


class _Morning:
    """The demo's reports, wrong files and a misbehaving portal, with everything the service wrote."""

    def __init__(self, folder: Path, portal_url: str) -> None:
        self.folder = folder
        self.portal_url = portal_url
        self.config = folder / "scorebridge.toml"
        self.log = folder / "service.log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def command(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """One command line to its end."""
        return subprocess.run(
            [sys.executable, "-m", "ingest.cli", *words], cwd=ROOT, capture_output=True, check=False, timeout=120
        )

    def set_up(self) -> None:
        """Settings, rosters, templates, database."""
        sections = [f'home = "home"\nalerts = "none"\n[web]\nport = {self.port}\n']
        for site in ("LMH", "NRC"):
            (self.folder / site).mkdir()
            shutil.copy(DEMO / f"roster_{site}.csv", self.folder)
            sections.append(
                f'[[site]]\nid = "{site}"\ntime_zone = "America/Denver"\nroster = "roster_{site}.csv"\n'
                f'roster_max_age_hours = 1000000\n[[source]]\nsite = "{site}"\nfolder = "{site}"\n'
                "quiet_seconds = 0.3\nincomplete_after_minutes = 0.02\nstart_from = 2000-01-01\npoll_seconds = 2\n"
            )
        token = self.folder / "token"
        token.write_text("sandbox-token")
        token.chmod(0o600)
        sections.append(
            f'[[destination]]\nid = "portal"\nfile = "generic-json.yaml"\nbase_url = "{self.portal_url}"\n'
            f'mode = "live"\ntoken = "file:{token}"\nrate_per_second = 500\n'
        )
        self.config.write_text("\n".join(sections), "utf-8")
        assert self.command("init", "--config", str(self.config)).returncode == 0
        for template in sorted((DEMO / "templates").glob("*.yaml")):
            done = self.command("template", "publish", str(template), "--config", str(self.config))
            assert done.returncode == 0, done.stderr

    def run(self) -> None:
        """The whole morning."""
        with self.log.open("wb") as log:
            service = subprocess.Popen(
                [sys.executable, "-m", "ingest.cli", "run", "--config", str(self.config)],
                cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            expected = self._print_everything()
            self.finished = wait_for(lambda: self._settled() >= expected, seconds=150)
            self.processes = subprocess.run(
                ["ps", "-ww", "-eo", "args"], capture_output=True, check=True
            ).stdout + _environments(service.pid)
            self.pages = [
                httpx.get(f"http://127.0.0.1:{self.port}{path}").content for path in ("/metrics", "/health", "/nothing")
            ]
        finally:
            service.send_signal(signal.SIGTERM)
            self.status = service.wait(timeout=30)

    def _print_everything(self) -> int:
        count = 0
        for site in ("LMH", "NRC"):
            for path in sorted((DEMO / site).iterdir()):
                # As some EHRs name their files: after the patient.
                shutil.copy(path, self.folder / site / f"Marchetti_Rene_1985-03-29_{path.name}")
                count += 1
        for name in BROKEN:
            shutil.copy(ROOT / "fixtures" / "broken" / name, self.folder / "NRC" / f"Marchetti {name}")
            count += 1
        (self.folder / "NRC" / "Marchetti link.pdf").symlink_to("/etc/hostname")
        (self.folder / "LMH" / "quote.csv").write_bytes(b'a;b\n"Marchetti;059997\n')
        return count + 1

    def _settled(self) -> int:
        with databases.open_existing(load_settings(self.config).store) as database, database.reading() as session:
            return sum(r.state in _SETTLED for r in reports.recent(session, limit=1000))


def _environments(pid: int) -> bytes:
    import psutil

    found = b""
    with psutil.Process(pid).oneshot():
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            found += "\n".join([*process.cmdline(), *process.environ().values()]).encode()
    return found


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Morning]:
    folder = tmp_path_factory.mktemp("morning")
    patients = set[str]()
    for site in ("LMH", "NRC"):
        with (DEMO / f"roster_{site}.csv").open(encoding="utf-8", newline="") as file:
            patients |= {person["patient_id"] for person in csv.DictReader(file)}
    # Some patients are unknown to the portal, some answers are lost, some are refused.
    known = frozenset(sorted(patients)[: len(patients) * 3 // 4])
    with running_sandbox(SandboxOptions(token="sandbox-token", patients=known)) as portal:
        faults = Faults(unavailable=0.1, commit_then_cut=0.1, cut_before_commit=0.1, too_many=0.1, retry_after=0.2)
        httpx.post(f"{portal.url}/_sandbox/faults", json=faults.model_dump(mode="json")).raise_for_status()
        made = _Morning(folder, portal.url)
        made.set_up()
        made.run()
        yield made


def test_the_morning_came_to_its_end(morning: _Morning) -> None:
    assert morning.finished
    assert morning.status == 0


def test_no_log_line_holds_patient_data(morning: _Morning) -> None:
    written = morning.log.read_bytes()
    assert written.count(b"report.handed-over") >= 5
    assert b"report.quarantined" in written
    assert _found(written) == []


def test_the_log_holds_events_only_and_nothing_that_libraries_print(morning: _Morning) -> None:
    strange = [line for line in morning.log.read_text("utf-8", "replace").splitlines() if not line.startswith('{"')]
    assert strange == []


def test_figures_health_and_error_pages_hold_no_patient_data(morning: _Morning) -> None:
    assert b"scorebridge_files_total" in morning.pages[0]
    assert [_found(page) for page in morning.pages] == [[], [], []]


def test_no_process_shows_patient_data_to_other_users_of_the_machine(morning: _Morning) -> None:
    assert b"ingest.cli run" in morning.processes
    own = b"\n".join(line for line in morning.processes.splitlines() if b"pytest" not in line)
    assert _found(own) == []


def test_no_byte_of_the_store_can_be_read_without_its_key(morning: _Morning) -> None:
    home = morning.folder / "home"
    files = [path for path in home.rglob("*") if path.is_file() and "templates" not in path.parts]
    assert any(path.parent.parent.name == "archive" for path in files)
    leaks = {str(path.relative_to(home)): words for path in files if (words := _found(path.read_bytes()))}
    assert leaks == {}
    readable = {path.name for path in files if path.read_bytes()[:5] == b"%PDF-" or b"SQLite" in path.read_bytes()[:16]}
    assert readable == set()


def test_the_store_is_for_its_owner_only(morning: _Morning) -> None:
    home = morning.folder / "home"
    shared = {
        str(path.relative_to(home)): oct(path.stat().st_mode & 0o777)
        for path in home.rglob("*")
        if path.is_file() and "templates" not in path.parts and path.stat().st_mode & 0o077
    }
    if home.stat().st_mode & 0o077 == 0:
        return  # nobody else gets into the folder at all
    assert shared == {}


def test_what_leaves_the_house_as_a_notice_holds_no_patient_data(morning: _Morning) -> None:
    with databases.open_existing(load_settings(morning.config).store) as database, database.reading() as session:
        told = [f"{notice.subject} {notice.sentence}" for notice in notices.list_open(session)]
    assert told
    assert _found("\n".join(told).encode()) == []


def test_no_temporary_file_is_left_behind(morning: _Morning) -> None:
    assert sorted(path.name for path in morning.folder.iterdir() if path.is_dir()) == ["LMH", "NRC", "home"]


def test_a_roster_without_a_header_is_refused_without_quoting_its_patients(morning: _Morning, tmp_path: Path) -> None:
    lines = (DEMO / "roster_NRC.csv").read_text("utf-8").splitlines()
    headless = tmp_path / "roster.csv"
    headless.write_text("\n".join(lines[1:]), "utf-8")
    done = morning.command("roster", "import", str(headless), "--site", "NRC", "--config", str(morning.config))
    assert done.returncode == 1
    assert _found(done.stdout + done.stderr) == []


def test_people_without_a_header_are_refused_without_quoting_them(morning: _Morning, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("1,Marchetti René,,,1985-03-29,059997,\n", "utf-8")
    roster = str(DEMO / "roster_NRC.csv")
    done = morning.command("match", "--roster", roster, "--site", "NRC", "--people", str(people), "--json")
    assert done.returncode == 1
    assert _found(done.stdout + done.stderr) == []


def test_the_texts_of_faults_hold_no_patient_data(tmp_path: Path) -> None:
    from ingest.roster_file import read_roster

    text = (DEMO / "roster_NRC.csv").read_text("utf-8")
    wrong = {
        "dates": re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\2-\1-\3", text),
        "quotes": text.replace("Marchetti", '"Marchetti', 1),
        "ids": re.sub(r"(?m)^P7\d+", "P7", text),
    }
    for name, content in wrong.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(content, "utf-8")
        with pytest.raises(ScorebridgeError) as fault:
            read_roster(path, site="NRC")
        assert _found(f"{fault.value!r} {fault.value}".encode()) == [], name
