"""What staff typed, read from the portal itself: every value of every patient asked for, or none.

How a portal lists its values is a `Listing`; so far only that of the plain JSON interface is known. What this program
itself has sent is left out, and so is what the portal marks as taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import stamina
from pydantic import JsonValue

from parsers.instrument_library import resolve
from portal.answers import error_of, read_id, read_json
from portal.auth import PortalAuth
from portal.connections import ConfiguredDestination
from portal.http import Client, ExchangeError, exchange, make_client
from portal.mapping import MISSING, Missing, fill_url, pick
from portal.pacing import RateLimit
from records.comparison import TypedEntry
from records.errors import DeliveryDeferredError, DeliveryError, DeliveryRefusedError, SettingsError
from records.instrument import Instrument

_TRIES: Final = 4
_TAKEN_BACK: Final = frozenset({"entered-in-error", "cancelled", "deleted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How a portal lists the values of one patient; paths are dotted, as in a destination file.

    Attributes:
        url: With {patient_id}.
        results: Paths to the list in the answer, the first that leads to one.
        items: Path to the answers of a value; `points` is the path in each of them.
    """

    url: str
    results: tuple[str, ...]
    remote_id: str
    external_id: str
    patient: str
    instrument: str
    administered_on: str
    score: str
    status: str
    items: str
    points: str


_LISTINGS: Final[Mapping[str, Listing]] = {
    "generic-json": Listing(
        url="{base_url}/v1/patients/{patient_id}/outcome-measures",
        results=(".", "items", "results", "data", "entries", "outcomeMeasures", "measures", "values"),
        remote_id="id",
        external_id="externalId",
        patient="patientId",
        instrument="instrument",
        administered_on="administeredOn",
        score="score",
        status="status",
        items="items",
        points="value",
    )
}


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
    listing = _LISTINGS.get(destination.file.id)
    if listing is None:
        raise SettingsError(
            f"How the portal of {destination.destination_id} lists its values is not known.",
            next_step="Export them as CSV, then “scorebridge shadow import”.",
        )
    tokens = destination.tokens
    auth = None if tokens is None else PortalAuth(tokens, header=destination.file.token)
    pace = RateLimit(destination.settings.rate_per_second)
    soon = stamina.RetryingCaller(attempts=_TRIES, timeout=60.0, wait_initial=0.1, wait_max=5.0).on(
        DeliveryDeferredError
    )
    listed: list[tuple[str, JsonValue]] = []
    with make_client(auth=auth, tls=destination.tls) as http:
        for patient_id in patients:
            url = fill_url(listing.url, base_url=destination.settings.base_url, fields={"patient_id": patient_id})
            found = soon(_listed, http, url, listing, pace=pace, clock=clock)
            _refuse_foreign(found, listing, patient_id)
            listed += [(patient_id, shown) for shown in found]
            asked()
    theirs = [(who, shown) for who, shown in listed if read_id(shown, listing.external_id) not in ours]
    entries = tuple(_entries(theirs, listing, instruments=instruments, first=first))
    return TypedAtPortal(entries=entries, ours=len(listed) - len(theirs), other=len(theirs) - len(entries))


def _listed(
    http: Client, url: str, listing: Listing, *, pace: RateLimit, clock: Callable[[], datetime]
) -> list[JsonValue]:
    pace.wait()
    try:
        answer = exchange(http, "GET", url, headers={})
    except ExchangeError as error:
        raise DeliveryDeferredError(f"The portal cannot be reached ({error}).", code="not-reached") from None
    if answer.status == 404:
        return []
    refused: DeliveryError | None = error_of(answer, now=clock())
    if refused is not None:
        raise refused
    content = read_json(answer)
    if isinstance(content, Missing):
        raise _crooked("something that is not JSON")
    found = next((place for path in listing.results if isinstance(place := pick(content, path), list)), None)
    if found is None:
        raise _crooked("no list")
    if _is_a_part(content, len(found)):
        raise _crooked("its values in parts")
    return found


def _is_a_part(content: JsonValue, count: int) -> bool:
    """Whether an answer says that there is more than it holds: half a list would look like values never typed."""
    total = pick(content, "total")
    more = any(pick(content, path) not in (MISSING, None, "", False) for path in ("next", "nextPage", "hasMore"))
    return more or (isinstance(total, int) and total > count)


def _refuse_foreign(found: Sequence[JsonValue], listing: Listing, patient_id: str) -> None:
    """A server that ignores what it was asked for shows everybody's values: they would be counted for each patient."""
    if any(read_id(shown, listing.patient) not in (None, patient_id) for shown in found):
        raise _crooked("values of another patient than was asked for")


def _entries(
    listed: Sequence[tuple[str, JsonValue]],
    listing: Listing,
    *,
    instruments: Mapping[str, Instrument],
    first: date,
) -> Iterator[TypedEntry]:
    for patient_id, shown in listed:
        if str(pick(shown, listing.status)).casefold() in _TAKEN_BACK:
            continue
        name = pick(shown, listing.instrument)
        instrument = resolve(name, instruments) if isinstance(name, str) else None
        day = _day(pick(shown, listing.administered_on))
        if instrument is None or instrument.instrument_id is None or instrument.ambiguous or day < first:
            continue
        yield _entry(shown, listing, patient_id, instrument.instrument_id, day)


def _entry(shown: JsonValue, listing: Listing, patient_id: str, instrument: str, day: date) -> TypedEntry:
    remote_id, score = read_id(shown, listing.remote_id), pick(shown, listing.score)
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
        items=_answers(pick(shown, listing.items), listing),
        remote_id=remote_id,
    )


def _answers(shown: JsonValue | Missing, listing: Listing) -> tuple[int | None, ...] | None:
    if not isinstance(shown, list) or not shown:
        return None
    return tuple(_points(pick(one, listing.points)) for one in shown)


def _points(shown: JsonValue | Missing) -> int | None:
    if shown is None:
        return None
    if isinstance(shown, bool) or not isinstance(shown, int):
        raise _crooked("an answer that is no whole number")
    return shown


def _day(shown: JsonValue | Missing) -> date:
    try:
        return date.fromisoformat(str(shown)[:10])
    except ValueError:
        raise _crooked("a value without its day") from None


def _crooked(what: str) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        f"The portal lists {what}; nothing was read.", next_step="Export what was typed as CSV, then import that."
    )
