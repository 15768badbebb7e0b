"""A twin is read like its original, and nothing of the people in the original is left in it."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from pathlib import Path
from random import Random

import pypdfium2
import pytest
import reportlab
from hypothesis import assume, given
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from ingest.golden import GoldenCase, golden_cases
from ingest.template_folder import load_template
from parsers.dates import read_date
from parsers.instrument_library import load_instruments
from parsers.lines import folded, lines_of
from parsers.readers import plumber
from parsers.readers.artwork import Artwork, Lettering, Stroke
from parsers.readers.drawing import draw
from parsers.reading import ReadingRequest, read_report
from parsers.template import Kind, Template
from parsers.template_file import parse_template
from parsers.twin.invention import Invention
from parsers.twin.marks import shuffled_marks
from parsers.twin.masked_copy import masked_copy
from parsers.twin.table_twin import twin_of_csv
from parsers.twin.twin import Twin, TwinRequest, twin_of_pdf
from records.assessment import ReportReading
from records.document import Page
from records.errors import TemplateError
from tests.unit.parsers.printing import Mark, pdf

_FORMS = Path(__file__).parents[3] / "fixtures" / "forms"
_CASES = [case for form in sorted(_FORMS.iterdir()) for case in golden_cases(form)]
_TODAY = date(2026, 3, 10)
_LETTERS = re.compile(r"[^\W\d_]+")


def _template(case: GoldenCase) -> Template:
    return load_template(case.form / "template.yaml").template


def _twin(content: bytes, template: Template | None, *, kind: Kind, site: str, today: date, seed: int = 5) -> Twin:
    request = TwinRequest(template=template, instruments=load_instruments(), site=site, today=today, seed=seed)
    return (twin_of_pdf if kind is Kind.PDF else twin_of_csv)(content, request)


def _read(content: bytes, template: Template, *, kind: Kind, site: str, today: date) -> ReportReading:
    request = ReadingRequest(kind=kind, templates=(template,), instruments=load_instruments(), site=site, today=today)
    return read_report(content, request)


@pytest.fixture(scope="module", params=_CASES, ids=lambda case: f"{case.form.name}/{case.name}")
def case(request: pytest.FixtureRequest) -> GoldenCase:
    found: GoldenCase = request.param
    return found


@pytest.fixture(scope="module")
def twin(case: GoldenCase) -> Twin:
    content = case.report.read_bytes()
    return _twin(content, _template(case), kind=case.kind, site=case.site, today=case.today)


@pytest.fixture(scope="module")
def reading(case: GoldenCase, twin: Twin) -> ReportReading:
    return _read(twin.content, _template(case), kind=case.kind, site=case.site, today=case.today)


@pytest.fixture(scope="module")
def original(case: GoldenCase) -> ReportReading:
    return _read(case.report.read_bytes(), _template(case), kind=case.kind, site=case.site, today=case.today)


def _text(case: GoldenCase, twin: Twin) -> str:
    if case.kind is Kind.CSV:
        return twin.content.decode("utf-8", errors="replace")
    return " ".join(word.text for page in plumber.read(twin.content).pages for word in page.words)


def test_a_twin_has_as_many_records_as_its_original(
    case: GoldenCase, twin: Twin, reading: ReportReading, original: ReportReading
) -> None:
    assert len(reading.assessments) == len(original.assessments) == len(twin.records)
    assert reading.no_score == original.no_score == twin.no_score
    assert reading.pages == original.pages


def test_a_twin_is_read_as_it_was_invented(twin: Twin, reading: ReportReading) -> None:
    for read, invented in zip(reading.assessments, twin.records, strict=True):
        who, wanted = read.patient, invented.patient
        assert (who.family, who.given, who.middle, who.suffix) == (
            wanted.family,
            wanted.given,
            wanted.middle,
            wanted.suffix,
        )
        assert (who.birth_date, who.mrn, who.sex) == (wanted.birth_date, wanted.mrn, wanted.sex)
        assert (read.instrument, read.authored_on) == (invented.instrument, invented.authored_on)
        assert (read.total, read.result, read.severity) == (invented.total, invented.result, invented.severity)
        assert read.item_points == invented.items


def test_a_twin_is_doubted_only_where_its_layout_is(twin: Twin, reading: ReportReading) -> None:
    for read, invented in zip(reading.assessments, twin.records, strict=True):
        codes = {finding.code for finding in read.findings if finding.blocking}
        assert set(invented.reasons) <= codes
        assert not codes or invented.reasons


def test_nobody_of_the_original_is_in_its_twin(case: GoldenCase, twin: Twin, original: ReportReading) -> None:
    words = {folded(run) for run in _LETTERS.findall(_text(case, twin))}
    people = [read.patient for read in original.assessments]
    parts = {folded(run) for who in people for run in _LETTERS.findall(who.name) if len(run) > 2 and run != run.lower()}
    # A test patient is called "Patient", and so is a questionnaire.
    printed = " ".join(read.instrument_printed for read in original.assessments)
    spelt = {folded(run) for run in _LETTERS.findall((case.form / "template.yaml").read_text("utf-8") + printed)}
    assert not words & (parts - spelt - {"van", "von", "der", "del"}), sorted(words & parts)
    numbers = {who.mrn for who in people if who.mrn}
    text = _text(case, twin)
    assert not [number for number in numbers if number in text or number.encode() in twin.content]


def test_no_birth_date_of_the_original_is_in_its_twin(
    twin: Twin, reading: ReportReading, original: ReportReading
) -> None:
    born = {read.patient.birth_date for read in original.assessments} - {None}
    assert not born & {read.patient.birth_date for read in reading.assessments}


def test_the_scores_of_the_original_are_not_those_of_its_twin(reading: ReportReading, original: ReportReading) -> None:
    read, printed = [[each.values for each in found.assessments] for found in (reading, original)]
    assert read != printed
    assert sum(one == other for one, other in zip(read, printed, strict=True)) <= len(printed) / 2


def test_one_person_of_the_original_is_one_person_of_the_twin(twin: Twin, original: ReportReading) -> None:
    became: dict[tuple[object, ...], tuple[object, ...]] = {}
    for read, invented in zip(original.assessments, twin.records, strict=True):
        who, new = read.patient, invented.patient
        key = (who.name, who.birth_date, who.mrn)
        assert became.setdefault(key, (new.name, new.birth_date, new.mrn)) == (new.name, new.birth_date, new.mrn)
    assert len(set(became.values())) == len(became)


def test_lines_of_a_twin_begin_where_those_of_the_original_do(case: GoldenCase, twin: Twin) -> None:
    if case.kind is Kind.CSV:
        pytest.skip("a table file has no places")
    before, after = plumber.read(case.report.read_bytes()), plumber.read(twin.content)
    for old, new in zip(before.pages, after.pages, strict=True):
        assert (new.width, new.height) == pytest.approx((old.width, old.height), abs=0.1)
        assert abs(len(new.words) - len(old.words)) <= 0.2 * len(old.words)  # answers in words differ
        heights = [word.region.center[1] for word in old.words]
        assert all(min(abs(word.region.center[1] - y) for y in heights) < 2.5 for word in new.words)
        before_at, after_at = _starts(old), _starts(new)
        close = sum(min(abs(x - other) for other in before_at) < 4 for x in after_at)
        assert close > 0.97 * len(after_at)
        assert _rules(new) == pytest.approx(_rules(old), abs=1.5)


def _starts(page: Page) -> list[float]:
    return [run[0].region.x0 for line in lines_of(page.words) for run in line.runs()]


def _rules(page: Page) -> list[float]:
    return sorted({round(rule.region.x0) for rule in page.rules if not rule.is_horizontal})


_LISTING = parse_template(
    """
