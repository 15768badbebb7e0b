"""The comparison with what staff typed as a person signs it: frozen, hashed, without patients."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Final

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.comparison import DATE, PATIENT, PRESENCE, ComparedValue, Standing, Verdict
from records.errors import DecisionRefusedError
from store import audit
from store.context import stored_id
from store.shadow_figures import FIELDS, DayCount, ErrorRate, Side
from store.shadow_report import Scope, ShadowComparison, compare
from store.shadow_tables import ShadowSignOffRow

WHAT_LIVE_MEANS: Final = (
    "Going live means: Scorebridge writes these values into the patient portal, and nobody types them any more. What "
    "it is not sure of still waits for a person. A value that both sides had wrong in the same way cannot be seen in "
    "this comparison. Sending can be stopped at any time by setting the destination back to shadow mode."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRate:
    """How often one side was wrong in one field, with the ends of the exact 95 % interval, 0..1."""

    field: str
    side: Side
    wrong: int
    unsettled: int
    of: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDifference:
    """A settled difference, without its patient.

    Attributes:
        record_id: Number of the record, 0 where there is none.
        typed_id: Number of the typed value, 0 where there is none.
        scorebridge: What Scorebridge has, in words that name no patient and no day.
        staff: What staff typed, likewise.
    """

    record_id: int
    typed_id: int
    instrument: str
    standing: Standing
    field: str
    scorebridge: str
    staff: str
    verdict: Verdict
    settled_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything on the page that is signed.

    Attributes:
        days_apart: How far apart the days of one administration could be typed.
        compared: Administrations that both sides have.
        outside: Values outside the period, not compared.
        unsettled: Differences nobody has settled; 0 in what is signed.
        statement: What the person who signs agrees to.
    """

    sites: tuple[str, ...]
    first: date | None
    last: date | None
    days_apart: int
    compared: int
    outside: int
    unsettled: int
    standings: tuple[tuple[Standing, int], ...]
    rates: tuple[SignedRate, ...]
    per_day: tuple[DayCount, ...]
    differences: tuple[SignedDifference, ...]
    statement: str

    @property
    def text(self) -> str:
        """The same as JSON, always in the same order."""
        return _SNAPSHOT.dump_json(self).decode()

    @property
    def sha256(self) -> str:
        """Of the text: what the person who signs has before them, as one number."""
        return sha256(self.text.encode()).hexdigest()

    def rate(self, field: str, side: Side) -> SignedRate:
        """The rate of one side in one field."""
        return next(one for one in self.rates if (one.field, one.side) == (field, side))


