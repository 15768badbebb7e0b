"""Reading the answers of a record, and what among them a person must see at once."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from parsers.scores import UnreadableScoreError, read_answer, read_score
from parsers.template import Template
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
    items = tuple(_item(printed, template, instrument, findings) for printed in row.items)
    if instrument is not None:
        wanted = {item.link_id for item in instrument.items if item.scored}
        printed_ids = [item.link_id for item in items]
        count = instrument.item_count if not wanted else len(wanted)
        if len(set(printed_ids)) != len(printed_ids) or len(wanted & set(printed_ids) or printed_ids) < count:
            findings.append(Finding(code="item-count", region=row.region))
    return items


def _item(printed: ItemRow, template: Template, instrument: Instrument | None, findings: list[Finding]) -> ItemScore:
    known = instrument.item(printed.link_id) if instrument else None
    region = printed.points.region or printed.label.region
    try:
        score = read_score(printed.points.text, maximum=known.maximum if known else None)
        points = score.points if score else None
        words = _words(printed, template)
    except UnreadableScoreError:
        findings.append(Finding(code=f"item-{printed.link_id}-unreadable", region=region))
        return ItemScore(link_id=printed.link_id, state=ItemState.UNREADABLE, points=None, source=region)
    if points is not None and words is not None and points != words:
        findings.append(Finding(code=f"item-{printed.link_id}-words-differ", region=region))
    points = words if points is None and not _prints_points(template) else points
    if points is None:
        findings.append(Finding(code=f"item-{printed.link_id}-blank", region=region))
        return ItemScore(link_id=printed.link_id, state=ItemState.BLANK, points=None, source=region)
    if known is not None and not known.minimum <= points <= known.maximum:
        findings.append(Finding(code=f"item-{printed.link_id}-out-of-range", region=region))
        return ItemScore(link_id=printed.link_id, state=ItemState.UNREADABLE, points=None, source=region)
    return ItemScore(link_id=printed.link_id, state=ItemState.ANSWERED, points=points, source=region)


def _words(printed: ItemRow, template: Template) -> int | None:
    if printed.answer is None or template.items is None or not template.items.answers:
        return None
    return read_answer(printed.answer.text, answers=template.items.answers)


def _prints_points(template: Template) -> bool:
    return template.items is not None and any(c.field == "points" for c in template.items.columns)


# From harmless to grave; of several critical questions the gravest answer counts.
_GRAVITY = (
    CriticalAnswer.NOT_PRINTED,
    CriticalAnswer.NO,
    CriticalAnswer.UNREADABLE,
    CriticalAnswer.YES_UNVERIFIED,
    CriticalAnswer.YES,
)


def critical_answer(
    row: ExtractedRow, instruments: Sequence[Instrument], items: tuple[ItemScore, ...] | None, *, level: str | None
) -> CriticalAnswer:
    """The gravest of what the record answers to critical questions.

    An answer that cannot be read, or whose question does not stand beside it, is unreadable: a person must look.
    A blank answer is none.

    Args:
        row: The record as printed.
        instruments: The instrument, or every instrument its printed name may mean.
        items: The answers as read.
        level: The result level, for instruments without a total.
    """
    answers = {item.link_id: item for item in items} if items is not None else None
    said = [_level_answer(instrument, level) for instrument in instruments]
    if answers is not None:
        said += [_rule_answer(row, rule, answers) for instrument in instruments for rule in instrument.critical]
    return max(said, key=_GRAVITY.index, default=CriticalAnswer.NOT_PRINTED)


def _level_answer(instrument: Instrument, level: str | None) -> CriticalAnswer:
    if level is None or not instrument.critical_levels:
        return CriticalAnswer.NOT_PRINTED
    return CriticalAnswer.YES if level in instrument.critical_levels else CriticalAnswer.NO


def _rule_answer(row: ExtractedRow, rule: CriticalRule, answers: dict[str, ItemScore]) -> CriticalAnswer:
    item = answers.get(rule.link_id)
    if item is None:
        # The library knows this question but the layout prints others: was it lost, or left out on purpose?
        lost = any(finding.code in ("item-count", "item-label") for finding in row.findings)
        return CriticalAnswer.UNREADABLE if lost else CriticalAnswer.NOT_PRINTED
    if item.points is None:
        return CriticalAnswer.UNREADABLE if item.state is ItemState.UNREADABLE else CriticalAnswer.NOT_PRINTED
    if item.points >= rule.at_least:
        return CriticalAnswer.YES if rule.verified else CriticalAnswer.YES_UNVERIFIED
    doubted = any(not printed.label_matches for printed in row.items or () if printed.link_id == rule.link_id)
    return CriticalAnswer.UNREADABLE if doubted else CriticalAnswer.NO
