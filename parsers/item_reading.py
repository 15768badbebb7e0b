"""Reading the answers of a record, and what among them a person must see at once."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from parsers.marks import chosen
from parsers.scores import UnreadableScoreError, read_answer, read_score
from parsers.template import Template
from parsers.template_items import Items
from records.assessment import ItemScore, ItemState
from records.finding import Finding
from records.instrument import CriticalRule, Instrument
from records.report import ExtractedRow, ItemRow


class CriticalAnswer(Enum):
    """What the record says to the instrument's critical questions."""

    NOT_PRINTED = "not printed"
    NO = "no"
    YES = "yes"
    YES_UNVERIFIED = "yes, by a rule that has not been checked"
    UNREADABLE = "unreadable"

    @property
    def alerts(self) -> bool | None:
        """True for an alert, False for an answered 0, None where not printed."""
        return {CriticalAnswer.NOT_PRINTED: None, CriticalAnswer.NO: False}.get(self, True)


def read_items(
    row: ExtractedRow, template: Template, instrument: Instrument | None, findings: list[Finding]
) -> tuple[ItemScore, ...] | None:
    """The answers in printed order, or None where the layout prints none; what is wrong is added to `findings`."""
    if row.items is None:
        return None
    part = template.items_of(row.instrument)
    items = tuple(_item(printed, part, instrument, findings) for printed in row.items if _is_asked(printed, instrument))
    if instrument is not None:
        wanted = {item.link_id for item in instrument.items if item.scored}
        printed_ids = [item.link_id for item in items]
        count = instrument.item_count if not wanted else len(wanted)
        known = not wanted or all(instrument.item(link_id) is not None for link_id in printed_ids)
        if (
            not known
            or len(set(printed_ids)) != len(printed_ids)
            or len(wanted & set(printed_ids) or printed_ids) < count
        ):
            findings.append(Finding(code="item-count", region=row.region))
    return items


def _is_asked(printed: ItemRow, instrument: Instrument | None) -> bool:
    """Whether the instrument has this question: the columns of a longer one are blank in the row of a shorter one."""
    if instrument is None or not instrument.items or printed.points.text.strip() or printed.choices:
        return True
    return instrument.item(printed.link_id) is not None or printed.answer is not None


def _item(printed: ItemRow, part: Items | None, instrument: Instrument | None, findings: list[Finding]) -> ItemScore:
    known = instrument.item(printed.link_id) if instrument else None
    region = printed.points.region or printed.label.region
    try:
        points, words = _both(printed, part, maximum=known.maximum if known else None)
    except UnreadableScoreError:
        findings.append(Finding(code=f"item-{printed.link_id}-unreadable", region=region))
        return ItemScore(link_id=printed.link_id, state=ItemState.UNREADABLE, points=None, source=region)
    prints_points = part is None or part.prints_points
    twice = prints_points and printed.answer is not None and part is not None and bool(part.answers)
    if points is None and not prints_points:
        points, words = words, None
    if points is None:
        # Words without points are an answer that somebody gave: not blank, and not known either.
        state = ItemState.BLANK if words is None else ItemState.UNREADABLE
        findings.append(Finding(code=f"item-{printed.link_id}-blank", region=region))
        return ItemScore(link_id=printed.link_id, state=state, points=None, source=region)
    if twice and points != words:
        findings.append(Finding(code=f"item-{printed.link_id}-words-differ", region=region))
    if known is not None and not known.minimum <= points <= known.maximum:
        findings.append(Finding(code=f"item-{printed.link_id}-out-of-range", region=region))
        return ItemScore(link_id=printed.link_id, state=ItemState.UNREADABLE, points=None, source=region)
    return ItemScore(link_id=printed.link_id, state=ItemState.ANSWERED, points=points, source=region)


def _both(printed: ItemRow, part: Items | None, *, maximum: int | None) -> tuple[int | None, int | None]:
    """The answer's points as printed or marked, and what its words stand for.

    Raises:
        UnreadableScoreError: One of them cannot be read, or words beside the points contradict them.
    """
    words = _words(printed.answer.text, part) if printed.answer is not None else None
    if printed.choices:
        return chosen(printed.choices, marks=part.marks if part else ()), words
    score = read_score(printed.points.text, maximum=maximum)
    if score is not None and score.words is not None:
        beside = _words(score.words, part)
        if beside is not None and beside != score.points:
            raise UnreadableScoreError("points and the words beside them differ")
    return score.points if score is not None else None, words


