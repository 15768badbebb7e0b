"""What a file of the instrument library may say, and the `Instrument` it becomes.

Every fact carries its source and whether that source has been read. A fact nobody could find stays out of the file;
a fact from memory is marked `verified: false`, and then this happens:

* `range` or `scoring`: kept, its name goes into `Instrument.unverified`, so that a person sees every record;
* a missing `range` or `scoring` does the same, with nothing to compare;
* `critical`: kept and alerts, marked unverified;
* `item_scoring`: "item-scoring" goes into `Instrument.unverified`: the total is clear, printed item points are not;
* items, codes, bands: not loaded.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt

from records.instrument import CriticalRule, Instrument, Item, ScoringRule, SeverityBand, Sourced

_NOT_A_WORD = re.compile(r"(?:[^\w+*#†‡]|_)+")  # a footnote sign may stand for "modified": it stays
_LOINC = re.compile(r"(\d{1,7})-(\d)")


@lru_cache(maxsize=4096)
def fold_words(text: str) -> str:
    """Lower-case words of `text`, one space between: "Moderately-Severe " and "moderately severe" are the same."""
    return _NOT_A_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def loinc_check_digit(number: str) -> int:
    """Check digit of the digits before a LOINC code's hyphen (mod 10, LOINC Users' Guide, appendix on check digits)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits))
    return -sum(doubled) % 10


def _loinc(code: str) -> str:
    parts = _LOINC.fullmatch(code)
    if parts is None:
        raise ValueError("a LOINC code is digits, a hyphen and a check digit")
    if loinc_check_digit(parts[1]) != int(parts[2]):
        raise ValueError(f"the check digit of {code} is wrong")
    return code


Text = Annotated[str, Field(min_length=1)]
Loinc = Annotated[str, AfterValidator(_loinc)]
LoincAnswer = Annotated[str, Field(pattern=r"^LA\d{1,7}-\d$")]
_Value = TypeVar("_Value")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(_Part, Generic[_Value]):
    """A value, where it comes from, and whether that source was read."""

    value: _Value
    source: Text
    verified: StrictBool
    note: Text | None = None

    @property
    def sourced(self) -> Sourced:
        """The fact without its value."""
        return Sourced(source=self.source, verified=self.verified)


class Scoring(_Part):
    """How the total comes about, from how many items."""

    rule: ScoringRule
    item_count: Annotated[StrictInt, Field(ge=0)]


class ItemEntry(_Part):
    """One question; no wording."""

    link_id: Annotated[str, Field(pattern=r"^[0-9]+[a-z]?$")]
    minimum: StrictInt
    maximum: StrictInt
    scored: StrictBool = True


class Band(_Part):
    """Totals with a name of their own."""

    minimum: StrictInt
    maximum: StrictInt
    label: Text


class Levels(_Part):
    """Result words in order of severity, and those that a person must see at once."""

    words: Annotated[tuple[Text, ...], Field(min_length=2)]
    critical: tuple[Text, ...]


class Critical(_Part):
    """Points of one item from which a person must see the answer at once."""

    link_id: Text
    at_least: Annotated[StrictInt, Field(ge=1)]


class Codes(_Part):
    """LOINC codes.

    Attributes:
        answers: Points to the answer they stand for, the same for every scored item.
    """

    total: Fact[Loinc] | None = None
    panel: Fact[Loinc] | None = None
    items: Fact[dict[str, Loinc]] | None = None
    answers: Fact[dict[StrictInt, LoincAnswer]] | None = None


