"""The comparison with what staff typed, in words."""

from __future__ import annotations

from typing import Final

from records.comparison import DATE, INSTRUMENT, PATIENT, PRESENCE, TOTAL, Standing, Verdict, is_item
from review.rendering import format_interval
from store.shadow_figures import ANSWERS, MISSING, ONE_TOO_MANY, OVERALL, UNATTENDED, ErrorRate
from store.shadow_signing import SignedRate

FIELD_WORDS: Final = {
    PATIENT: "Patient",
    INSTRUMENT: "Questionnaire",
    DATE: "Date",
    TOTAL: "Total",
    ANSWERS: "Single answers",
    MISSING: "Missing",
    ONE_TOO_MANY: "One too many",
    OVERALL: "Values with any error",
    UNATTENDED: "Values that needed no person",
}
STANDING_WORDS: Final = {
    Standing.AGREES: "Agree in every field",
    Standing.DIFFERS: "Both sides differ",
    Standing.ONLY_READ: "Only with Scorebridge: missed, or not typed yet",
    Standing.READ_AGAIN: "Twice with Scorebridge, typed once",
    Standing.ONLY_TYPED: "Only typed: Scorebridge has nothing like it",
    Standing.TYPED_AGAIN: "Typed twice",
    Standing.IN_REVIEW: "Typed; waits in Scorebridge's review",
    Standing.REJECTED: "Typed; rejected in Scorebridge",
    Standing.WITHDRAWN: "Typed; taken back in Scorebridge",
}
_USUAL: Final = {
    Verdict.SCOREBRIDGE_RIGHT: "Scorebridge is right",
    Verdict.STAFF_RIGHT: "Staff are right",
    Verdict.BOTH_WRONG: "Both are wrong",
    Verdict.NEITHER_WRONG: "Neither is wrong",
    Verdict.TWO_VALUES: "These are two different values",
}
_ONLY_READ: Final = {
    Verdict.SCOREBRIDGE_RIGHT: "Staff missed it",
    Verdict.STAFF_RIGHT: "Scorebridge has one too many",
    Verdict.NEITHER_WRONG: "Nobody is wrong: not typed yet, or not meant to be typed",
}
_ONLY_TYPED: Final = {
    Verdict.SCOREBRIDGE_RIGHT: "Staff typed one too many",
    Verdict.STAFF_RIGHT: "Scorebridge missed it",
    Verdict.NEITHER_WRONG: "Nobody is wrong: it came from elsewhere",
}


def field_words(field: str) -> str:
    """A field in words: one of `FIELD_WORDS`, or a single answer by its number."""
    if field == PRESENCE:
        return "The whole value"
    return f"Answer {field.removeprefix('item-')}" if is_item(field) else FIELD_WORDS[field]


def verdict_words(standing: Standing, verdict: Verdict) -> str:
    """What a verdict says of a value that stands like this."""
    if standing in (Standing.AGREES, Standing.DIFFERS):
        return _USUAL[verdict]
    words = _ONLY_READ if standing in (Standing.ONLY_READ, Standing.READ_AGAIN) else _ONLY_TYPED
    return words.get(verdict, _USUAL[verdict])


def rate_words(rate: ErrorRate | SignedRate) -> str:
    """ "3 wrong of 812, 0.08 % to 1.08 %"; what is not settled is named, and is in the upper end."""
    if not rate.of:
        return "nothing compared"
    doubt = f" and {rate.unsettled} not settled" if rate.unsettled else ""
    return f"{rate.wrong} wrong{doubt} of {rate.of}, {format_interval(rate.low, rate.high)}"
