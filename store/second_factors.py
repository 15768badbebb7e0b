"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes for the day it is lost."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pyotp
from pyotp.utils import strings_equal
from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from store.account_tables import RecoveryCodeRow
from store.accounts import User, is_locked, note, row_of
from store.context import keys_of, stored_id
from store.sealing import seal, unseal
from store.tables import AccountRow
from store.users import counter_of, failed

ISSUER: Final = "Scorebridge"
RECOVERY_CODES: Final = 10
_DRIFT_STEPS: Final = 1  # a clock may be half a minute off, either way
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_CODE_LETTERS: Final = 16  # 79 bits: no code can be tried out


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """An authenticator app about to be set up.

    Attributes:
        secret: What is typed into an app that has no camera.
        address: The same as an `otpauth:` address, for a QR code.
    """

    secret: str = field(repr=False)
    address: str = field(repr=False)


def begin(session: Session, user: User, *, now: datetime) -> Enrolment:
    """A new secret to set up. An app that is in use stays so until the new one is confirmed."""
    row = row_of(session, user)
    row.pending_factor = seal(keys_of(session), pyotp.random_base32(), purpose=_purpose(row))
    session.flush()
    note(session, row, "user.second-factor-begun", actor=row.name, now=now)
    return _enrolment(session, row, row.pending_factor)


def pending(session: Session, user: User) -> Enrolment | None:
    """The secret that is about to be set up and not confirmed yet, or None."""
    row = row_of(session, user)
    return None if row.pending_factor is None else _enrolment(session, row, row.pending_factor)


def confirm(session: Session, user: User, code: str, *, now: datetime) -> tuple[str, ...] | None:
    """Take the new app into use if its code is right, and return the recovery codes, shown this once; else None."""
    row = row_of(session, user)
    if row.pending_factor is None:
        return None
    step = _step(_secret(session, row, row.pending_factor), code, used=None, now=now)
    if step is None:
        return None
    row.second_factor, row.pending_factor = row.pending_factor, None
    row.second_factor_since, row.last_code_step = now, step
    session.flush()
    note(session, row, "user.second-factor-set-up", actor=row.name, now=now)
    return _recovery_codes(session, row)


def accept(session: Session, user: User, code: str, *, now: datetime, browser: str = "") -> bool:
    """Whether this is the app's present code, or a recovery code; it is good once.

    A wrong one counts like a wrong password, and nothing is right while the account is locked.
    """
    row = row_of(session, user)
    counter = counter_of(session, row, browser=browser)
    if row.second_factor is None or is_locked(counter, now=now):
        return False
    step = _step(_secret(session, row, row.second_factor), code, used=row.last_code_step, now=now)
    if step is not None:
        row.last_code_step = step
        session.flush()
        return True
    if _use_recovery_code(session, row, code):
        note(session, row, "user.recovery-code-used", actor=row.name, now=now)
        return True
    failed(session, row, counter, "user.code-failed", now=now)
    return False


def renew_recovery_codes(session: Session, user: User, *, now: datetime) -> tuple[str, ...]:
    """Ten new recovery codes, shown this once; the old ones open nothing more."""
    row = row_of(session, user)
    codes = _recovery_codes(session, row)
    note(session, row, "user.recovery-codes-renewed", actor=row.name, now=now)
    return codes


def recovery_codes_left(session: Session, user: User) -> int:
    """How many recovery codes have not been used."""
    left = select(func.count()).select_from(RecoveryCodeRow).where(col(RecoveryCodeRow.account_id) == user.user_id)
    return session.exec(left).one()


def _step(secret: str, code: str, *, used: int | None, now: datetime) -> int | None:
    """The time step whose code this is, if it is about now and later than any that was used before."""
    digits = re.sub(r"\s", "", code)
    app = pyotp.TOTP(secret)
    present = app.timecode(now)
    steps = range(present - _DRIFT_STEPS, present + _DRIFT_STEPS + 1)
    unused = (one for one in steps if used is None or one > used)
    return next((one for one in unused if strings_equal(app.generate_otp(one), digits)), None)


def _recovery_codes(session: Session, row: AccountRow) -> tuple[str, ...]:
    session.connection().execute(delete(RecoveryCodeRow).where(col(RecoveryCodeRow.account_id) == row.id))
    codes = tuple("".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS)) for _ in range(RECOVERY_CODES))
    for code in codes:
        session.add(RecoveryCodeRow(account_id=stored_id(row.id), code_mac=_mac(session, row, code)))
    session.flush()
    return tuple("-".join(code[at : at + 4] for at in range(0, _CODE_LETTERS, 4)) for code in codes)


def _use_recovery_code(session: Session, row: AccountRow, code: str) -> bool:
    letters = re.sub(r"[\s-]", "", code).lower()
    used = select(RecoveryCodeRow).where(
        col(RecoveryCodeRow.account_id) == row.id, col(RecoveryCodeRow.code_mac) == _mac(session, row, letters)
    )
    found = session.exec(used).first()
    if found is None:
        return False
    session.delete(found)
    session.flush()
    return True


def _mac(session: Session, row: AccountRow, letters: str) -> str:
    return keys_of(session).opaque("recovery-code", (stored_id(row.id), letters)).hex()


def _enrolment(session: Session, row: AccountRow, sealed: bytes) -> Enrolment:
    secret = _secret(session, row, sealed)
    return Enrolment(secret=secret, address=pyotp.TOTP(secret).provisioning_uri(name=row.name, issuer_name=ISSUER))


def _secret(session: Session, row: AccountRow, sealed: bytes) -> str:
    return unseal(keys_of(session), sealed, purpose=_purpose(row))


def _purpose(row: AccountRow) -> str:
    return f"second-factor:{row.id}"
