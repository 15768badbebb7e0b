"""What readings looked like, kept so that later ones can be compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from store_cases import NOW, SITE, printed_file, taken

from records.geometry import Region
from records.layout import ChangeKind, Landmark, LandmarkKind, LayoutChange, LayoutSignature, Rate, ScoreSums, Stranger
from store import reports, signatures
from store.database import Database, Session
from store.reports import StoredReport
from store.signatures import REMEMBERED, LookState

MARK = Landmark(name="Größe №", kind=LandmarkKind.COLUMN, printed="Size", page=1, x0=1.5, x1=9.5, top=3, bottom=12.3)
LOOK = LayoutSignature(
    template="listing@1",
    pages=3,
    sheet=(612.0, 792.0),
    landmarks=(MARK,),
    missing=("Score",),
    strangers=(Stranger(printed="Result", after=None, before="Size", region=Region(1, 1, 2, 3, 4)),),
    headless=True,
    stray_places=(Region(2, 1, 2, 3, 4),),
    rates=(Rate(name="blank:mrn", hits=1, of=4),),
    scores=(ScoreSums(instrument="phq-9", count=2, total=9, squares=45),),
)
HOLDS = LayoutChange(kind=ChangeKind.MOVED, sentence="Moved.", holds=True, region=Region(1, 1, 2, 3, 4))
NOTED = LayoutChange(kind=ChangeKind.MOVED, sentence="Moved a little.", holds=False)


def report(session: Session) -> StoredReport:
    return taken(session)


def keep(session: Session, look: LayoutSignature = LOOK, *changes: LayoutChange, site: str = SITE) -> int:
    number = report(session).report_id
    signatures.keep(session, number, look, site=site, changes=changes, now=NOW)
    return number


def test_a_signature_comes_back_exactly(database: Database) -> None:
    with database.session() as session:
        keep(session, LOOK, NOTED)
    with database.reading() as session:
        assert signatures.usual(session, "listing@1", site=SITE) == [LOOK]
        (look,) = signatures.latest(session, "listing@1")
    assert (look.changes, look.state, look.read_at) == ((NOTED,), LookState.USUAL, NOW)


def test_what_is_usual_belongs_to_one_revision_at_one_site(database: Database) -> None:
    with database.session() as session:
        keep(session)
        assert signatures.usual(session, "listing@2", site=SITE) == []
        assert signatures.usual(session, "listing@1", site="ELSEWHERE") == []


def test_what_put_a_template_on_hold_is_not_usual_until_a_person_says_so(database: Database) -> None:
    with database.session() as session:
        keep(session, replace(LOOK, pages=1))
        number = keep(session, replace(LOOK, pages=2), HOLDS)
        assert [look.pages for look in signatures.usual(session, "listing@1", site=SITE)] == [1]
        assert [look.report_id for look in signatures.drifted(session, "listing@1")] == [number]
        assert signatures.take_as_usual(session, "listing@1") == 1
        assert [look.pages for look in signatures.usual(session, "listing@1", site=SITE)] == [1, 2]
        assert signatures.drifted(session, "listing@1") == []


def test_a_report_has_one_look_however_often_it_is_handed_over(database: Database) -> None:
    with database.session() as session:
        number = keep(session)
        signatures.keep(session, number, replace(LOOK, pages=9), site=SITE, changes=(), now=NOW)
        assert [look.pages for look in signatures.usual(session, "listing@1", site=SITE)] == [3]


def test_only_the_latest_readings_are_remembered_oldest_first(database: Database) -> None:
    with database.session() as session:
        for pages in range(1, REMEMBERED + 3):
            keep(session, replace(LOOK, pages=pages))
        kept = [look.pages for look in signatures.usual(session, "listing@1", site=SITE)]
    assert kept == list(range(3, REMEMBERED + 3))


def test_reports_of_chosen_days_are_those_that_were_read_and_are_kept(database: Database) -> None:
    with database.session() as session:
        report(session)
        assert reports.read_on(session, first=None, last=None) == []
        assert printed_file(seen_at=NOW + timedelta(days=1)).site == SITE
