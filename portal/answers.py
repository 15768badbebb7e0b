"""What an answer means: which error a status is, how long it asks to wait, and what it refuses with a success status.

    no connection                           deferred   nothing was sent
    connection lost, no answer in time      unknown    it may have arrived
    408 425 429 5xx                         deferred   honouring Retry-After
    401                                     paused     after the token was renewed once
    403 404                                 held       a permission or the patient is missing
    409 423                                 deferred   somebody is at it; the caller looks first
    2xx without an id, or not JSON          unknown
    2xx that shows other values             refused    the portal does not keep what it is given
    everything else                         refused    3xx too: a portal that moves is a setting

Texts and codes hold statuses and field paths, never values.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from pydantic import JsonValue

from portal.destination import Reading, Search
from portal.expressions import MISSING, Missing
from portal.http import Answer
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryHeldError,
    DeliveryRefusedError,
    DeliveryUnknownError,
    DestinationPausedError,
)

LONGEST_WAIT_SECONDS: Final = 3600.0
_LATER: Final = frozenset({408, 409, 423, 425, 429})
_HELD: Final = frozenset({403, 404})
_MAY_BE_THERE: Final = frozenset(
    {"http-409", "http-500", "http-502", "http-504", "portal-differs", "portal-has-several", "portal-errors"}
)
# What looks like a code of the portal's own; with more digits than this it may be the number of a patient.
_OWN_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,59}")
_MOST_DIGITS: Final = 4
_NEXT_LINK: Final = re.compile(r""";\s*rel\s*=\s*["']?(?:[a-z]+ )*next\b""", re.IGNORECASE)


def error_of(answer: Answer, *, now: datetime) -> DeliveryError | None:
    """The error that a status is, or None for 2xx."""
    status, code = answer.status, f"http-{answer.status}"
    if 200 <= status < 300:
        return None
    if status in _LATER or status >= 500:
        error = DeliveryDeferredError(f"The portal answers {status}: not now.", code=code)
        error.retry_after = retry_after(answer, now=now)
        return error
    if status == 401:
        return DestinationPausedError(
            "The portal does not accept this program's credential (status 401).",
            next_step="Renew the credential, then resume the destination.",
            code=code,
        )
    if status in _HELD:
        meaning = "does not let this program write here" if status == 403 else "does not know this patient or result"
        return DeliveryHeldError(
            f"The portal {meaning} (status {status}).",
            next_step="Settle it at the portal, then send the record again.",
            code=code,
        )
    if 300 <= status < 400:
        return DeliveryRefusedError(
            f"The portal points elsewhere (status {status}), which is not followed.",
            next_step="Set base_url to where the portal is now.",
            code=code,
        )
    return DeliveryRefusedError(f"The portal refuses the record (status {status}).", code=code)


def may_be_there(outcome: DeliveryError) -> bool:
    """Whether the portal may have the value although it did not say so.

    A gateway that gives up (500, 502, 504) may have passed the request on, a 409 may mean our own, and what is shown
    otherwise than it was sent is there.
    """
    return isinstance(outcome, DeliveryUnknownError) or outcome.code in _MAY_BE_THERE


def retry_after(answer: Answer, *, now: datetime) -> float | None:
    """Seconds the portal asks to wait, 0 to 3600, from a number or a date (RFC 9110, 10.2.3); None if none is named."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def read_json(answer: Answer) -> JsonValue | Missing:
    """The answer's JSON, or `MISSING` if it is none."""
    try:
        content: JsonValue = json.loads(answer.body)
    except (ValueError, RecursionError):
        return MISSING
    return content


def shows_part(search: Search, answer: Answer, content: JsonValue) -> bool:
    """Whether the answer to a search says that more was found than it shows (RFC 8288 for the header)."""
    if search.more is not None and search.more.holds(content):
        return True
    return _NEXT_LINK.search(answer.headers.get("link", "")) is not None


def with_own_code(error: DeliveryError, content: JsonValue | Missing, reading: Reading) -> DeliveryError:
    """The error with the portal's own code of the refusal behind the reason, if the file says where that is.

    Only what looks like a code is taken up: what a portal says in words may name a patient.
    """
    is_for_a_person = isinstance(error, DeliveryRefusedError | DeliveryHeldError)
    if reading.error_code is None or isinstance(content, Missing) or not is_for_a_person:
        return error
    said = reading.error_code.read(content)
    code = str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""
    if _OWN_CODE.fullmatch(code) and sum(sign.isdigit() for sign in code) <= _MOST_DIGITS:
        error.code = f"{error.code}-{code}"
    return error


def refusal(content: JsonValue, reading: Reading) -> DeliveryError | None:
    """What an answer with a success status refuses all the same, or None: GraphQL says its errors with status 200."""
    if reading.accepted is None or reading.accepted.holds(content):
        return None
    if reading.later is not None and reading.later.holds(content):
        return DeliveryDeferredError("The portal's answer says: not now.", code="portal-later")
    refused = DeliveryRefusedError("The portal's answer lists errors.", code="portal-errors")
    return with_own_code(refused, content, reading)
