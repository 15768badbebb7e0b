"""A whole clinic for tests: print folder, roster, template, portal, and a service process that can be killed."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

from reportlab.lib.pagesizes import letter
from reportlab.pdfgen import canvas

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("SCOREBRIDGE_ACCEPTANCE") == "full"
SITE = "NORTH"
_FAMILIES = [
    "Abbot",
    "Brandt",
    "Calloway",
    "Dempsey",
    "Ekberg",
    "Farrow",
    "Gallant",
    "Hewitt",
    "Ingalls",
    "Jarvis",
    "Kessler",
    "Lombard",
    "Munro",
    "Nolan",
]
_GIVENS = [
    "Alma",
    "Bruno",
    "Celia",
    "Dario",
    "Edith",
    "Felix",
    "Greta",
    "Hugo",
    "Irene",
    "Jonas",
    "Klara",
    "Leon",
    "Maren",
    "Nils",
    "Olive",
    "Pavel",
    "Rosa",
    "Stefan",
]
_MAXIMA = {"PHQ-9": 27, "GAD-7": 21, "PCL-5": 80, "AUDIT-C": 12}

TEMPLATE = """
id: nightly-scores
revision: 1
anchors: [Nightly score report, Points]
furniture: [{pattern: 'Nightly score report .+'}, {pattern: 'Page \\d+ of \\d+'}]
dates: ['%m/%d/%Y']
names: family-first
table:
  columns:
    - {header: Chart, field: mrn}
    - {header: Person, field: name}
    - {header: Born, field: birth_date}
    - {header: Form, field: instrument}
    - {header: Points, field: total}
    - {header: Given on, field: authored_on}
"""


@dataclass(frozen=True, slots=True)
class Person:
    """A patient of the test's roster."""

    patient_id: str
    mrn: str
    family: str
    given: str
    born: date


@dataclass(frozen=True, slots=True)
class Score:
    """One printed score."""

    person: Person
    form: str
    points: int
    on: date

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it one value in the portal."""
        return self.person.patient_id, self.form.lower(), self.on.isoformat()


def people(count: int, *, seed: int) -> list[Person]:
    """Patients who can be told apart by every identifier."""
    chance = random.Random(seed)
    names = [(f, g) for f in _FAMILIES for g in _GIVENS]
    chance.shuffle(names)
    assert count <= len(names)
    return [
        Person(f"P{n:05d}", f"N{70000 + 37 * n}", f, g, date(1940, 1, 1) + timedelta(days=37 * n + 11))
        for n, (f, g) in enumerate(names[:count])
    ]


def scores(of: list[Person], count: int, *, seed: int) -> list[Score]:
    """Distinct assessments."""
    chance = random.Random(seed)
    days = [date(2026, 9, 1) + timedelta(days=n) for n in range(28)]
    every = [(p, f, d) for p in of for f in _MAXIMA for d in chance.sample(days, 4)]
    return [Score(p, f, chance.randint(0, _MAXIMA[f]), d) for p, f, d in chance.sample(every, count)]


def report_pdf(rows: list[Score], *, number: int, rows_per_page: int = 36) -> bytes:
    """A report with these rows, as many pages as they need."""
    out = BytesIO()
    page = canvas.Canvas(out, pagesize=letter, invariant=True)
    sheets = [rows[n : n + rows_per_page] for n in range(0, len(rows), rows_per_page)]
    columns = (50, 110, 250, 330, 410, 470)
    for sheet, on_sheet in enumerate(sheets, start=1):
        page.setFont("Helvetica", 10)
        page.drawString(50, 740, f"Nightly score report {number}")
        for x, word in zip(columns, ("Chart", "Person", "Born", "Form", "Points", "Given on"), strict=True):
            page.drawString(x, 710, word)
        for line, row in enumerate(on_sheet):
            who = row.person
            born, given = f"{who.born:%m/%d/%Y}", f"{row.on:%m/%d/%Y}"
            cells = (who.mrn, f"{who.family}, {who.given}", born, row.form, str(row.points), given)
            for x, text in zip(columns, cells, strict=True):
                page.drawString(x, 690 - 17 * line, text)
        page.drawString(50, 40, f"Page {sheet} of {len(sheets)}")
        page.showPage()
    page.save()
    return out.getvalue()


@dataclass
class Clinic:
    """The folder of a clinic and its service process."""

    folder: Path
    portal_url: str
    token_file: Path
    extra: str = ""
    alerts: str = 'alerts = "none"'
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "scorebridge.toml"

    @property
    def prints(self) -> Path:
        """The print folder."""
        return self.folder / "print"

    @property
    def log(self) -> Path:
        """What the service writes to standard error."""
        return self.folder / "service.log"

    def set_up(self, roster: list[Person], *, quiet_seconds: float = 0.3, template: str = TEMPLATE) -> None:
        """Settings, roster, database, published template."""
        self.prints.mkdir()
        with (self.folder / "roster.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(
                ["patient_id", "clinic", "mrn", "last_name", "first_name", "date_of_birth", "sex", "status"]
            )
            writer.writerows(
                [p.patient_id, SITE, p.mrn, p.family, p.given, p.born.isoformat(), "", "active"] for p in roster
            )
        (self.folder / "template.yaml").write_text(template, "utf-8")
        self.config.write_text(
            f"""
home = "home"
{self.alerts if self.alerts.startswith("alerts =") else ""}
{self.extra}
[[site]]
id = "{SITE}"
time_zone = "America/Chicago"
roster = "roster.csv"
roster_max_age_hours = 1000000
[[source]]
site = "{SITE}"
folder = "print"
quiet_seconds = {quiet_seconds}
poll_seconds = 5
incomplete_after_minutes = 0.1
start_from = 2020-01-01
[[destination]]
id = "portal"
file = "generic-json.yaml"
base_url = "{self.portal_url}"
mode = "live"
token = "file:{self.token_file}"
rate_per_second = 500
[web]
port = 0
{"" if self.alerts.startswith("alerts =") else self.alerts}
""",
            "utf-8",
        )
        self.command("init")
        self.command("template", "publish", str(self.folder / "template.yaml"))

    def command(self, *words: str, expect: tuple[int, ...] = (0,)) -> str:
        """Run one command to its end; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "ingest.cli", *words, "--config", str(self.config)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in expect, f"{words[0]} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        """Start the service."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ingest.cli", "run", "--config", str(self.config)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL, as the end of power would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, *, within: float = 30) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=within)

    def drop(self, name: str, content: bytes) -> None:
        """Print a file the way a printer does: the name first, the bytes in pieces."""
        with (self.prints / name).open("wb") as file:
            half = len(content) // 2
            file.write(content[:half])
            file.flush()
            file.write(content[half:])


def wait_for(condition, *, seconds: float, step: float = 0.5) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(step)
    return bool(condition())
