"""What the clinical rules say of values while a person types them; nothing is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from records.assessment import SymptomAssessment
from records.instrument import Instrument
from review.correction import changed, critical_item, faults_by_field, sum_of_answers, with_findings


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedField:
    """One field as typed.

    Attributes:
        field: Named as in `review.correction.corrected`.
        value: As it would be kept; what cannot be read is as it was before.
        fault: Why it cannot be kept like this, as a sentence; empty if it can.
    """

    field: str
    value: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedValues:
    """All values as typed.

    Attributes:
        fields: Those that were typed, and those that something is wrong with.
        severity: The band that the total belongs to by the library; empty where there is none or no total.
        sum: Sum of the answers, or None where they are not all there or do not simply add up.
        sum_agrees: Whether the sum is the total; None where there is nothing to compare.
        raises_alert: Saving would tell of an answer about self-harm that was read as less grave.
    """

    fields: tuple[CheckedField, ...]
    severity: str
    sum: int | None
    sum_agrees: bool | None
    raises_alert: bool

    @property
    def can_be_saved(self) -> bool:
        """Whether nothing is wrong."""
        return not any(one.fault for one in self.fields)


def checked(
    assessment: SymptomAssessment, changes: Mapping[str, str], instruments: Mapping[str, Instrument], *, today: date
) -> CheckedValues:
    """Hold a person's changes against the rules that saving them would apply.

    Args:
        assessment: The record as it stands.
        changes: As for `review.correction.corrected`.
        instruments: The library.
        today: Today at the site.
    """
    revised, unread = changed(assessment, changes, instruments)
    faults: dict[str, str] = {}
    for field, fault in (*unread, *faults_by_field(revised, instruments, today=today)):
        faults.setdefault(field, fault)
    instrument = instruments.get(revised.instrument or "")
    band = instrument.band(revised.total) if instrument and revised.total is not None else None
    total = sum_of_answers(revised, instrument) if instrument else None
    return CheckedValues(
        fields=tuple(
            CheckedField(field=field, value=_value(revised, field), fault=faults.get(field, ""))
            for field in dict.fromkeys([*changes, *faults])
        ),
        severity=band.label if band else "",
        sum=total,
        sum_agrees=None if total is None or revised.total is None else total == revised.total,
        raises_alert=_is_graver(assessment, with_findings(revised, changes, instrument), instruments),
    )


def _value(assessment: SymptomAssessment, field: str) -> str:
    if field.startswith("item-"):
        points = {item.link_id: item.points for item in assessment.items or ()}.get(field.removeprefix("item-"))
        return "" if points is None else str(points)
    if field == "items":
        return ", ".join("" if points is None else str(points) for points in assessment.item_points or ())
    held = {
        "instrument": assessment.instrument,
        "authored_on": assessment.authored_on.isoformat() if assessment.authored_on else None,
        "authored_time": assessment.authored_time,
        "total": assessment.total,
        "result": assessment.result,
    }.get(field)
    return "" if held is None else str(held)


def _is_graver(before: SymptomAssessment, after: SymptomAssessment, instruments: Mapping[str, Instrument]) -> bool:
    """The rule of `review.graver_answers`."""
    said, earlier = critical_item(after, instruments), critical_item(before, instruments)
    return said is not None and (earlier is None or earlier.rank < said.rank)
