"""Gates "whole file" and "template": what is refused before a single row is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from printing import ANN, BOB, CAT, LISTING, SITE, Mark, blocked, listing, pdf, printed, read, said, sendable

from records.errors import (
    AmbiguousTemplateError,
    DocumentError,
    IncompleteDocumentError,
    NoTemplateFitsError,
    UnreadableDocumentError,
)


def _page(*rows: tuple[str, ...], foot: str) -> list[Mark]:
    return [*listing(*rows), Mark(300, 770, foot)]


def _refused(content: bytes) -> str | None:
    with pytest.raises(DocumentError) as refusal:
        read(content, LISTING)
    return refusal.value.code


def test_a_plain_report_is_read_whole_and_could_be_sent() -> None:
    reading = read(pdf(listing(ANN, BOB, CAT)), LISTING)
    assert printed(sendable(reading)) == [said(ANN), said(BOB), said(CAT)]
    assert not blocked(reading)


def test_a_file_without_its_end_mark_is_incomplete() -> None:
    content = pdf(listing(ANN))
    with pytest.raises(IncompleteDocumentError) as refusal:
        read(content[: content.rindex(b"%%EOF")], LISTING)
    assert refusal.value.code == "incomplete"


def test_an_end_mark_of_an_earlier_revision_in_a_cut_file_does_not_make_it_whole() -> None:
    content = pdf(listing(ANN))
    assert _refused(content + b"\n" + b"0" * 3000) == "incomplete"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"<html><body>sign in</body></html>", "not-a-pdf"),
        (b"%PDF-1.4\nnothing of use\n%%EOF\n", "damaged"),
    ],
)
def test_what_is_no_pdf_is_refused_with_its_own_reason(content: bytes, code: str) -> None:
    with pytest.raises(UnreadableDocumentError) as refusal:
        read(content, LISTING)
    assert refusal.value.code == code


def test_pages_in_their_order_are_read() -> None:
    reading = read(pdf(_page(ANN, BOB, foot="Page 1 of 2"), _page(CAT, foot="Page 2 of 2")), LISTING)
    assert printed(sendable(reading)) == [said(ANN), said(BOB), said(CAT)]


def test_two_prints_behind_each_other_in_one_file_are_read() -> None:
    pages = [
        _page(ANN, foot="Page 1 of 2"), _page(BOB, foot="Page 2 of 2"), _page(CAT, foot="Page 1 of 1"),
    ]  # fmt: skip
    assert len(sendable(read(pdf(*pages), LISTING))) == 3


@pytest.mark.parametrize(
    "feet",
    [
        ["Page 1 of 2"],
        ["Page 2 of 2"],
        ["Page 1 of 3", "Page 3 of 3"],
        ["Page 1 of 2", "Page 1 of 2"],
        ["Page 2 of 2", "Page 1 of 2"],
        ["Page 1 of 2", "Page 2 of 2", "Page 2 of 2"],
        ["Page 1 of 2", "Page 2 of 3"],
    ],
)
def test_a_page_missing_doubled_or_out_of_order_refuses_the_file(feet: list[str]) -> None:
    assert _refused(pdf(*[_page(ANN, BOB, foot=foot) for foot in feet])) == "pages-missing"


def test_a_picture_without_text_is_refused() -> None:
    assert _refused(pdf([])) == "no-text"


def test_no_template_that_fits_is_an_error_that_names_the_nearest() -> None:
    other = replace(LISTING, anchors=("Score listing", "Weekly"))
    with pytest.raises(NoTemplateFitsError, match="Weekly"):
        read(pdf(listing(ANN)), other)


def test_no_template_at_all_is_the_same_error() -> None:
    with pytest.raises(NoTemplateFitsError):
        read(pdf(listing(ANN)))


def test_two_templates_that_fit_are_an_error_and_never_does_the_first_win() -> None:
    twin = replace(LISTING, id="twin")
    for templates in ((LISTING, twin), (twin, LISTING)):
        with pytest.raises(AmbiguousTemplateError, match=r"small-listing@1.*twin@1"):
            read(pdf(listing(ANN)), *templates)


def test_an_anchor_has_to_stand_on_the_first_page() -> None:
    later = pdf([Mark(40, 60, "Cover")], listing(ANN))
    with pytest.raises(NoTemplateFitsError):
        read(later, LISTING)


def test_the_name_of_another_clinic_keeps_the_whole_page_back() -> None:
    page = [*listing(ANN), Mark(40, 40, "South Clinic")]
    assert sendable(read(pdf(page), LISTING, site=SITE)) == []
    assert blocked(read(pdf(page), LISTING, site=SITE)) == {"other-site"}
    assert not blocked(read(pdf(page), LISTING, site="SOUTH"))


def test_a_report_whose_table_is_missing_says_so() -> None:
    assert "table-not-found" in blocked(read(pdf([Mark(40, 60, "Score listing", 14)]), LISTING))


def test_a_table_without_rows_says_so() -> None:
    assert blocked(read(pdf(listing()), LISTING)) == {"no-records"}
