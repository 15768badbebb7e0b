"""What Scorebridge read beside what staff typed into the portal for the same administrations, while both work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

PATIENT: Final = "patient"
INSTRUMENT: Final = "instrument"
DATE: Final = "date"
TOTAL: Final = "total"
PRESENCE: Final = "presence"
_ITEM: Final = "item-"
_LINKING: Final = frozenset({PATIENT, INSTRUMENT, DATE})


class RecordPlace(StrEnum):
    """What Scorebridge would do with a record."""

    WOULD_BE_SENT = "would-be-sent"
    IN_REVIEW = "in-review"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadValue:
    """One record as Scorebridge has it.

    Attributes:
        record_id: Row id of the record.
        patient_id: The portal's id of the confirmed patient; of the likeliest one while it is in review; or None.
        administered_on: Day of the administration, or None where it could not be read.
        result: Result word of an instrument without a total, or None.
        items: Points in the order of the form, None inside for a blank one; None where no items are printed.
        by_person: A person confirmed it; False where every gate passed.
    """

    record_id: int
    site: str
    place: RecordPlace
    patient_id: str | None
    instrument: str | None
    administered_on: date | None
    total: int | None
    result: str | None
    items: tuple[int | None, ...] | None
    by_person: bool = False

    @property
    def score(self) -> int | str | None:
        """The total, or the result word of an instrument without one."""
        return self.result if self.total is None else self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedEntry:
    """One value as a file or the portal shows it, before it is kept.

    Attributes:
        patient_id: The portal's id of the patient it was typed for.
        items: Points in the order of the form, None inside for one left blank; None where none were typed.
        line: Line of the file, or None.
        remote_id: The portal's id of the value, or None.
    """

    patient_id: str
    instrument: str
    administered_on: date
    total: int | None
    result: str | None = None
    items: tuple[int | None, ...] | None = None
    line: int | None = None
    remote_id: str | None = None

    def __post_init__(self) -> None:
        if self.total is None and self.result is None:
            raise ValueError("a typed value has a total or a result")

    @property
    def score(self) -> int | str | None:
        """The total, or the result word of an instrument without one."""
        return self.result if self.total is None else self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedValue:
    """A value that staff typed, as it is kept."""

    typed_id: int
    site: str
    entry: TypedEntry


class Standing(StrEnum):
    """What the comparison finds of one administration."""

    AGREES = "agrees"
    DIFFERS = "differs"
    ONLY_READ = "only-read"  # staff missed it, or have not typed it yet
    READ_AGAIN = "read-again"  # Scorebridge has the same administration twice, staff once
    ONLY_TYPED = "only-typed"  # Scorebridge has nothing like it
    TYPED_AGAIN = "typed-again"  # staff typed the same administration twice
    IN_REVIEW = "in-review"  # typed; with Scorebridge it waits for a person
    REJECTED = "rejected"  # typed; a person rejected it in Scorebridge
    WITHDRAWN = "withdrawn"  # typed; a person took it back in Scorebridge


class Verdict(StrEnum):
    """Who was right about a difference, as a person found."""

    SCOREBRIDGE_RIGHT = "scorebridge-right"
    STAFF_RIGHT = "staff-right"
    BOTH_WRONG = "both-wrong"
    NEITHER_WRONG = "neither-wrong"
    TWO_VALUES = "two-values"  # these are no pair: two administrations, each missing on the other side


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldComparison:
    """One field of a pair, as each side has it."""

    field: str
    read: str | int | None
    typed: str | int | None
    agrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedValue:
    """One administration: what Scorebridge has, what staff typed, or both.

    Attributes:
        like: Row id of the record, or number of the typed value, that a doubled one repeats; None otherwise.
    """

    read: ReadValue | None
    typed: TypedValue | None
    standing: Standing
    fields: tuple[FieldComparison, ...] = ()
    like: int | None = None

    def __post_init__(self) -> None:
        if self.read is None and self.typed is None:
            raise ValueError("a comparison has at least one side")

    @property
    def site(self) -> str:
        """The site of either side."""
        side = self.read or self.typed
        return side.site if side is not None else ""

    @property
    def instrument(self) -> str:
        """The questionnaire as Scorebridge would send it, else as typed; empty where neither says."""
        read = None if self.read is None else self.read.instrument
        return read or (self.typed.entry.instrument if self.typed else "")

    @property
    def day(self) -> date | None:
        """Day of the administration as Scorebridge would send it, else as typed, else as Scorebridge reads it."""
        if self.read is not None and (self.typed is None or self.read.place is RecordPlace.WOULD_BE_SENT):
            return self.read.administered_on
        return None if self.typed is None else self.typed.entry.administered_on

    @property
    def key(self) -> tuple[int, int]:
        """Record id and number of the typed value, 0 for none: what a person's finding is kept under."""
        return (self.read.record_id if self.read else 0, self.typed.typed_id if self.typed else 0)

    @property
    def differences(self) -> tuple[str, ...]:
        """Fields that a person must settle; what waits in review is decided there first."""
        match self.standing:
            case Standing.AGREES | Standing.IN_REVIEW:
                return ()
            case Standing.DIFFERS:
                return tuple(one.field for one in self.fields if not one.agrees)
        return (PRESENCE,)

    @property
    def same_answers(self) -> int:
        """How many single answers both sides have alike."""
        return sum(one.agrees for one in self.fields if is_item(one.field))

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What a person may find; that these are two values only where more than a score differs."""
        if self.differences == (PRESENCE,):
            return (Verdict.SCOREBRIDGE_RIGHT, Verdict.STAFF_RIGHT, Verdict.NEITHER_WRONG)
        usual = (Verdict.SCOREBRIDGE_RIGHT, Verdict.STAFF_RIGHT, Verdict.BOTH_WRONG, Verdict.NEITHER_WRONG)
        return (*usual, Verdict.TWO_VALUES) if _LINKING & set(self.differences) else usual


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledDifference:
    """What a person found of one difference.

    Attributes:
        field: The field, or "presence" where one side has nothing.
    """

    record_id: int
    typed_id: int
    field: str
    verdict: Verdict
    settled_by: str
    settled_at: datetime


def item_field(number: int) -> str:
    """The field of the answer to the question with this number, from 1."""
    return f"{_ITEM}{number}"


def is_item(field: str) -> bool:
    """Whether a field is the answer to a single question."""
    return field.startswith(_ITEM)