_SNAPSHOT: Final = TypeAdapter(Snapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """A comparison as it was signed.

    Attributes:
        sha256: Of the snapshot's text, as it was signed and audited.
        signed_name: The name as the person wrote it.
        signed_by: The account they were signed in with.
        intact: The text that is kept still has that hash.
    """

    sign_off_id: int
    snapshot: Snapshot
    sha256: str
    signed_name: str
    signed_by: str
    signed_at: datetime
    intact: bool


def sign(session: Session, scope: Scope, *, name: str, sha256_seen: str, actor: str, now: datetime) -> SignOff:
    """Freeze a comparison under a person's name.

    Args:
        name: As the person writes it.
        sha256_seen: Hash of the snapshot that the person had before them.

    Raises:
        DecisionRefusedError: The name is missing, a difference is not settled, nothing was compared, or what is signed
            is not what was shown.
    """
    shown = snapshot(compare(session, scope))
    if not name.strip():
        raise DecisionRefusedError("The name is missing.", next_step="Write your name as a signature.")
    if shown.first is None or shown.last is None or not shown.compared:
        raise DecisionRefusedError("Nothing was compared.", next_step="Take over what staff typed first.")
    if shown.unsettled:
        raise DecisionRefusedError(f"{shown.unsettled} differences are not settled.", next_step="Settle them first.")
    if shown.sha256 != sha256_seen:
        raise DecisionRefusedError("The figures have changed since they were shown.", next_step="Look at them again.")
    row = ShadowSignOffRow(
        sites="\n".join(scope.sites),
        first=shown.first,
        last=shown.last,
        snapshot=shown.text,
        sha256=shown.sha256,
        signed_name=" ".join(name.split())[:200],
        signed_by=actor,
        signed_at=now,
    )
    session.add(row)
    session.flush()
    event = AuditEvent(
        actor=actor,
        action="shadow.signed",
        object_kind="shadow-sign-off",
        object_id=str(row.id),
        detail=(("sites", " ".join(scope.sites)), ("sha256", row.sha256), ("compared", str(shown.compared))),
    )
    audit.append(session, event, now=now)
    return _sign_off(row)


def sign_offs(session: Session, *, sites: Collection[str] | None = None) -> list[SignOff]:
    """What was signed, newest first.

    Args:
        sites: Whose signatures; one over a site that is not among them is left out. None for all.
    """
    rows = session.exec(select(ShadowSignOffRow).order_by(col(ShadowSignOffRow.id).desc()))
    return [one for one in map(_sign_off, rows) if _is_within(one, sites)]


def sign_off(session: Session, sign_off_id: int, *, sites: Collection[str] | None = None) -> SignOff:
    """What was signed under one number.

    Args:
        sites: Whose signatures may be seen; None for all.

    Raises:
        DecisionRefusedError: There is none with this number, or it is over a site that is not among them.
    """
    row = session.get(ShadowSignOffRow, sign_off_id)
    if row is None or not _is_within(_sign_off(row), sites):
        raise DecisionRefusedError(f"Nothing was signed as number {sign_off_id}.", next_step="Reload the list.")
    return _sign_off(row)


def _is_within(signed: SignOff, sites: Collection[str] | None) -> bool:
    return sites is None or set(sites).issuperset(signed.snapshot.sites)


def snapshot(comparison: ShadowComparison) -> Snapshot:
    """All figures and settled differences, with numbers of records and without patients."""
    told = comparison.figures
    return Snapshot(
        sites=comparison.sites,
        first=comparison.first,
        last=comparison.last,
        days_apart=comparison.days,
        compared=told.compared,
        outside=comparison.outside,
        unsettled=told.unsettled,
        standings=tuple(told.standings.items()),
        rates=tuple(_rate(name, side, told.rates[name, side]) for name in FIELDS for side in Side),
        per_day=told.days,
        differences=tuple(_settled(comparison)),
        statement=WHAT_LIVE_MEANS,
    )


def difference_words(value: ComparedValue, field: str) -> tuple[str, str]:
    """What Scorebridge has and what staff typed in a field, for a page without patients and days."""
    if field == PRESENCE:
        alone = value.standing in (Standing.ONLY_READ, Standing.READ_AGAIN)
        return ("has it", "nothing") if alone else ("nothing", "has it")
    if field == PATIENT:
        return "one patient", "another patient"
    if field == DATE:
        return "one day", _days_apart(value)
    one = next(each for each in value.fields if each.field == field)
    return _shown(one.read), _shown(one.typed)


def _days_apart(value: ComparedValue) -> str:
    if value.read is None or value.typed is None or value.read.administered_on is None:
        return "another day"
    late = (value.typed.entry.administered_on - value.read.administered_on).days
    return f"{abs(late)} day{'' if abs(late) == 1 else 's'} {'later' if late > 0 else 'earlier'}"


def _shown(side: str | int | None) -> str:
    return "blank" if side is None else str(side)


def _rate(field: str, side: Side, rate: ErrorRate) -> SignedRate:
    return SignedRate(
        field=field,
        side=side,
        wrong=rate.wrong,
        unsettled=rate.unsettled,
        of=rate.of,
        low=round(rate.low, 6),
        high=round(rate.high, 6),
    )


def _settled(comparison: ShadowComparison) -> Iterator[SignedDifference]:
    for value in comparison.compared:
        for field in value.differences:
            found = comparison.found(value, field)
            if found is None:
                continue
            read, typed = difference_words(value, field)
            yield SignedDifference(
                record_id=value.key[0],
                typed_id=value.key[1],
                instrument=value.instrument,
                standing=value.standing,
                field=field,
                scorebridge=read,
                staff=typed,
                verdict=found.verdict,
                settled_by=found.settled_by,
            )


def _sign_off(row: ShadowSignOffRow) -> SignOff:
    return SignOff(
        sign_off_id=stored_id(row.id),
        snapshot=_SNAPSHOT.validate_json(row.snapshot),
        sha256=row.sha256,
        signed_name=row.signed_name,
        signed_by=row.signed_by,
        signed_at=row.signed_at,
        intact=sha256(row.snapshot.encode()).hexdigest() == row.sha256,
    )
