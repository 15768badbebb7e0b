"""What the values between the stages promise."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.balance import Balance
from records.errors import AmbiguousTemplateError, DeliveryDeferredError, ScorebridgeError, UnreadableDocumentError
from records.finding import REASONS, Finding, sentence
from records.geometry import Region, around
from records.submission import delivery_sentence

edges = st.floats(min_value=0, max_value=2000, allow_nan=False)


def test_every_reason_code_has_a_sentence_that_ends() -> None:
    for code in REASONS:
        plain = sentence(code.replace("{n}", "3"))
        assert plain.endswith(".")
        assert "{" not in plain


def test_a_numbered_code_names_its_number() -> None:
    assert sentence("item-9-blank") == "Answer 9 is blank."
    assert sentence("item-6b-unreadable") == "Answer 6b cannot be read."


@pytest.mark.parametrize("code", ["", "item--blank", "item-9-lost", "Damaged", "near second"])
def test_a_finding_cannot_carry_a_code_nobody_explains(code: str) -> None:
    with pytest.raises(ValueError, match="no reason code"):
        Finding(code=code)


@pytest.mark.parametrize("kind", [UnreadableDocumentError, AmbiguousTemplateError, DeliveryDeferredError])
def test_errors_cross_a_process_border_whole(kind: type[ScorebridgeError]) -> None:
    error = pickle.loads(pickle.dumps(kind("What happened.", next_step="Do this.", code="damaged")))
    assert type(error) is kind
    assert (error.message, error.next_step, error.code, str(error)) == (
        "What happened.", "Do this.", "damaged", "What happened. Do this.",
    )  # fmt: skip


@given(st.tuples(*[st.integers(0, 10_000)] * 5))
def test_printed_is_what_its_parts_add_up_to(counts: tuple[int, ...]) -> None:
    sent, waiting, rejected, duplicate, no_score = counts
    balance = Balance(sent=sent, waiting=waiting, rejected=rejected, duplicate=duplicate, no_score=no_score)
    assert balance.printed == sent + waiting + rejected + duplicate


@given(st.lists(st.tuples(edges, edges, edges, edges), min_size=1, max_size=8))
def test_the_box_around_boxes_holds_the_middle_of_each(corners: list[tuple[float, ...]]) -> None:
    boxes = [Region(1, min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners]
    hull = around(boxes)
    assert all(hull.holds(*box.center, slack=1e-6) for box in boxes)


def test_boxes_of_two_pages_have_no_box_around_them() -> None:
    with pytest.raises(ValueError, match="one page"):
        around([Region(1, 0, 0, 1, 1), Region(2, 0, 0, 1, 1)])


@pytest.mark.parametrize("box", [(0, 0, 0, 1, 1), (1, 5, 0, 1, 1), (1, 0, 5, 1, 1)])
def test_a_box_that_is_none_is_refused(box: tuple[int, float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="no box"):
        Region(*box)


@pytest.mark.parametrize("code", ["missing-total", "http-422", "look-answer-lost", "gave-up-not-reached", "shadow"])
def test_delivery_reasons_are_sentences(code: str) -> None:
    assert delivery_sentence(code).endswith(".")


def test_a_reason_that_carries_a_status_names_it() -> None:
    assert delivery_sentence("http-403") == "The portal refused the request with this status (http-403)."