def _words(text: str, part: Items | None) -> int | None:
    if part is None or not part.answers:
        return None
    return read_answer(text, answers=part.answers)


_DOUBTS = frozenset({
    "readers-differ", "digits-differ", "marks-differ", "drawn-digits-differ", "text-covered", "row-ambiguous",
    "column-boundary",
})  # fmt: skip
# From harmless to grave; of several critical questions the gravest answer counts.
_GRAVITY = (
    CriticalAnswer.NOT_PRINTED,
    CriticalAnswer.NO,
    CriticalAnswer.UNREADABLE,
    CriticalAnswer.YES_UNVERIFIED,
    CriticalAnswer.YES,
)


def critical_answer(
    row: ExtractedRow,
    instruments: Sequence[Instrument],
    items: tuple[ItemScore, ...] | None,
    *,
    level: str | None,
    findings: Sequence[Finding] = (),
) -> CriticalAnswer:
    """The gravest of what the record answers to critical questions.

    An answer that cannot be read, that its own words contradict, or whose question does not stand beside it, is
    unreadable: a person must look. A blank answer is none.

    Args:
        row: The record as printed.
        instruments: The instrument, or every instrument its printed name may mean.
        items: The answers as read.
        level: The result level, for instruments without a total.
        findings: What is known to be wrong with the reading of the record; none of it speaks of a person's values.
    """
    answers = {item.link_id: item for item in items} if items is not None else None
    said = [_level_answer(instrument, level) for instrument in instruments]
    if answers is not None:
        said += [
            _rule_answer(row, rule, answers, findings) for instrument in instruments for rule in instrument.critical
        ]
    return max(said, key=_GRAVITY.index, default=CriticalAnswer.NOT_PRINTED)


def _level_answer(instrument: Instrument, level: str | None) -> CriticalAnswer:
    if level is None or not instrument.critical_levels:
        return CriticalAnswer.NOT_PRINTED
    return CriticalAnswer.YES if level in instrument.critical_levels else CriticalAnswer.NO


def _rule_answer(
    row: ExtractedRow, rule: CriticalRule, answers: dict[str, ItemScore], findings: Sequence[Finding]
) -> CriticalAnswer:
    item = answers.get(rule.link_id)
    lost = any(finding.code in ("item-count", "item-label") for finding in row.findings)
    if item is None:
        # The library knows this question but the layout prints others: was it lost, or left out on purpose?
        return CriticalAnswer.UNREADABLE if lost else CriticalAnswer.NOT_PRINTED
    if item.points is None:
        # Where answers do not stand beside their questions, a blank one may be printed a line away.
        unread = lost or item.state is ItemState.UNREADABLE
        return CriticalAnswer.UNREADABLE if unread else CriticalAnswer.NOT_PRINTED
    if item.points >= rule.at_least:
        return CriticalAnswer.YES if rule.verified else CriticalAnswer.YES_UNVERIFIED
    printed = [p for p in row.items or () if p.link_id == rule.link_id]
    doubted = lost or any(not p.label_matches for p in printed) or _is_doubted(findings, printed)
    spoken = any(p.answer is not None and p.answer.text for p in printed)
    contradicted = spoken and any(finding.code == f"item-{rule.link_id}-words-differ" for finding in findings)
    return CriticalAnswer.UNREADABLE if doubted or contradicted else CriticalAnswer.NO


def _is_doubted(findings: Sequence[Finding], printed: Sequence[ItemRow]) -> bool:
    """Whether another reader, or the layout, contradicts these answers."""
    places = [
        place for item in printed for cell in item.cells for place in (cell.region, cell.area) if place is not None
    ]
    return any(
        finding.code in _DOUBTS and finding.region is not None and any(finding.region.overlaps(p) for p in places)
        for finding in findings
    )
