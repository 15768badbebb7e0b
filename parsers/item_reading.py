"""Reading the answers of a record, and what among them a person must see at once."""

from __future__ import annotations

from enum import Enum

from parsers.scores import UnreadableScoreError, read_answer, read_score
from parsers.template import Template
from records.assessment import ItemScore, ItemState
from records.finding import Finding
from records.instrument import Instrument
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


def critical_answer(
    row: ExtractedRow, instrument: Instrument | None, items: tuple[ItemScore, ...] | None, *, level: str | None
) -> CriticalAnswer:
    """The gravest of what the record answers to the instrument's critical questions.

    An answer that cannot be read, or whose question does not stand beside it, is unreadable: a person must look.
    A blank answer is none.
    """
    if instrument is None:
        return CriticalAnswer.NOT_PRINTED
    if level is not None and level in instrument.critical_levels:
        return CriticalAnswer.YES
    if items is None:
        return CriticalAnswer.NO if level is not None and instrument.critical_levels else CriticalAnswer.NOT_PRINTED
    answers = {item.link_id: item for item in items}
    doubted = {printed.link_id for printed in row.items or () if not printed.label_matches}
    said = CriticalAnswer.NOT_PRINTED
    for rule in instrument.critical:
        item = answers.get(rule.link_id)
        if item is None:
            # The library knows this question but the layout prints others around it: was it lost, or left out?
            lost = any(finding.code in ("item-count", "item-label") for finding in row.findings)
            said = CriticalAnswer.UNREADABLE if lost else said
        elif item.state is ItemState.ANSWERED and item.points is not None:
            if item.points >= rule.at_least:
                return CriticalAnswer.YES if rule.verified else CriticalAnswer.YES_UNVERIFIED
            said = CriticalAnswer.UNREADABLE if rule.link_id in doubted else said
            said = CriticalAnswer.NO if said is CriticalAnswer.NOT_PRINTED else said
        elif item.state is ItemState.UNREADABLE:
            said = CriticalAnswer.UNREADABLE
    return said
