"""One administration of one instrument to one person, as read from a report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from records.finding import Finding
from records.geometry import Region
from records.layout import LayoutSignature
from records.patient import PatientIdentity


class ItemState(StrEnum):
    """Blank, zero and unreadable are three different things."""

    ANSWERED = "answered"
    BLANK = "blank"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemScore:
    """One scored item of a symptom instrument.

    Attributes:
        link_id: Item id in the instrument (FHIR `Questionnaire.item.linkId`).
        state: Whether it was answered.
        points: Score given, or None unless answered.
        source: Where the score is printed, for the reviewer to see; None for CSV.
    """

    link_id: str
    state: ItemState
    points: int | None
    source: Region | None

    def __post_init__(self) -> None:
        if (self.state is ItemState.ANSWERED) != (self.points is not None):
            raise ValueError(f"item {self.link_id}: points belong to an answered item only")


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomAssessment:
    """A validated record: what is printed, read as values. Whatever could not be read is None and has a finding.

    Attributes:
        page: Page number from 1; None for CSV.
        line: Line in a CSV file; None for PDF.
        region: Box of the row; None for CSV.
        patient: Who the print says it is about.
        instrument: Instrument id, or None if unknown.
        instrument_printed: The name as printed, empty where the template implies the instrument.
        authored_on: Day of the administration as printed, without a zone.
        authored_time: Printed time or visit number that tells two administrations of a day apart; or None.
        total: Printed total, or None if there is none or it cannot be read.
        total_printed: The total's cell as printed.
        result: Result word of an instrument without a total (C-SSRS level), or None.
        items: In the order of the form; None where no items are printed.
        severity: Severity words as printed, or None.
        critical: True for an alert, False for an answered 0, None where not printed.
        critical_unverified: The rule that makes it critical has not been checked against its source.
        findings: What is wrong with or worth noting about this record.
    """

    page: int | None
    line: int | None
    region: Region | None
    patient: PatientIdentity
    instrument: str | None
    instrument_printed: str
    authored_on: date | None
    authored_time: str | None
    total: int | None
    total_printed: str
    result: str | None
    items: tuple[ItemScore, ...] | None
    severity: str | None
    critical: bool | None
    critical_unverified: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def item_points(self) -> tuple[int | None, ...] | None:
        """Points in the order of the form; None inside for blank or unreadable, None where no items are printed."""
        return None if self.items is None else tuple(item.points for item in self.items)

    @property
    def can_be_known_again(self) -> bool:
        """Whether a second print of this record can be recognised as such.

        A record that lacks its instrument, date or values, or names its person by one identifier only, may be
        anybody's: a second one like it is a record of its own, never a duplicate. A name that is cut off names nobody.
        """
        who = self.patient
        named = who.family is not None and who.given is not None and not who.cut_off
        identifiers = sum([named, who.birth_date is not None, who.mrn is not None])
        readable = self.total is not None or self.result is not None
        whole = self.item_points is None or None not in self.item_points
        dated = self.instrument is not None and self.authored_on is not None
        return readable and whole and dated and identifiers >= 2

    @property
    def values(self) -> tuple[object, ...]:
        """What makes two prints of one assessment the same: total, result and item points."""
        return self.total, self.result, self.item_points


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReading:
    """Everything reading one file gave.

    Attributes:
        template: "id@revision".
        pages: Number of pages; 0 for CSV.
        assessments: In printed order.
        no_score: Rows without a score.
        findings: About the file or a page; those with a region concern the records of that page.
        signature: What the report looked like, for noticing drift; None where nobody looked.
    """

    template: str
    pages: int
    assessments: tuple[SymptomAssessment, ...]
    no_score: int = 0
    findings: tuple[Finding, ...] = ()
    signature: LayoutSignature | None = None
