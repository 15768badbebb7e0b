"""What staff typed, read from the portal itself: every value of every patient asked for, or none.

So far this is for portals with the plain JSON interface: their search for one of our ids lists, without that id, all
values of the patient. What this program itself has sent is left out, and so is what the portal marks as taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import stamina
from pydantic import JsonValue

from parsers.instrument_library import resolve
from portal.addresses import Address
from portal.answers import error_of, read_json
from portal.connections import ConfiguredDestination
from portal.destination import Destination, HttpDestination, ResultShape, Search
from portal.expressions import Missing
from portal.http import Client, ExchangeError, exchange
from portal.pacing import RateLimit
from records.comparison import TypedEntry
from records.errors import DeliveryDeferredError, DeliveryError, DeliveryRefusedError, SettingsError
from records.instrument import Instrument

_TRIES: Final = 4
_TAKEN_BACK: Final = frozenset({"entered-in-error", "cancelled", "deleted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedAtPortal:
    """What a portal lists.

    Attributes:
        ours: Values left out because this program has sent them.
        other: Values left out for an unknown questionnaire, a day before the first, or being taken back.
    """

    entries: tuple[TypedEntry, ...]
    ours: int
    other: int


def read_typed_values(
    destination: ConfiguredDestination,
    patients: Sequence[str],
    *,
    ours: Collection[str],
    first: date,
    instruments: Mapping[str, Instrument],
    clock: Callable[[], datetime],
    asked: Callable[[], None] = lambda: None,
) -> TypedAtPortal:
    """Ask the portal for the values of each patient.

    Args:
        ours: Our own opaque ids.
        first: Earlier administrations are left out.
        asked: Called after each patient.

    Raises:
        SettingsError: It is not known how this kind of portal lists values.
        DeliveryError: The portal was not reached, refused, or listed something that is no value: nothing is read.
    """
    file, base_url = destination.file, destination.settings.base_url
    address = _listing_address(file)
    if not isinstance(file, HttpDestination) or base_url is None or address is None:
        raise SettingsError(
            f"How the portal of {destination.destination_id} lists its values is not known.",
            next_step="Export them as CSV, then “scorebridge shadow import”.",
        )
    pace = RateLimit(destination.rate)
    soon = stamina.RetryingCaller(attempts=_TRIES, timeout=60.0, wait_initial=0.1, wait_max=5.0).on(
        DeliveryDeferredError
    )
    listed: list[tuple[str, JsonValue]] = []
    with destination.access.client() as http:
        for patient_id in patients:
            url = address.fill(base_url=base_url, fields={"patient_id": patient_id})
            found = soon(_listed, http, url, file.search, pace=pace, clock=clock)
            _refuse_foreign(found, file.answer, patient_id)
            listed += [(patient_id, shown) for shown in found]
            asked()
    theirs = [(who, shown) for who, shown in listed if file.answer.external_id.find(shown, {}) not in ours]
    entries = tuple(_entries(theirs, file.answer, instruments=instruments, first=first))
    return TypedAtPortal(entries=entries, ours=len(listed) - len(theirs), other=len(theirs) - len(entries))


def _listed(
    http: Client, url: str, search: Search, *, pace: RateLimit, clock: Callable[[], datetime]
) -> list[JsonValue]:
    pace.wait()
    try:
        answer = exchange(http, "GET", url, headers={})
    except ExchangeError as error:
        raise DeliveryDeferredError(f"The portal cannot be reached ({error}).", code="not-reached") from None
    if answer.status in search.nothing:
        return []
    refused: DeliveryError | None = error_of(answer, now=clock())
    if refused is not None:
        raise refused
    content = read_json(answer)
    if isinstance(content, Missing):
        raise _crooked("something that is not JSON")
    found = next((place for one in search.results if isinstance(place := one.read(content), list)), None)
    if found is None:
        raise _crooked("no list")
    if _is_a_part(content, len(found)):
        raise _crooked("its values in parts")
    return found


def _is_a_part(content: JsonValue, count: int) -> bool:
    """Whether an answer says that there is more than it holds: half a list would look like values never typed."""
    total = _pick(content, "total")
    more = any(_pick(content, name) not in (None, "", False) for name in ("next", "nextPage", "hasMore"))
    return more or (isinstance(total, int) and total > count)


def _refuse_foreign(found: Sequence[JsonValue], shape: ResultShape, patient_id: str) -> None:
    """A server that ignores what it was asked for shows everybody's values: they would be counted for each patient."""
    if shape.patient is None:
        return
    if any(shape.patient.find(shown, {}) not in (None, patient_id) for shown in found):
        raise _crooked("values of another patient than was asked for")


def _entries(
    listed: Sequence[tuple[str, JsonValue]],
    shape: ResultShape,
    *,
    instruments: Mapping[str, Instrument],
    first: date,
) -> Iterator[TypedEntry]:
    for patient_id, shown in listed:
        if str(_pick(shown, "status")).casefold() in _TAKEN_BACK:
            continue
        name = _pick(shown, "instrument")
        instrument = resolve(name, instruments) if isinstance(name, str) else None
        day = _day(_pick(shown, "administeredOn"))
        if instrument is None or instrument.instrument_id is None or instrument.ambiguous or day < first:
            continue
        yield _entry(shown, shape, patient_id, instrument.instrument_id, day)


def _entry(shown: JsonValue, shape: ResultShape, patient_id: str, instrument: str, day: date) -> TypedEntry:
    remote_id, score = shape.remote_id.find(shown, {}), _pick(shown, "score")
    if remote_id is None:
        raise _crooked("a value without its id")
    if isinstance(score, bool) or not isinstance(score, int | str) or score == "":
        raise _crooked("a value without a score")
    return TypedEntry(
        patient_id=patient_id,
        instrument=instrument,
        administered_on=day,
        total=score if isinstance(score, int) else None,
        result=score if isinstance(score, str) else None,
        items=_answers(_pick(shown, "items")),
        remote_id=remote_id,
    )


def _answers(shown: JsonValue) -> tuple[int | None, ...] | None:
    if not isinstance(shown, list) or not shown:
        return None
    return tuple(_points(_pick(one, "value")) for one in shown)


def _points(shown: JsonValue) -> int | None:
    if shown is None:
        return None
    if isinstance(shown, bool) or not isinstance(shown, int):
        raise _crooked("an answer that is no whole number")
    return shown


def _day(shown: JsonValue) -> date:
    try:
        return date.fromisoformat(str(shown)[:10])
    except ValueError:
        raise _crooked("a value without its day") from None


def _pick(shown: JsonValue, name: str) -> JsonValue:
    return shown.get(name) if isinstance(shown, dict) else None


def _listing_address(file: Destination) -> Address | None:
    """Where all values of a patient are listed, or None for a portal of which that is not known."""
    if not isinstance(file, HttpDestination) or file.patients is not None:
        return None  # what a portal calls its patients itself is not what they are compared by
    address = Address(file.search.request.address.pattern.partition("?")[0])
    return address if address.places == ("patient_id",) else None


def _crooked(what: str) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        f"The portal lists {what}; nothing was read.", next_step="Export what was typed as CSV, then import that."
    )
