"""A reading's signature shows the template's words with their places, and never anything of a patient."""

from __future__ import annotations

from dataclasses import replace

from printing import ANN, BOB, CAT, LISTING, LISTING_HEADER, LISTING_X, Mark, line, listing, pdf, read

from parsers.drift import changes
from parsers.template_file import parse_template
from parsers.template_parts import Column, Field
from records.layout import LayoutSignature


def signature(content: bytes) -> LayoutSignature:
    found = read(content, LISTING).signature
    assert found is not None
    return found


def rate(found: LayoutSignature, name: str) -> tuple[int, int]:
    counted = found.rate(name)
    assert counted is not None
    return counted.hits, counted.of


def with_header(*header: str, xs: tuple[float, ...] = LISTING_X) -> bytes:
    return pdf([Mark(40, 60, "Score listing", 14), *line(100, header, xs), *line(118, ANN, xs), *line(136, BOB, xs)])


def test_every_column_is_found_where_it_is_printed() -> None:
    found = signature(pdf(listing(ANN, BOB), listing(CAT)))
    assert [(mark.name, round(mark.x0)) for mark in found.landmarks] == [
        (name, round(x)) for name, x in zip(LISTING_HEADER, LISTING_X, strict=True)
    ]
    assert (found.pages, found.sheet, found.missing, found.strangers) == (2, (612.0, 792.0), (), ())
    assert rate(found, "blank:mrn") == (0, 3)


def test_a_signature_holds_nothing_of_a_patient() -> None:
    kept = str(signature(pdf(listing(ANN, BOB, CAT))))
    assert [part for row in (ANN, BOB, CAT) for part in row[:3] if part in kept] == []


def test_a_new_column_stands_between_its_neighbours() -> None:
    header = [*line(100, LISTING_HEADER), Mark(452, 100, "Result")]
    found = signature(pdf([Mark(40, 60, "Score listing", 14), *header, *line(118, ANN), *line(136, BOB)]))
    assert [(s.printed, s.after, s.before) for s in found.strangers] == [("Result", "Score", "Given")]


def test_words_among_the_headers_that_may_be_a_patients_are_not_quoted() -> None:
    for words in ("Doe", "Room 12"):
        header = [*line(100, LISTING_HEADER), Mark(540, 100, words)]
        found = signature(pdf([Mark(40, 60, "Score listing", 14), *header, *line(118, ANN)]))
        assert [s.printed for s in found.strangers] == [""]


def test_a_renamed_header_is_missing_and_its_new_words_are_strange() -> None:
    found = signature(with_header("Patient", "MRN", "Born", "Test", "Points", "Given"))
    assert (found.headless, found.missing) == (True, ("Score",))
    assert [(s.printed, s.after, s.before) for s in found.strangers] == [("Points", "Test", "Given")]


def test_the_title_above_a_table_is_not_taken_for_its_header() -> None:
    found = signature(with_header("Patient", "MRN", "Born", "Test", "Score", "On"))
    assert found.missing == ("Given",)
    assert {round(mark.top) for mark in found.landmarks} == {92}


def test_columns_that_changed_places_are_both_found() -> None:
    found = signature(with_header("Patient", "MRN", "Born", "Test", "Given", "Score"))
    assert (found.headless, found.missing) == (True, ())
    assert {mark.name: round(mark.x0) for mark in found.landmarks}["Score"] == 490


def test_a_word_of_the_header_in_a_text_below_is_no_landmark() -> None:
    legend = [*listing(ANN, BOB), Mark(300, 400, "Score: see Test manual, Given there")]
    found = signature(pdf(legend, [Mark(100, 60, "Score Test Given")]))
    assert [mark.name for mark in found.landmarks] == list(LISTING_HEADER)


def test_a_column_that_may_be_missing_is_not_missed() -> None:
    (table,) = LISTING.table
    extra = Column(header="Ward", field=Field.IGNORE, optional=True)
    template = replace(LISTING, table=(replace(table, columns=(*table.columns, extra)),))
    found = read(pdf(listing(ANN, BOB)), template).signature
    assert found is not None
    assert found.missing == ()


def test_day_first_dates_are_seen_though_half_of_them_can_be_read() -> None:
    rows = [(*row[:2], "25/12/1980", *row[3:]) for row in (ANN, BOB)]
    found = signature(pdf(listing(*rows, CAT)))
    assert rate(found, "order-other:birth_date") == (2, 3)
    assert rate(signature(pdf(listing(ANN, BOB, CAT))), "order-other:birth_date") == (0, 3)


def test_questionnaires_much_older_than_the_newest_are_counted_unless_that_is_in_the_future() -> None:
    old, ahead = (*BOB[:5], "01/04/2026"), (*CAT[:5], "12/04/2026")
    assert rate(signature(pdf(listing(ANN, old, CAT))), "long-ago") == (1, 3)
    assert rate(signature(pdf(listing(ANN, BOB, ahead))), "long-ago") == (0, 2)


def test_blanks_scores_and_rows_without_a_score_are_counted() -> None:
    declined = (*CAT[:4], "declined", CAT[5])
    found = signature(pdf(listing((ANN[0], "", *ANN[2:]), BOB, declined)))
    assert rate(found, "blank:mrn") == (1, 2)
    assert rate(found, "no-score") == (1, 3)
    assert [(s.instrument, s.count, s.total) for s in found.scores] == [("gad-7", 1, 7), ("phq-9", 1, 14)]


CARDS = parse_template(
    """
id: small-cards
revision: 1
anchors: [Cards of the day]
dates: ['%m/%d/%Y']
blocks:
  starts_with: Person
  fields:
    - {label: Person, field: name}
    - {label: Born, field: birth_date}
    - {label: Test, field: instrument}
    - {label: Sum, field: total}
    - {label: Given, field: authored_on}
""",
    source="small-cards.yaml",
)


def cards(*cards: tuple[str, ...], born: str = "Born", x: float = 40) -> bytes:
    """A card below another, each with its labels at `x`."""
    marks = [Mark(40, 60, "Cards of the day", 14)]
    for number, values in enumerate(cards):
        for place, (label, value) in enumerate(zip(("Person", born, "Test", "Sum", "Given"), values, strict=True)):
            y = 100 + 120 * number + 18 * place
            marks += [Mark(x, y, label), Mark(x + 70, y, value)]
    return pdf(marks)


ANNS_CARD = (ANN[0], *ANN[2:])
BOBS_CARD = (BOB[0], *BOB[2:])


def test_a_label_that_is_printed_nowhere_is_missing_and_one_of_one_card_is_not() -> None:
    usual = read(cards(ANNS_CARD, BOBS_CARD), CARDS).signature
    renamed = read(cards(ANNS_CARD, BOBS_CARD, born="Birth"), CARDS).signature
    assert usual is not None
    assert renamed is not None
    assert (usual.missing, renamed.missing) == ((), ("Born",))
    assert "“Born” is not printed any more." in [change.sentence for change in changes(renamed, [])]


def test_labels_that_moved_together_are_seen() -> None:
    usual = read(cards(ANNS_CARD, BOBS_CARD), CARDS).signature
    moved = read(cards(ANNS_CARD, x=90), CARDS).signature
    assert usual is not None
    assert moved is not None
    assert [change.sentence for change in changes(moved, [usual] * 3)] == [
        "Everything moved right by 50 points together."
    ]
