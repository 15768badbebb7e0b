"""What an answer means: which error a status is, how long it asks to wait, and whether a portal shows what was sent.

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
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from pydantic import JsonValue

from portal.destination import AnswerShape
from portal.http import Answer
from portal.mapping import MISSING, Missing, pick, same_value
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryHeldError,
    DeliveryRefusedError,
    DestinationPausedError,
)

LONGEST_WAIT_SECONDS: Final = 3600.0
_LATER: Final = frozenset({408, 409, 423, 425, 429})
_HELD: Final = frozenset({403, 404})
_LONGEST_ID: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """A result as the portal shows it.

    Attributes:
        shown: All the portal shows of it.
    """

    remote_id: str
    version: str | None
    shown: JsonValue

    def __repr__(self) -> str:
        return f"StoredResult(remote_id={self.remote_id!r})"


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


def read_id(content: JsonValue, path: str | None) -> str | None:
    """An id or version in an answer as text, or None if there is none that could be one."""
    value = MISSING if path is None else pick(content, path)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return text if text and text.isprintable() and len(text) <= _LONGEST_ID else None


def entries_of(content: JsonValue, paths: Iterable[str], shape: AnswerShape) -> list[JsonValue] | None:
    """The results a search found; None if the answer has no list and is no result itself."""
    for path in paths:
        place = pick(content, path)
        if isinstance(place, list):
            return place
    return [content] if read_id(content, shape.external_id) is not None else None


def contradiction(shown: JsonValue, *, sent: JsonValue, patient_id: str, shape: AnswerShape) -> str | None:
    """Path of the first thing the portal shows otherwise than it was sent, or None; what it does not show is no lie."""
    patient = MISSING if shape.patient is None else pick(shown, shape.patient)
    if patient is not MISSING and str(patient) != patient_id:
        return shape.patient
    for path in (shape.external_id, *shape.same):
        if not _agrees(pick(shown, path), pick(sent, path)):
            return path
    return None


def shows_all(shown: JsonValue, *, sent: JsonValue, shape: AnswerShape) -> bool:
    """Whether everything comparable is there and equal, so that nothing is left to send."""
    return all(
        pick(shown, path) is not MISSING and _agrees(pick(shown, path), pick(sent, path))
        for path in (shape.external_id, *shape.same)
        if pick(sent, path) is not MISSING
    )


def _agrees(shown: JsonValue | Missing, sent: JsonValue | Missing) -> bool:
    if isinstance(shown, Missing) or isinstance(sent, Missing):
        return True
    return same_value(sent, shown)
