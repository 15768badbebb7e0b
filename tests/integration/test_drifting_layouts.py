"""A layout that drifts is held before anything goes out wrong, and its author is told what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from reading_clinic import ReadingClinic, reader_pool

from fixtures.press import form_caseload, roster
from fixtures.press.cases import Form, lines_of
from fixtures.press.form_caseload import CASELOAD
from fixtures.press.form_export import EXPORT
from fixtures.press.form_listing import LISTING
from fixtures.press.roster import Patient
from ingest.workers import ReaderPool
from store import audit, notices, signatures, templates
from store.notices import Notice
from store.templates import TemplateState

FIRST_DAY = date(2026, 3, 2)
PEOPLE = roster.invent()


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    made = reader_pool()
    made.warm()
    yield made
    made.close()


@pytest.fixture
def clinic(tmp_path: Path, pool: ReaderPool) -> Iterator[ReadingClinic]:
    made = ReadingClinic(home=tmp_path / "clinic", pool=pool)
    (made.home / "roster_LMH.csv").write_text(roster.as_csv([p for p in PEOPLE if p.site == "LMH"]), "utf-8")
    made.publish("lmh_caseload_scores")
    made.publish("lmh_program_listing")
    made.publish("lmh_measure_export")
    made.import_rosters()
    yield made
    made.database.close()


def printed(form: Form, day: int, plan: str = "exact*12", people: Sequence[Patient] = PEOPLE) -> bytes:
    """The report of a day, with people of that day's own choice."""
    on = FIRST_DAY + timedelta(days=day)
    return form.draw(lines_of(form, plan, day=on, roster=people, seed=f"drift {day}"), on).content


def normal_days(clinic: ReadingClinic, form: Form, days: int = 6) -> None:
    for day in range(days):
        clinic.read(printed(form, day), name=f"day{day}.{form.extension}")


def state(clinic: ReadingClinic, template: str) -> TemplateState:
    with clinic.database.reading() as session:
        return templates.states(session)[template, 1]


def told(clinic: ReadingClinic) -> list[Notice]:
    with clinic.database.reading() as session:
        return [notice for notice in notices.list_open(session) if notice.kind == signatures.DRIFTED]


def release(clinic: ReadingClinic, template: str) -> None:
    with clinic.database.session() as session:
        templates.set_state(session, template, 1, TemplateState.LIVE, actor="test", now=clinic.now)
        signatures.accept(session, f"{template}@1", now=clinic.now)


def with_columns(monkeypatch: pytest.MonkeyPatch, **moved: float) -> None:
    """Print the caseload with columns elsewhere; "to_right" moves all of them."""
    by = {"Member": 0.0, **{name.replace("_", "-"): x for name, x in moved.items()}}
    columns = tuple(
        (name, x + by.get(name, 0.0) + by.get("to-right", 0.0), right) for name, x, right in form_caseload.COLUMNS
    )
    monkeypatch.setattr(form_caseload, "COLUMNS", columns)


# --- what is usual


@pytest.mark.parametrize("form", [CASELOAD, LISTING], ids=lambda form: form.id)
def test_days_of_every_size_raise_no_alarm(clinic: ReadingClinic, form: Form) -> None:
    rng = Random(5)
    kinds = ["exact"] * 14 + ["nickname", "typo_given", "no_mrn", "off_roster", "exact+declined"]
    for day in range(24):
        plan = "=" + " ".join(rng.choices(kinds, k=rng.choice([1, 2, 4, 9, 18])))
        clinic.read(printed(form, day, plan), name=f"day{day}.pdf")
    assert told(clinic) == []
    assert state(clinic, form.id.replace("_", "-")) is TemplateState.LIVE


def test_a_reading_says_nothing_of_its_patients_when_it_is_kept(clinic: ReadingClinic) -> None:
    clinic.read(printed(CASELOAD, 0), name="day.pdf")
    with clinic.database.reading() as session:
        kept = str(signatures.usual(session, "lmh-caseload-scores@1", site="LMH"))
    assert "Session" in kept
    assert [p.family for p in PEOPLE if p.family in kept] == []