class InstrumentFile(_Part):
    """One file of the library.

    Attributes:
        names: What EHRs print for exactly this instrument and scoring, without the id and the title.
        open_names: Printed names that leave open which form or scoring was used; an id or title among them is open too.
        item_scoring: Whether printed item points are known to be the ones that add up to the total.
        direction: Left out, more points are worse.
        severity_words: Other words for the labels of `bands` or for `levels`, folded; none that could mean another one.
        notes: For whoever edits the file.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Text
    names: tuple[Text, ...] = ()
    open_names: tuple[Text, ...] = ()
    scoring: Fact[Scoring] | None = None
    range: Fact[tuple[StrictInt, StrictInt]] | None = None
    items: Fact[tuple[ItemEntry, ...]] | None = None
    item_scoring: Fact[Text] | None = None
    bands: Fact[tuple[Band, ...]] | None = None
    severity_words: dict[str, Text] = Field(default_factory=dict)
    levels: Fact[Levels] | None = None
    direction: Fact[Literal["higher-is-worse", "higher-is-better"]] | None = None
    critical: tuple[Fact[Critical], ...] = ()
    codes: Codes = Codes()
    licence: Fact[Text] | None = None
    notes: tuple[Text, ...] = ()

    @property
    def rule(self) -> ScoringRule:
        """How the total comes about; a sum where nothing is known."""
        return self.scoring.value.rule if self.scoring is not None else ScoringRule.SUM

    def unverified(self) -> Iterator[str]:
        """Names of the facts that send a record to a person."""
        if self.rule is ScoringRule.SUM and (self.range is None or not self.range.verified):
            yield "range"
        if self.rule is ScoringRule.LEVEL and (self.levels is None or not self.levels.verified):
            yield "levels"
        if self.scoring is None or not self.scoring.verified:
            yield "scoring"
        if self.item_scoring is not None and not self.item_scoring.verified:
            yield "item-scoring"

    def sources(self) -> Iterator[tuple[str, Sourced]]:
        """Fact name to where it comes from, in the order of the file."""
        for name in ("scoring", "range", "items", "item_scoring", "bands", "levels", "direction"):
            fact = getattr(self, name)
            if isinstance(fact, Fact):
                yield name.replace("_", "-"), fact.sourced
        for rule in self.critical:
            yield f"critical-{rule.value.link_id}", rule.sourced
        for name in ("total", "panel", "items", "answers"):
            fact = getattr(self.codes, name)
            if isinstance(fact, Fact):
                yield f"{name}-loinc", fact.sourced
        if self.licence is not None:
            yield "licence", self.licence.sourced

    def instrument(self) -> Instrument:
        """The instrument of a file without faults."""
        minimum, maximum = self.range.value if self.range is not None else (None, None)
        entries = _trusted(self.items) or ()
        codes = _trusted(self.codes.items) or {}
        answers = tuple((_trusted(self.codes.answers) or {}).items())
        bands = _trusted(self.bands) or ()
        levels = self.levels.value if self.levels is not None else None
        direction = self.direction.value if self.direction is not None else "higher-is-worse"
        return Instrument(
            instrument_id=self.id,
            title=self.title,
            aliases=self.names,
            ambiguous_aliases=self.open_names,
            rule=self.rule,
            minimum=minimum,
            maximum=maximum,
            item_count=self.scoring.value.item_count if self.scoring is not None else 0,
            items=tuple(
                Item(
                    link_id=entry.link_id,
                    minimum=entry.minimum,
                    maximum=entry.maximum,
                    loinc=codes.get(entry.link_id),
                    scored=entry.scored,
                    answer_codes=answers if entry.scored else (),
                )
                for entry in entries
            ),
            bands=tuple(SeverityBand(minimum=band.minimum, maximum=band.maximum, label=band.label) for band in bands),
            severity_synonyms=tuple(self.severity_words.items()) if bands or levels else (),
            levels=levels.words if levels is not None else (),
            critical_levels=levels.critical if levels is not None else (),
            critical=tuple(
                CriticalRule(link_id=rule.value.link_id, at_least=rule.value.at_least, verified=rule.verified)
                for rule in self.critical
            ),
            higher_is_worse=direction == "higher-is-worse",
            total_loinc=_trusted(self.codes.total),
            panel_loinc=_trusted(self.codes.panel),
            unverified=tuple(self.unverified()),
            sources=tuple(self.sources()),
        )

    def faults(self) -> Iterator[tuple[str, str]]:
        """What the facts of one file say against each other, as (place in the file, sentence)."""
        yield from self._range_faults()
        yield from self._item_faults()
        yield from self._critical_faults()
        yield from self._severity_faults()

    def _range_faults(self) -> Iterator[tuple[str, str]]:
        if self.rule is ScoringRule.LEVEL:
            if self.range is not None or self.bands is not None:
                yield "range", "an instrument with levels has no total, so neither range nor bands"
            if self.levels is None:
                yield "levels", "the scoring rule is level, but no levels are given"
        elif self.levels is not None:
            yield "levels", "only the scoring rule level has levels"
        if self.levels is not None and not set(self.levels.value.critical) <= set(self.levels.value.words):
            yield "levels.value.critical", "names a level that is not among the words"
        if self.range is not None and self.range.value[0] >= self.range.value[1]:
            yield "range.value", "the least total is not below the greatest"

    def _item_faults(self) -> Iterator[tuple[str, str]]:
        entries = self.items.value if self.items is not None else ()
        link_ids = [entry.link_id for entry in entries]
        for link_id, times in Counter(link_ids).items():
            if times > 1:
                yield "items.value", f"item {link_id} is given {times} times"
        for entry in entries:
            if entry.minimum >= entry.maximum:
                yield "items.value", f"item {entry.link_id}: the least points are not below the most"
        if self.codes.items is not None:
            for link_id in self.codes.items.value.keys() - set(link_ids):
                yield "codes.items.value", f"item {link_id} is not among the items"
        yield from self._answer_faults(entries)
        scored = [entry for entry in entries if entry.scored]
        if not scored or self.rule is not ScoringRule.SUM:
            return
        if self.scoring is not None and self.scoring.value.item_count != len(scored):
            yield "scoring.value.item_count", f"{len(scored)} scored items are given"
        span = sum(entry.minimum for entry in scored), sum(entry.maximum for entry in scored)
        if self.range is not None and self.range.value != span:
            yield "range.value", f"the scored items add up to {span[0]}..{span[1]}"

    def _answer_faults(self, entries: Iterable[ItemEntry]) -> Iterator[tuple[str, str]]:
        coded = set() if self.codes.answers is None else set(self.codes.answers.value)
        for entry in entries:
            if coded and entry.scored and set(range(entry.minimum, entry.maximum + 1)) != coded:
                yield "codes.answers.value", f"item {entry.link_id} has other points"

    def _critical_faults(self) -> Iterator[tuple[str, str]]:
        entries = {entry.link_id: entry for entry in (self.items.value if self.items is not None else ())}
        for rule in self.critical:
            entry = entries.get(rule.value.link_id)
            if entries and entry is None and rule.verified:
                yield "critical", f"item {rule.value.link_id} is not among the items"
            if entry is not None and not entry.minimum < rule.value.at_least <= entry.maximum:
                yield "critical", f"item {rule.value.link_id}: {rule.value.at_least} is never or always reached"

    def _severity_faults(self) -> Iterator[tuple[str, str]]:
        bands = self.bands.value if self.bands is not None else ()
        labels = [band.label for band in bands] or list(self.levels.value.words if self.levels is not None else ())
        folded = {fold_words(label) for label in labels}
        if len(folded) < len(labels):
            yield "bands.value", "two bands or levels have the same name"
        for lower, upper in pairwise(bands):
            if upper.minimum != lower.maximum + 1:
                yield "bands.value", f"the band after {lower.maximum} begins at {upper.minimum}"
        if any(band.minimum > band.maximum for band in bands):
            yield "bands.value", "a band ends before it begins"
        span = (bands[0].minimum, bands[-1].maximum) if bands else None
        if span is not None and (self.range is None or self.range.value != span):
            yield "bands.value", f"the bands cover {span[0]}..{span[1]}, which is not the range"
        for word, label in self.severity_words.items():
            if word != fold_words(word):
                yield f"severity_words.{word}", f"is written {fold_words(word)!r} when folded"
            if label not in labels:
                yield f"severity_words.{word}", f"{label!r} is no label of a band and no level"
            elif word in folded:
                yield f"severity_words.{word}", "is a label itself"


def _trusted(fact: Fact[_Value] | None) -> _Value | None:
    return fact.value if fact is not None and fact.verified else None