id: ward-listing
revision: 1
anchors: [Ward listing, Chart No]
furniture:
  - pattern: 'Attending: .+'
dates: ['%m/%d/%Y']
names: family-first
no_score: [declined]
table:
  columns:
    - {header: Patient Name, field: name}
    - {header: Chart No, field: mrn}
    - {header: DOB, field: birth_date}
    - {header: Test, field: instrument}
    - {header: Points, field: total}
    - {header: Done, field: authored_on}
""",
    source="listing",
)
_AT = (40.0, 190.0, 260.0, 340.0, 420.0, 480.0)
_HEADERS = ("Patient Name", "Chart No", "DOB", "Test", "Points", "Done")


def _listing(*people: str, attending: str = "Attending: Dr. Wilma Iffley") -> list[Mark]:
    marks = [Mark(40, 50, "Ward listing", 14), Mark(400, 50, attending)]
    marks += [Mark(x, 80, text, font="Helvetica-Bold") for x, text in zip(_AT, _HEADERS, strict=True)]
    for row, name in enumerate(people):
        cells = (
            name,
            f"A-10{row}77",
            f"0{row + 1}/11/1970",
            "PHQ-9",
            "declined" if row == 2 else f"1{row}",
            "03/02/2026",
        )
        marks += [Mark(x, 100 + 16 * row, text) for x, text in zip(_AT, cells, strict=True)]
    return marks


def _words(content: bytes) -> list[tuple[str, float, float]]:
    return [
        (word.text, round(word.region.x0, 2), round(word.region.x1, 2))
        for page in plumber.read(content).pages
        for word in page.words
    ]


def _of_listing(content: bytes, template: Template | None = _LISTING, seed: int = 3) -> Twin:
    return _twin(content, template, kind=Kind.PDF, site="NORTH", today=_TODAY, seed=seed)


def test_a_twin_tells_nothing_of_a_name_but_its_form() -> None:
    wide = _listing("Mowgwam, Wim", "Womaggo, Mumm", "Gommwww, Moo", attending="Attending: Dr. Momma Wowowww")
    narrow = _listing("Illifil, Lil", "Jillitt, Till", "Tillili, Ilf", attending="Attending: Dr. Lilli Iliffel")
    assert _words(_of_listing(pdf(wide)).content) == _words(_of_listing(pdf(narrow)).content)


def test_people_without_a_score_and_clinicians_are_invented_too() -> None:
    twin = _of_listing(pdf(_listing("Abbott, Ruth", "Castle, Ida", "Penrose, Vera")))
    text = " ".join(word for word, _, _ in _words(twin.content))
    assert not re.search("abbott|ruth|castle|penrose|vera|wilma|iffley", text, re.IGNORECASE)
    assert "Attending:" in text
    assert twin.no_score == 1


def test_without_a_template_headings_that_may_be_names_are_masked() -> None:
    marks = [
        *_listing("Abbott, Ruth", "Castle, Ida"),
        Mark(40, 200, "Clinic of Dr. Harriet Vane"),
        Mark(40, 220, "Low"),
    ]
    twin = _of_listing(pdf(marks), template=None)
    text = " ".join(word for word, _, _ in _words(twin.content))
    assert not re.search("abbott|ruth|castle|wilma|harriet|vane|low", text, re.IGNORECASE)
    assert "Chart No" in text
    assert not twin.records


def test_two_reports_are_never_masked_alike_by_chance_of_the_seed() -> None:
    content = pdf(_listing("Abbott, Ruth", "Castle, Ida"))
    assert _words(_of_listing(content, seed=1).content) != _words(_of_listing(content, seed=2).content)
    assert _words(_of_listing(content, seed=1).content) == _words(_of_listing(content, seed=1).content)


def test_the_picture_of_an_explanation_shows_no_patient_to_an_author() -> None:
    copy = masked_copy(pdf(_listing("Abbott, Ruth", "Castle, Ida")), _LISTING)
    text = " ".join(word for word, _, _ in _words(copy))
    assert "Xxxxxx, Xxxx" in text
    assert "Patient Name" in text
    assert not re.search("abbott|ruth|castle|wilma|1970", text, re.IGNORECASE)


def test_letters_of_other_alphabets_are_set_with_a_typeface_of_the_authors() -> None:
    font = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
    page = Artwork(
        number=1,
        width=200,
        height=100,
        letterings=(Lettering(text="Škoda", x=20, baseline=50, length=60, size=12),),
        strokes=(),
        pictures=(),
    )
    assert [word.text for word in plumber.read(draw([page], typeface=font.read_bytes())).pages[0].words] == ["Škoda"]
    with pytest.raises(TemplateError):
        draw([page], typeface=b"no font")


def test_rings_around_answers_move() -> None:
    rings = [_ring(x, y) for x, y in ((100, 100), (160, 120), (220, 140), (100, 160), (160, 180), (220, 200))]
    moved = shuffled_marks(rings, Random(4))
    assert [ring.box[1] for ring in moved] == [ring.box[1] for ring in rings]
    assert [ring.box[0] for ring in moved] != [ring.box[0] for ring in rings]
    assert {ring.box[0] for ring in moved} <= {ring.box[0] for ring in rings}


def _ring(x: float, y: float) -> Stroke:
    segments = (
        ("m", ((x, y),)),
        ("c", ((x, y + 8), (x + 8, y + 8), (x + 8, y))),
        ("c", ((x + 8, y - 8), (x, y - 8), (x, y))),
    )
    return Stroke(segments=segments, fill=None, line=(0, 0, 0), width=1, is_mark=True)


def test_a_template_of_another_layout_is_refused() -> None:
    case = next(case for case in _CASES if case.kind is Kind.PDF)
    with pytest.raises(TemplateError, match="does not fit"):
        _twin(case.report.read_bytes(), _LISTING, kind=Kind.PDF, site="NORTH", today=_TODAY)


def test_nothing_hidden_in_a_file_comes_into_its_twin() -> None:
    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, 792), pageCompression=0)
    canvas.setTitle("Abbott Ruth")
    canvas.setAuthor("Castle Ida")
    for mark in _listing("Abbott, Ruth", "Castle, Ida"):
        canvas.setFont(mark.font, mark.size)
        canvas.drawString(mark.x, 792 - mark.y, mark.text)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.drawString(40, 300, "Penrose whispered")
    canvas.linkURL("https://example.org/penrose", (40, 300, 80, 320))
    canvas.bookmarkPage("penrose")
    canvas.addOutlineEntry("Penrose", "penrose")
    canvas.acroForm.textfield(name="Penrose", value="Penrose", x=300, y=100)
    signature = canvas.beginPath()
    signature.moveTo(100, 100)
    for step in range(30):
        signature.curveTo(100 + step, 120, 104 + step, 90, 108 + step, 110)
    canvas.drawPath(signature)
    canvas.drawImage(_picture(), 300, 300, 40, 40)
    canvas.save()
    twin = _of_listing(out.getvalue())
    pdf_file = pypdfium2.PdfDocument(twin.content)
    kinds = {each.type for each in pdf_file[0].get_objects()}
    assert kinds <= {1, 2}, "text and paths only"
    assert pdf_file.get_metadata_dict(skip_empty=True).keys() <= {"Creator", "CreationDate"}
    assert not list(pdf_file.get_toc())
    assert not re.search(rb"abbott|ruth|castle|penrose|whispered|/URI|/AcroForm", twin.content, re.IGNORECASE)
    assert "left out" in " ".join(twin.remarks)


def _picture() -> object:
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    return ImageReader(Image.new("RGB", (4, 4), (200, 10, 10)))


_names = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZáéñüÖ'- ,.", min_size=3, max_size=24)


@given(_names, st.integers(0, 2**32))
def test_an_invented_name_is_never_the_original(name: str, seed: int) -> None:
    runs = [run for run in _LETTERS.findall(name) if len(run) > 2]
    assume(runs)
    invention = Invention(seed=seed, avoid=name.split())
    invention.avoid_within([name])
    made = invention.name(name)
    new = [folded(run) for run in _LETTERS.findall(made)]
    kept = {"van", "von", "vom", "zur", "der", "den", "del", "dela", "della", "las", "los", "des", "dos", "das", "ter"}
    kept |= {
        "bin",
        "ibn",
        "bint",
        "san",
        "santa",
        "ten",
        "jnr",
        "snr",
        "iii",
        "mrs",
        "miss",
        "prof",
        "professor",
        "rev",
    }
    kept |= {"hon", "phd", "psyd", "lcsw", "lmft", "esq"}
    assert not {folded(run) for run in runs} - kept & set(new)
    assert not ({folded(run) for run in runs} - kept) & set(new)


@given(_names, st.integers(0, 2**32))
def test_an_invented_name_has_the_form_of_the_original(name: str, seed: int) -> None:
    made = Invention(seed=seed, avoid=name.split()).name(name)
    assert re.sub(r"[^\W\d_]", "x", made) == re.sub(r"[^\W\d_]", "x", name)
    assert [char.isupper() for char in made] == [char.isupper() for char in name]
    made.encode("cp1252")


@given(st.from_regex(r"[A-Z]{0,3}-?[0-9]{4,8}", fullmatch=True), st.integers(0, 2**32))
def test_an_invented_number_is_another_of_the_same_form(number: str, seed: int) -> None:
    made = Invention(seed=seed, avoid=[number]).number(number)
    assert made != number
    assert re.sub(r"\d", "9", re.sub(r"[A-Z]", "X", made)) == re.sub(r"\d", "9", re.sub(r"[A-Z]", "X", number))


@given(
    st.dates(date(1930, 1, 1), date(2020, 1, 1)),
    st.sampled_from(["%m/%d/%Y", "%d %b %Y", "%B %d, %Y", "%Y-%m-%d", "%d.%m.%y"]),
    st.integers(0, 2**32),
)
def test_an_invented_date_is_another_day_in_the_same_format(day: date, form: str, seed: int) -> None:
    made = Invention(seed=seed, avoid=[]).date_text(day.strftime(form), (form,), birth=True, not_after=_TODAY)
    assert made is not None
    again = read_date(made[0], (form,), not_after=_TODAY)
    assert again is not None
    assert again.day == made[1] != day


def test_a_csv_twin_keeps_encoding_and_separator() -> None:
    case = next(case for case in _CASES if case.kind is Kind.CSV)
    text = case.report.read_bytes().decode("cp1252")
    content = b"\xff\xfe" + text.encode("utf-16-le")
    twin = _twin(content, _template(case), kind=Kind.CSV, site=case.site, today=case.today)
    made = twin.content.decode("utf-16")
    assert [line.count(";") for line in made.splitlines()] == [line.count(";") for line in text.splitlines()]
    assert made.endswith("\r\n") == text.endswith("\r\n")