# --- what is not


def test_a_column_that_moved_holds_the_template_and_sends_nothing_of_that_report(
    clinic: ReadingClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    normal_days(clinic, CASELOAD)
    sent = len(clinic.submissions())
    assert sent
    with_columns(monkeypatch, Session=14)
    report = clinic.read(printed(CASELOAD, 6), name="moved.pdf")
    assert state(clinic, "lmh-caseload-scores") is TemplateState.HELD
    assert len(clinic.submissions()) == sent
    cases = [case for case in clinic.cases() if "template-held" in case.reasons]
    assert len(cases) == report.printed
    assert "Column “Session” moved right by 14 points" in told(clinic)[0].sentence
    with clinic.database.reading() as session:
        done = [event.event.action for event in audit.events(session, object_kind="template", limit=50)]
        assert audit.verify(session, anchor_file=None).intact
    assert done[-2:] == ["template.drifted", "template.state-changed"]


def test_everything_moving_together_by_a_little_is_noted_and_goes_out(
    clinic: ReadingClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    normal_days(clinic, CASELOAD)
    sent = len(clinic.submissions())
    with_columns(monkeypatch, to_right=4)
    clinic.read(printed(CASELOAD, 6), name="moved.pdf")
    assert state(clinic, "lmh-caseload-scores") is TemplateState.LIVE
    assert len(clinic.submissions()) > sent
    with clinic.database.reading() as session:
        (look,) = signatures.latest(session, "lmh-caseload-scores@1")
    assert [change.sentence for change in look.changes] == ["Everything moved right by 4 points together."]


def test_everything_moving_together_by_a_lot_is_held(clinic: ReadingClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    normal_days(clinic, CASELOAD)
    with_columns(monkeypatch, to_right=25)
    clinic.read(printed(CASELOAD, 6), name="moved.pdf")
    assert state(clinic, "lmh-caseload-scores") is TemplateState.HELD


def test_a_new_column_is_named_with_its_neighbours_on_the_very_first_day(
    clinic: ReadingClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    heading = form_caseload._heading

    def with_result(canvas: object, day: date, page: int) -> None:
        heading(canvas, day, page)  # type: ignore[arg-type]
        canvas.setFont("Times-Bold", 10)  # type: ignore[attr-defined]
        canvas.drawString(528, form_caseload.LETTER[1] - 96, "Result")  # type: ignore[attr-defined]

    with_columns(monkeypatch, Session=-16)
    monkeypatch.setattr(form_caseload, "_heading", with_result)
    clinic.read(printed(CASELOAD, 0), name="new.pdf")
    assert state(clinic, "lmh-caseload-scores") is TemplateState.HELD
    assert "“Result” is new right of “Session”" in told(clinic)[0].sentence
    assert clinic.submissions() == []


def test_a_header_that_was_renamed_is_named_with_its_new_words(clinic: ReadingClinic) -> None:
    content = printed(LISTING, 0).replace(b" VALUE", b" TOTAL")
    assert content != printed(LISTING, 0)
    report = clinic.read(content, name="renamed.pdf")
    assert (report.printed, report.attention) == (0, True)
    assert state(clinic, "lmh-program-listing") is TemplateState.HELD
    assert "“VALUE” is now called “TOTAL”" in told(clinic)[0].sentence


def test_a_word_among_the_headers_that_is_somebodys_name_does_not_leave_the_house(clinic: ReadingClinic) -> None:
    given = next(p.given.encode() for p in PEOPLE if p.site == "LMH" and len(p.given) == 5 and p.given.isascii())
    content = printed(LISTING, 0).replace(b"VALUE", given)
    clinic.read(content, name="renamed.pdf")
    assert state(clinic, "lmh-program-listing") is TemplateState.HELD
    assert given.decode() not in told(clinic)[0].sentence
    assert "is now called something that is not quoted here" in told(clinic)[0].sentence
    with clinic.database.reading() as session:
        assert given.decode() not in str(signatures.drifted(session, "lmh-program-listing@1"))


def test_dates_printed_day_first_hold_the_template_though_some_of_them_can_be_read(
    clinic: ReadingClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = len(clinic.submissions())
    monkeypatch.setattr("fixtures.press.form_listing._text", _day_first)
    clinic.read(printed(LISTING, 1), name="dayfirst.pdf")
    assert state(clinic, "lmh-program-listing") is TemplateState.HELD
    assert "day and month exchanged" in told(clinic)[0].sentence
    assert len(clinic.submissions()) == sent


def test_a_day_of_strangers_holds_the_template(clinic: ReadingClinic) -> None:
    normal_days(clinic, CASELOAD)
    clinic.read(printed(CASELOAD, 6, "off_roster*14 exact*2"), name="strangers.pdf")
    assert state(clinic, "lmh-caseload-scores") is TemplateState.HELD
    assert "not found for certain: 26 of 30 (87%), usually 0%" in told(clinic)[0].sentence


def test_a_site_without_a_roster_matches_nobody_and_that_is_not_the_layouts_doing(
    tmp_path: Path, pool: ReaderPool
) -> None:
    clinic = ReadingClinic(home=tmp_path / "bare", pool=pool)
    clinic.publish("lmh_caseload_scores")
    normal_days(clinic, CASELOAD)
    assert told(clinic) == []
    clinic.database.close()


def test_a_column_that_moved_in_an_export_is_noticed_too(clinic: ReadingClinic) -> None:
    normal_days(clinic, EXPORT, days=3)
    assert told(clinic) == []
    lines = printed(EXPORT, 3).decode("latin-1").splitlines()
    exchanged = [";".join([cells[1], cells[0], *cells[2:]]) for line in lines if (cells := line.split(";"))[2:]]
    clinic.read("\n".join([*lines[:3], *exchanged, lines[-1]]).encode("latin-1"), name="exchanged.csv")
    assert state(clinic, "lmh-measure-export") is TemplateState.HELD
    assert "Column “CaseNo” moved right by 1 column." in told(clinic)[0].sentence


# --- after a person has looked


def test_a_released_template_takes_its_new_look_as_usual_and_still_knows_the_next_change(
    clinic: ReadingClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    normal_days(clinic, CASELOAD)
    with_columns(monkeypatch, Session=14)
    clinic.read(printed(CASELOAD, 6), name="moved.pdf")
    release(clinic, "lmh-caseload-scores")
    assert told(clinic) == []
    sent = len(clinic.submissions())
    clinic.read(printed(CASELOAD, 7), name="again.pdf")
    assert state(clinic, "lmh-caseload-scores") is TemplateState.LIVE
    assert len(clinic.submissions()) > sent
    with_columns(monkeypatch, Session=14)
    clinic.read(printed(CASELOAD, 8), name="further.pdf")
    assert state(clinic, "lmh-caseload-scores") is TemplateState.HELD


def test_a_template_on_trial_is_not_held_but_its_author_is_told(clinic: ReadingClinic) -> None:
    with clinic.database.session() as session:
        templates.set_state(session, "lmh-program-listing", 1, TemplateState.SHADOW, actor="test", now=clinic.now)
    clinic.read(printed(LISTING, 0).replace(b" VALUE", b" TOTAL"), name="renamed.pdf")
    assert state(clinic, "lmh-program-listing") is TemplateState.SHADOW
    assert len(told(clinic)) == 1


def _day_first(line: object) -> str:
    from fixtures.press import form_listing

    shown, score = line.person.shown, line.scores[0]  # type: ignore[attr-defined]
    cells = (
        form_listing.name(shown), shown.mrn or "", shown.birth_date.strftime("%d/%m/%Y"), score.scale.upper(),
        score.total_text, LISTING.word(score.severity), score.on.strftime("%d/%m/%y"),
    )  # fmt: skip
    return form_listing._FORMAT.format(*cells).rstrip()
