"""The comparison with what staff typed as a person signs it: frozen, hashed, without patients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.comparison import DATE, PATIENT, PRESENCE, ComparedValue, Standing
from records.errors import DecisionRefusedError
from store import audit
from store.context import stored_id
from store.shadow_report import Scope, ShadowComparison, compare
from store.shadow_tables import ShadowSignOffRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """A comparison as it was signed.

    Attributes:
        snapshot: JSON text of all figures and settled differences, without patients.
        sha256: Of that text.
        signed_name: The name as the person wrote it.
        signed_by: The account they were signed in with.
        intact: The text still has that hash.
    """

    sign_off_id: int
    sites: tuple[str, ...]
    first: date
    last: date
    snapshot: str
    sha256: str
    signed_name: str
    signed_by: str
    signed_at: datetime
    intact: bool


def sign(session: Session, scope: Scope, *, name: str, sha256_seen: str, actor: str, now: datetime) -> SignOff:
    """Freeze a comparison under a person's name.

    Args:
        name: As the person writes it.
        sha256_seen: `snapshot_hash` of the comparison that the person had before them.

    Raises:
        DecisionRefusedError: The name is missing, a difference is not settled, nothing was compared, or what is signed
            is not what was shown.
    """
    comparison = compare(session, scope)
    text = snapshot_text(comparison)
    digest = sha256(text.encode()).hexdigest()
    if not name.strip():
        raise DecisionRefusedError("The name is missing.", next_step="Write your name as a signature.")
    if comparison.first is None or comparison.last is None or not comparison.figures.compared:
        raise DecisionRefusedError("Nothing was compared.", next_step="Take over what staff typed first.")
    if comparison.figures.unsettled:
        raise DecisionRefusedError(
            f"{comparison.figures.unsettled} differences are not settled.", next_step="Settle them first."
        )
    if digest != sha256_seen:
        raise DecisionRefusedError("The figures have changed since they were shown.", next_step="Look at them again.")
    row = ShadowSignOffRow(
        sites="\n".join(scope.sites),
        first=comparison.first,
        last=comparison.last,
        snapshot=text,
        sha256=digest,
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
        detail=(("sites", " ".join(scope.sites)), ("sha256", digest), ("compared", str(comparison.figures.compared))),
    )
    audit.append(session, event, now=now)
    return _sign_off(row)


def sign_offs(session: Session) -> list[SignOff]:
    """What was signed, newest first."""
    return [_sign_off(row) for row in session.exec(select(ShadowSignOffRow).order_by(col(ShadowSignOffRow.id).desc()))]


def snapshot_hash(comparison: ShadowComparison) -> str:
    """What the person who signs has before them, as one number."""
    return sha256(snapshot_text(comparison).encode()).hexdigest()


def snapshot_text(comparison: ShadowComparison) -> str:
    """All figures and settled differences as canonical JSON, with numbers of records and without patients."""
    told = comparison.figures
    content = {
        "sites": list(comparison.sites),
        "first": str(comparison.first),
        "last": str(comparison.last),
        "days_apart": comparison.days,
        "compared": told.compared,
        "outside": comparison.outside,
        "unsettled": told.unsettled,
        "standings": {str(name): count for name, count in told.standings.items()},
        "rates": {
            f"{side}.{name}": [rate.wrong, rate.unsettled, rate.of, round(rate.low, 6), round(rate.high, 6)]
            for (name, side), rate in sorted(told.rates.items())
        },
        "per_day": [[str(one.day), one.read, one.typed, one.agree] for one in told.days],
        "settled": [_settled_entry(comparison, value, field) for value, field in _settled_fields(comparison)],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def difference_words(value: ComparedValue, field: str) -> tuple[str, str]:
    """What Scorebridge has and what staff typed in a field, for a page without patients."""
    if field == PRESENCE:
        alone = value.standing in (Standing.ONLY_READ, Standing.READ_AGAIN)
        return ("has it", "nothing") if alone else ("nothing", "has it")
    one = next(each for each in value.fields if each.field == field)
    if field == PATIENT:
        return "one patient", "another patient"
    if field == DATE and value.read is not None and value.read.administered_on is not None and value.typed is not None:
        late = (value.typed.entry.administered_on - value.read.administered_on).days
        return "its day", f"{abs(late)} day{'s' if abs(late) != 1 else ''} {'later' if late > 0 else 'earlier'}"
    return _shown(one.read), _shown(one.typed)


def _shown(side: str | int | None) -> str:
    return "blank" if side is None else str(side)


def _settled_fields(comparison: ShadowComparison) -> Iterator[tuple[ComparedValue, str]]:
    for value in comparison.compared:
        yield from ((value, field) for field in value.differences if comparison.found(value, field))


def _settled_entry(comparison: ShadowComparison, value: ComparedValue, field: str) -> dict[str, object]:
    found = comparison.found(value, field)
    read, typed = difference_words(value, field)
    return {
        "record": value.key[0] or None,
        "typed": value.key[1] or None,
        "instrument": _instrument(value),
        "standing": str(value.standing),
        "field": field,
        "scorebridge": read,
        "staff": typed,
        "verdict": str(found.verdict) if found else None,
        "by": found.settled_by if found else None,
    }


def _instrument(value: ComparedValue) -> str | None:
    return value.read.instrument if value.read else value.typed.entry.instrument if value.typed else None


def _sign_off(row: ShadowSignOffRow) -> SignOff:
    return SignOff(
        sign_off_id=stored_id(row.id),
        sites=tuple(row.sites.split("\n")),
        first=row.first,
        last=row.last,
        snapshot=row.snapshot,
        sha256=row.sha256,
        signed_name=row.signed_name,
        signed_by=row.signed_by,
        signed_at=row.signed_at,
        intact=sha256(row.snapshot.encode()).hexdigest() == row.sha256,
    )
