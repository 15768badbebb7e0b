"""What the instrument library says about one symptom questionnaire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ScoringRule(StrEnum):
    """How the printed total comes about."""

    SUM = "sum"  # of all scored items
    LEVEL = "level"  # no number: one of the instrument's result words


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """Where a fact comes from. Facts with `verified` False are never relied on without a person."""

    source: str
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question of an instrument; its wording is not stored (layouts carry their own).

    Attributes:
        link_id: Item id within the instrument: its number on the form, "6b" for a second part.
        minimum: Least points.
        maximum: Most points.
        loinc: LOINC code, or None where none was verified.
        scored: Whether its points are part of the total.
        answer_codes: Points and the LOINC answer code they stand for; empty where none was verified.
    """

    link_id: str
    minimum: int
    maximum: int
    loinc: str | None = None
    scored: bool = True
    answer_codes: tuple[tuple[int, str], ...] = ()

    def answer_code(self, points: int) -> str | None:
        """The LOINC answer code of these points, or None."""
        return next((code for given, code in self.answer_codes if given == points), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityBand:
    """Totals `minimum` to `maximum`, both included, are called `label`."""

    minimum: int
    maximum: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalRule:
    """An answer that a person must see at once.

    Attributes:
        link_id: Item whose answer is critical.
        at_least: Points from which it is critical.
        verified: False: it alerts all the same, marked unverified.
    """

    link_id: str
    at_least: int
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One symptom questionnaire.

    Attributes:
        instrument_id: Lower case with hyphens ("phq-9").
        aliases: Names that EHRs print for it, without the id itself; compared by `parsers.instrument_library`.
        ambiguous_aliases: Names that leave open which scoring was used: always a person's decision.
        minimum: Least total; None where there is no total.
        maximum: Greatest total; None where there is no total.
        items: In the order of the form; empty where the library has no verified item facts.
        item_count: Number of items on the form that make up the total.
        bands: Contiguous over minimum..maximum, or empty where no sourced bands exist.
        levels: Result words in order of severity, for `ScoringRule.LEVEL`.
        critical_levels: Result words that are critical.
        higher_is_worse: False for well-being scales such as WHO-5.
        total_loinc: LOINC code of the total, or None where none was verified.
        unverified: Names of facts ("range", "scoring") that send a record to review.
        sources: Fact name to where it comes from.
    """

    instrument_id: str
    title: str
    aliases: tuple[str, ...]
    ambiguous_aliases: tuple[str, ...] = ()
    rule: ScoringRule = ScoringRule.SUM
    minimum: int | None
    maximum: int | None
    item_count: int
    items: tuple[Item, ...]
    bands: tuple[SeverityBand, ...] = ()
    severity_synonyms: tuple[tuple[str, str], ...] = ()
    levels: tuple[str, ...] = ()
    critical_levels: tuple[str, ...] = ()
    critical: tuple[CriticalRule, ...] = ()
    higher_is_worse: bool = True
    total_loinc: str | None = None
    panel_loinc: str | None = None
    unverified: tuple[str, ...] = ()
    sources: tuple[tuple[str, Sourced], ...] = ()

    def band(self, total: int) -> SeverityBand | None:
        """The band a total belongs to, or None where the instrument has no sourced bands."""
        return next((band for band in self.bands if band.minimum <= total <= band.maximum), None)

    def item(self, link_id: str) -> Item | None:
        """The item with this id, or None."""
        return next((item for item in self.items if item.link_id == link_id), None)
