"""The pictures of the pages in the README: an invented clinic behind the real server, photographed in Chromium.

    python -m tools.page_pictures [FOLDER]

Writes `review.png`, `dashboard.png` and `audit.png`, 1440x900, into the folder (`docs/pictures`). Everybody in them is
invented. They are made by hand when a page has changed its looks: two Chromiums draw letters differently, so nothing
compares them.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from records.case import ReviewCase
from records.decision import Decision
from records.layout import Landmark, LandmarkKind, LayoutSignature
from review import actions
from store import alerts, cases, signatures
from tests.browser.conftest import CHROMIUM
from tests.browser.served import serving, sign_in
from tests.unit.review import day_clinic
from tests.unit.review.review_clinic import DESTINATIONS, KOWALSKI, SITE, SURE, Clinic, Row, answers, hand_in, identity

PICTURES: Final = Path(__file__).resolve().parent.parent / "docs/pictures"
NAMES: Final = ("review", "dashboard", "audit")
SIZE: Final = (1440, 900)
_COLOURS: Final = 224
_HEADERS: Final = ("Client", "DOB", "Account", "Completed", "PHQ-9", "Q9")
_PEOPLE: Final = (
    ("Abernathy, June", date(1962, 4, 17), "BH-40112", 6), ("Adeyemi, Samuel", date(1995, 8, 2), "BH-51830", 11),
    ("Bianchi, Lucia", date(1979, 12, 30), "BH-44019", 3), ("Castellano, Ines", date(1988, 1, 21), "BH-47265", 14),
    ("Delacroix, Henri", date(1953, 9, 9), "BH-40587", 8), ("Eriksen, Solveig", date(2000, 5, 14), "BH-59004", 19),
    ("Fitzgerald, Orla", date(1971, 7, 7), "BH-43391", 2), ("Hargrove, Dennis", date(1968, 10, 25), "BH-41946", 10),
    ("Kowalsky, Thomas", date(1987, 3, 14), "BH-4O771", 17), ("Lindqvist, Maja", date(1993, 2, 11), "BH-50667", 5),
    ("Moreau, Sofia", date(1958, 2, 28), "BH-44702", 12), ("Nakamura, Ken", date(1984, 6, 3), "BH-46128", 7),
    ("Okafor, Chidi", date(1990, 11, 19), "BH-49873", 15), ("Petrov, Anna", date(1976, 3, 5), "BH-43820", 4),
    ("Quintero, Rafael", date(1966, 8, 28), "BH-41577", 9), ("Rasmussen, Lene", date(1999, 4, 1), "BH-58211", 13),
    ("Sandoval, Marisol", date(1981, 12, 12), "BH-45390", 1), ("Thackeray, Wilma", date(1949, 5, 23), "BH-40031", 6),
)  # fmt: skip
_DOUBTFUL: Final = 8
_DECIDED: Final = 12


def main(folder: Path = PICTURES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with _clinic() as (clinic, case_id), serving(clinic.app) as address, _chromium() as browser:
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, reduced_motion="reduce")
        sign_in(page, address, name="ada")
        page.goto(address)
        _photograph(page, folder / "dashboard.png")
        page.goto(f"{address}/audit")
        page.get_by_role("button", name="Verify now").click()
        expect(page.get_by_text("Chain verified")).to_be_visible()
        page.goto(f"{address}/audit")
        _photograph(page, folder / "audit.png")
        page.context.clear_cookies()
        sign_in(page, address, name="rosa")
        page.goto(f"{address}/cases/{case_id}")
        _photograph(page, folder / "review.png")


def _photograph(page: Page, target: Path) -> None:
    """A picture of the window in few colours, which a page of text does not miss."""
    page.wait_for_load_state("networkidle")
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = taken.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(target, optimize=True)
    print(f"{target}: {target.stat().st_size // 1024} KB")


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as started:
        launched = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-lcd-text", "--force-color-profile=srgb"]
        )
        yield launched
        launched.close()


@contextmanager
def _clinic() -> Iterator[tuple[Clinic, int]]:
    """A busy day of two sites, and the number of a case that waits in it."""
    with tempfile.TemporaryDirectory() as folder:
        clinic = day_clinic.busy(Path(folder, "home"))
        _decide_some(clinic)
        yield clinic, _print_morning(clinic)
        clinic.database.close()


def _decide_some(clinic: Clinic) -> None:
    """What reviewers have done since the morning."""
    for case in _waiting(clinic)[:_DECIDED]:
        clinic.clock.advance(timedelta(seconds=11))
        actions.approve(
            clinic.database, case.case_id, version=case.version, patient_id="D1", actor="sam", now=clinic.clock(),
            today=clinic.clock().date(), destinations=DESTINATIONS,
        )  # fmt: skip


def _waiting(clinic: Clinic) -> list[ReviewCase]:
    with clinic.database.reading() as session:
        waiting = cases.list_open(session, limit=1000)
    return [case for case in waiting if case.report_id != clinic.report_id and case.site == SITE and not case.critical]


def _print_morning(clinic: Clinic) -> int:
    """A page of realistic rows of which one is doubtful; returns its case."""
    now = clinic.clock() - timedelta(minutes=12)
    report_id = hand_in(clinic.database, _rows(), now=now, file_name="completed_assessments.pdf")
    marks = tuple(Landmark(name=word, kind=LandmarkKind.COLUMN, printed=word, page=1, x0=1, x1=2) for word in _HEADERS)
    look = LayoutSignature(template="riverside@3", pages=1, sheet=(612, 792), landmarks=marks)
    with clinic.database.session() as session:
        signatures.keep(session, report_id, look, site=SITE, changes=(), now=now)
        raised = alerts.raise_alert(
            session, alert_key="kowalski", site=SITE, report_id=report_id, position=_DOUBTFUL, instrument="phq-9",
            link_id="9", points=1, unverified=False, now=now,
        )  # fmt: skip
        assert raised is not None
        alerts.acknowledge(session, raised.alert_id, actor="carla", now=now + timedelta(minutes=4))
    with clinic.database.reading() as session:
        return next(case.case_id for case in cases.list_open(session, limit=1000) if case.report_id == report_id)


def _rows() -> tuple[Row, ...]:
    return tuple(_row(number, *person) for number, person in enumerate(_PEOPLE))


def _row(number: int, name: str, born: date, mrn: str, total: int) -> Row:
    if number == _DOUBTFUL:
        points = answers(2, 3, 2, 2, 2, 2, 2, 1, 1)
        return Row(
            who=identity(name, born, mrn, "M"), match=KOWALSKI, reasons=("patient-below-threshold", "mrn-near"),
            items=points, total=total, critical=True, severity="Moderately severe",
        )  # fmt: skip
    sure = replace(SURE, patient_id=f"B{number}", candidates=(replace(SURE.candidates[0], patient_id=f"B{number}"),))
    return Row(who=identity(name, born, mrn), match=sure, reasons=(), total=total, decision=Decision.CONFIRMED)


if __name__ == "__main__":
    main(*(Path(given) for given in sys.argv[1:2]))
