"""A result as the portal shows it: read from an answer or a search, and compared with what was sent.

Texts and codes hold the names of fields, never values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from portal.destination import Reading, ResultShape
from portal.expressions import MISSING, Expression, Missing
from portal.mapping import same_value
from records.errors import DeliveryDeferredError, DeliveryRefusedError, DeliveryUnknownError
from records.submission import ResultStatus, Submission

PATIENT: Final = "patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """A result as the portal shows it.

    Attributes:
        shown: All the portal shows of it; None where it shows nothing.
        was_there: The portal says that this request stored nothing because it was so before, so that it is looked at.
    """

    remote_id: str
    version: str | None
    shown: JsonValue
    was_there: bool = False

    def __repr__(self) -> str:
        return f"StoredResult(remote_id={self.remote_id!r})"


def read_stored(
    content: JsonValue | Missing,
    headers: Mapping[str, str],
    *,
    reading: Reading,
    shape: ResultShape,
    submission: Submission,
    sent: JsonValue | Missing,
    remote_id: str | None,
) -> StoredResult:
    """What the answer to a request that wrote says it stored; `remote_id` is the id that was written to, if any.

    Raises:
        DeliveryUnknownError: It names no id, and so says nothing.
        DeliveryRefusedError: It names another id, patient or value than was sent.
    """
    shown = content if reading.shows is None or isinstance(content, Missing) else reading.shows.read(content)
    finder, place = (shape.remote_id, shown) if reading.remote_id is None else (reading.remote_id, content)
    given = finder.find(place, headers)
    if given is None:
        raise DeliveryUnknownError("The portal's answer names no id.", code="unclear")
    if remote_id is not None and given != remote_id:
        raise differs("id")
    if not isinstance(shown, Missing) and shown is not None:
        other = contradiction(shown, sent=sent, submission=submission, shape=shape)
        if other is not None:
            raise differs(other)
    if not isinstance(content, Missing) and not isinstance(sent, Missing):
        for part in reading.same:
            if not _agrees(part.shown.read(content), part.sent.read(sent)):
                raise differs(part.shown.text)
    versions, place = (shape.version, shown) if reading.version is None else (reading.version, content)
    return StoredResult(
        remote_id=given,
        version=None if versions is None else versions.find(place, headers),
        shown=None if isinstance(shown, Missing) else shown,
        was_there=reading.existed is not None and not isinstance(content, Missing) and reading.existed.holds(content),
    )


def differs(name: str) -> DeliveryRefusedError:
    """The portal shows something else than it was sent; `name` is the field, not its value."""
    return DeliveryRefusedError(
        f"The portal shows another {name} than it was sent.",
        next_step="Look at the record in the portal before sending it again.",
        code="portal-differs",
    )


def entries_of(content: JsonValue, results: Iterable[Expression], shape: ResultShape) -> list[JsonValue] | None:
    """The results a search found; None if the answer has no list and is no result itself."""
    for expression in results:
        place = expression.read(content)
        if isinstance(place, list):
            return place
    return [content] if shape.external_id.find(content, {}) is not None else None


def found_among(
    entries: list[JsonValue], submission: Submission, shape: ResultShape, *, is_whole: bool
) -> StoredResult | None:
    """The one with our id among what a search found, or None.

    Args:
        is_whole: The answer shows all that was found, not a page of it.

    Raises:
        DeliveryRefusedError: There are several.
        DeliveryDeferredError: Whether it is there cannot be told.
    """
    # Servers are known to ignore a filter they do not know, and show everything.
    ours = [entry for entry in entries if shape.external_id.find(entry, {}) == submission.external_id]
    if len(ours) > 1:
        raise DeliveryRefusedError("The portal shows this record more than once.", code="portal-has-several")
    if not ours:
        if entries and all(shape.external_id.find(entry, {}) is None for entry in entries):
            raise DeliveryDeferredError("The portal's search does not show our ids.", code="search-unclear")
        if not is_whole:
            raise DeliveryDeferredError("The portal's search shows a part of what it found.", code="search-unclear")
        return None
    remote_id = shape.remote_id.find(ours[0], {})
    if remote_id is None:
        raise DeliveryDeferredError("The portal's search does not show its own ids.", code="search-unclear")
    version = None if shape.version is None else shape.version.find(ours[0], {})
    return StoredResult(remote_id=remote_id, version=version, shown=ours[0])


def contradiction(
    shown: JsonValue, *, sent: JsonValue | Missing, submission: Submission, shape: ResultShape
) -> str | None:
    """What the portal first shows otherwise than it was sent, or None; what it does not show is no lie."""
    if shape.patient is not None and shape.patient.is_shown(shown):
        patient = shape.patient.find(shown, {})
        meant = _patient_meant(sent, submission, shape)
        if not isinstance(meant, Missing) and patient != meant:
            return PATIENT
    if shape.external_id.is_shown(shown) and shape.external_id.find(shown, {}) != submission.external_id:
        return "external id"
    is_withdrawal = submission.status is ResultStatus.ENTERED_IN_ERROR
    if shape.withdrawn is not None and not is_withdrawal and shape.withdrawn.holds(shown):
        return "status"
    if isinstance(sent, Missing):
        return None
    for part in shape.same:
        if not _agrees(part.shown.read(shown), part.sent.read(sent)):
            return part.shown.text
    return None


def _patient_meant(sent: JsonValue | Missing, submission: Submission, shape: ResultShape) -> JsonValue | Missing:
    if shape.patient_sent is None:
        return submission.patient_id
    return MISSING if isinstance(sent, Missing) else shape.patient_sent.read(sent)


def shows_all(shown: JsonValue, *, sent: JsonValue | Missing, shape: ResultShape) -> bool:
    """Whether everything comparable is there and equal, so that nothing is left to send."""
    if isinstance(sent, Missing):
        return False
    pairs = [(part.shown.read(shown), part.sent.read(sent)) for part in shape.same]
    comparable = [(there, ours) for there, ours in pairs if not isinstance(ours, Missing)]
    return bool(comparable) and all(
        not isinstance(there, Missing) and _agrees(there, ours) for there, ours in comparable
    )


def _agrees(shown: JsonValue | Missing, sent: JsonValue | Missing) -> bool:
    if isinstance(shown, Missing) or isinstance(sent, Missing):
        return True
    return same_value(sent, shown)
