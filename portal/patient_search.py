"""The patients of a site from a FHIR R4 server: every page of a Patient search, or none of it.

A search that ends early must not look like patients who left. So a page that fails fails the whole search, the number
found is compared with the number the server counts, and links are followed on the same server only, none twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

import stamina
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from portal.access import open_access
from portal.answers import retry_after
from portal.fhir_patient import Patient, ReadPatient, Reference, read_patient, referred_id
from portal.http import Answer, CertificateRefusedError, Client, ExchangeError, delivery_error, exchange
from portal.settings import PatientSearchSettings
from records.errors import DeliveryError, RosterError, SettingsError
from records.patient import RosterPatient

_LARGEST_PAGE: Final = 64 * 1024 * 1024
_MOST_PAGES: Final = 50_000
_TRIES: Final = 3
_LONGEST_PAUSE_SECONDS: Final = 30.0
# Strict: a server that does not know a parameter must say so instead of listing the patients of all sites (FHIR R4,
# search, 3.1.1.3).
_HEADERS: Final = {"Accept": "application/fhir+json", "Prefer": "handling=strict"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPatients:
    """What a search found.

    Attributes:
        places: Patient id to the number of its entry, from 1 over all pages.
        remarks: Entry numbers and what is odd about them, without values.
        left_out: Entries that are nobody who could be matched.
    """

    patients: tuple[RosterPatient, ...]
    places: Mapping[str, int]
    remarks: tuple[tuple[int, str], ...]
    left_out: int


class _Link(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    relation: str
    url: str


class _Search(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    mode: str | None = None


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    search: _Search | None = None
    resource: dict[str, JsonValue] | None = None


class _Bundle(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    resourceType: str  # noqa: N815 - FHIR's word
    type: str | None = None
    total: int | None = None
    link: tuple[_Link, ...] = ()
    entry: tuple[_Entry, ...] = ()


class _AgainError(Exception):
    """A page did not come and may come at the next try.

    Attributes:
        pause: Seconds the server asked to wait, or None.
    """

    def __init__(self, what: str, *, pause: float | None = None) -> None:
        super().__init__(what)
        self.pause = pause


def search_patients(settings: PatientSearchSettings, *, site: str, now: datetime) -> FoundPatients:
    """All patients of a site as the server lists them at `now`.

    Raises:
        RosterError: The server does not answer, refuses, answers with something else than patients, or ends early.
    """
    today = now.astimezone(UTC).date()
    try:
        access = open_access(settings, folder=Path())
        with access.client(read_seconds=settings.page_seconds, connections=1) as http:
            return _gathered(_resources(http, settings), settings, site=site, today=today)
    except SettingsError as error:
        raise RosterError(f"The FHIR server cannot be asked: {error.message}", next_step=error.next_step) from None
    except DeliveryError as error:
        raise RosterError(
            f"The FHIR server cannot be asked: {error.message}", next_step="Renew the credential of roster_fhir."
        ) from None


def _resources(http: Client, settings: PatientSearchSettings) -> Iterator[dict[str, JsonValue]]:
    """The Patient resources of all pages.

    Raises:
        RosterError: As for `search_patients`.
    """
    start = f"{settings.base_url}/Patient?{settings.query}"
    origin = _origin(urlsplit(start))
    seen: set[str] = set()
    ids: set[str] = set()
    url, total = start, None
    while True:
        if url in seen or len(seen) >= _MOST_PAGES:
            raise RosterError(
                "The FHIR server's pages go in a circle: a next link leads to a page that was read already.",
                next_step="Tell the server's operator; a greater _count in query may avoid it.",
            )
        seen.add(url)
        bundle = _page(http, url, number=len(seen), seconds=settings.page_seconds)
        for entry in bundle.entry:
            if _is_match(entry) and entry.resource is not None:
                ids.add(str(entry.resource.get("id")))
                yield entry.resource
        total = bundle.total if bundle.total is not None else total
        following = next((link.url for link in bundle.link if link.relation == "next"), None)
        if following is None:
            break
        url = _followed(following, url=url, origin=origin)
    if total is not None and total != len(ids):
        raise RosterError(
            f"The FHIR server counts {total} patients and has shown {len(ids)}: the search ended early, or patients "
            "changed meanwhile.",
            next_step="It is tried again by itself; if that goes on, compare _summary=count of the same query.",
        )


def _page(http: Client, url: str, *, number: int, seconds: float) -> _Bundle:
    again = stamina.RetryingCaller(attempts=_TRIES, timeout=300.0, wait_initial=0.2, wait_max=5.0, wait_jitter=0.2)
    try:
        answer = again.on(_pause_before_retry)(_ask, http, url, seconds=seconds)
    except _AgainError as error:
        raise RosterError(
            f"Page {number} of the FHIR server's patients did not come: {error}.",
            next_step="Check that the server is up and roster_fhir.base_url is right; it is tried again by itself.",
        ) from None
    return _bundle(answer, number)


def _ask(http: Client, url: str, *, seconds: float) -> Answer:
    try:
        answer = exchange(http, "GET", url, headers=_HEADERS, deadline_seconds=2 * seconds, longest=_LARGEST_PAGE)
    except CertificateRefusedError as error:
        raise delivery_error(error, server="FHIR server") from None
    except ExchangeError as error:
        raise _AgainError(str(error)) from None
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise _AgainError(f"status {answer.status}", pause=retry_after(answer, now=datetime.now(UTC)))
    return answer


def _pause_before_retry(error: Exception) -> bool | float:
    if not isinstance(error, _AgainError):
        return False
    return True if error.pause is None else min(error.pause, _LONGEST_PAUSE_SECONDS)


def _bundle(answer: Answer, number: int) -> _Bundle:
    if answer.status in (401, 403):
        raise RosterError(
            f"The FHIR server does not let this program search for patients (status {answer.status}).",
            next_step="Renew the credential of roster_fhir, or have it allowed to read Patient.",
        )
    if answer.status != 200:
        raise RosterError(
            f"The FHIR server answers page {number} with status {answer.status}.",
            next_step="Check base_url and query of roster_fhir: the server may not know a parameter.",
        )
    try:
        bundle = _Bundle.model_validate_json(answer.body)
    except ValidationError:
        bundle = None
    if bundle is None or bundle.resourceType != "Bundle" or bundle.type not in ("searchset", None):
        raise RosterError(
            f"Page {number} of the FHIR server's answer is no list of patients.",
            next_step="Check roster_fhir.base_url: it ends before /Patient.",
        )
    if any(_is_error(entry) for entry in bundle.entry):
        raise RosterError(
            f"Page {number} of the FHIR server's answer holds an OperationOutcome that tells of an error.",
            next_step="Look at the server's log; its list of patients may not be whole.",
        )
    return bundle


def _is_match(entry: _Entry) -> bool:
    mode = None if entry.search is None else entry.search.mode
    return mode in ("match", None) and entry.resource is not None and entry.resource.get("resourceType") == "Patient"


def _is_error(entry: _Entry) -> bool:
    if entry.resource is None or entry.resource.get("resourceType") != "OperationOutcome":
        return False
    issues = entry.resource.get("issue")
    return isinstance(issues, list) and any(
        isinstance(issue, dict) and issue.get("severity") in ("error", "fatal") for issue in issues
    )


def _followed(link: str, *, url: str, origin: tuple[str, str | None, int | None]) -> str:
    """Where a next link leads.

    Raises:
        RosterError: To another server: the credential must not follow, and whose patients those are nobody knows.
    """
    try:
        target = urljoin(url, link)
        leads = _origin(urlsplit(target))
    except ValueError:
        leads = None
    if leads != origin or "@" in urlsplit(target).netloc:
        raise RosterError(
            "A next link of the FHIR server leads to another server, which is not followed.",
            next_step="Have the server's own address set right (behind a proxy it may not know it).",
        )
    return target


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    usual = {"https": 443, "http": 80}
    return parts.scheme, parts.hostname, parts.port or usual.get(parts.scheme)


def _gathered(
    resources: Iterator[dict[str, JsonValue]], settings: PatientSearchSettings, *, site: str, today: date
) -> FoundPatients:
    remarks: list[tuple[int, str]] = []
    found: dict[str, ReadPatient] = {}
    places: dict[str, int] = {}
    left_out = 0
    for number, resource in enumerate(resources, start=1):
        read = _read(resource, settings, site=site, today=today)
        remarks += [
            (number, what) for what in (("it is no FHIR R4 Patient; left out",) if read is None else read.remarks)
        ]
        if read is None or read.patient is None:
            left_out += 1
            continue
        key = read.patient.patient_id
        if key in found and found[key] != read:
            raise RosterError(
                f"Entries {places[key]} and {number} of the FHIR server's patients have one patient id and differ.",
                next_step="If patient_id is an identifier, it must be each patient's own; else import again.",
            )
        found[key] = read
        places.setdefault(key, number)
    if not found:
        raise RosterError("The FHIR server lists no patient.", next_step="Check the query of roster_fhir.")
    patients = _with_merges(list(found.values()), settings.patient_id)
    return FoundPatients(patients=patients, places=places, remarks=tuple(remarks), left_out=left_out)


def _read(
    resource: dict[str, JsonValue], settings: PatientSearchSettings, *, site: str, today: date
) -> ReadPatient | None:
    try:
        parsed = Patient.model_validate(resource)
    except ValidationError:
        return None
    return read_patient(
        parsed, site=site, patient_id=settings.patient_id, record_numbers=settings.identifier_system, today=today
    )


def _with_merges(reads: list[ReadPatient], patient_id: str) -> tuple[RosterPatient, ...]:
    """The patients with the ids of those that replaced them, said by either of the two."""
    ids = {read.resource_id: read.patient.patient_id for read in reads if read.patient and read.resource_id}
    replaced = {
        ids[old]: read.patient.patient_id
        for read in reads
        for reference in read.replaces
        if read.patient is not None and (old := referred_id(reference)) in ids
    }
    made = []
    for read in reads:
        assert read.patient is not None
        into = None if read.replaced_by is None else _replacement(read.replaced_by, ids, patient_id)
        into = into or replaced.get(read.patient.patient_id)
        made.append(replace(read.patient, active=False, merged_into=into) if into else read.patient)
    return tuple(made)


def _replacement(reference: Reference, ids: Mapping[str, str], patient_id: str) -> str:
    """Id of the patient a reference means; one who is not listed keeps the reference, which is nobody's id."""
    given = reference.identifier
    if given is not None and given.value and patient_id == f"identifier:{given.system}":
        return given.value
    resource_id = referred_id(reference)
    return ids.get(resource_id or "") or f"Patient/{resource_id or '?'}"
