"""Whether a portal does what its destination file says: reached, trusted, on time, filtering, and each value once.

Without `write` nothing is changed there. With it, one made-up result of a test patient is created twice under one
key, looked at, corrected and withdrawn. Texts hold no secret and no answer of the portal.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from portal.answers import error_of, read_json
from portal.client import PortalClient
from portal.connections import ConfiguredDestination, connected
from portal.csv_drop import is_prepared, prepare, try_folder
from portal.destination import CsvDestination, HttpDestination, as_json
from portal.expressions import Missing
from portal.http import Answer, Client, ExchangeError, exchange
from portal.patients import verified_id
from portal.results import entries_of
from portal.synthetic_record import TEST_PATIENT, synthetic_submission
from portal.trial import payload_of
from portal.written_request import request_scope, write_request
from records.errors import DeliveryError, DestinationPausedError
from records.instrument import Instrument
from records.submission import DeliveryReceipt, ResultStatus, Submission

_LARGEST_SKEW_SECONDS: Final = 60
_TWICE: Final = "stored twice"


class Verdict(StrEnum):
    """How one check ended."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCheck:
    """One check of a portal.

    Attributes:
        name: What was checked, in a word or two.
        unreachable: The portal could not be reached, so that nothing else was checked.
    """

    name: str
    verdict: Verdict
    message: str
    next_step: str = ""
    unreachable: bool = False


def probe(
    destination: ConfiguredDestination, instrument: Instrument, *, write: bool, clock: Callable[[], datetime]
) -> Iterator[ProbeCheck]:
    """Check one portal, the checks in order as they are done; one that cannot go on ends the probe."""
    if isinstance(destination.file, CsvDestination):
        yield from _probe_folder(destination, write=write)
        return
    credential = _credential(destination)
    yield credential
    if credential.verdict is Verdict.FAULT:
        return
    patient = destination.settings.probe_patient
    submission = _test_value(patient or TEST_PATIENT, clock=clock)
    with destination.access.client() as http:
        answer = _ask(http, destination, destination.file, submission)
    if isinstance(answer, ProbeCheck):
        yield answer
        return
    yield _ok("reached", "The portal answers.")
    yield _transport(destination)
    yield _clock_skew(answer, now=clock())
    accepted = _accepted(answer, now=clock())
    yield accepted
    if accepted.verdict is Verdict.FAULT:
        return
    yield _filters(answer, destination.file, has_patient=patient is not None)
    if patient is not None or write:
        yield from _probe_patient(destination, instrument, patient, write=write, clock=clock)


def _ok(name: str, message: str) -> ProbeCheck:
    return ProbeCheck(name=name, verdict=Verdict.OK, message=message)


def _fault(name: str, message: str, next_step: str, *, unreachable: bool = False) -> ProbeCheck:
    return ProbeCheck(name=name, verdict=Verdict.FAULT, message=message, next_step=next_step, unreachable=unreachable)


def _warning(name: str, message: str, next_step: str) -> ProbeCheck:
    return ProbeCheck(name=name, verdict=Verdict.WARNING, message=message, next_step=next_step)


def _credential(destination: ConfiguredDestination) -> ProbeCheck:
    if destination.access.tokens is None:
        return _warning(
            "credential", "No token is set; fine only with a client certificate.", "Set token, basic, oauth2 or smart."
        )
    try:
        destination.access.tokens.token()
    except DestinationPausedError as error:
        return _fault("credential", error.message, error.next_step or "Check the credential of this destination.")
    except DeliveryError as error:
        return _fault("credential", error.message, "Check the address of the token server.", unreachable=True)
    return _ok("credential", "There is a token.")


def _test_value(patient_id: str, *, clock: Callable[[], datetime]) -> Submission:
    """A message about a value that no portal can know."""
    return synthetic_submission(
        external_id=f"PROBE-{secrets.token_hex(10).upper()}",
        patient_id=patient_id,
        status=ResultStatus.FINAL,
        revision=1,
        remote_id=None,
        now=clock(),
    )


def _ask(
    http: Client, destination: ConfiguredDestination, file: HttpDestination, submission: Submission
) -> Answer | ProbeCheck:
    """The answer to a search for a value that is not there, or why there is none."""
    tree, base_url = file.search.request.body, destination.settings.base_url
    assert base_url is not None
    try:
        written = write_request(file.search.request, submission, destination=file, base_url=base_url)
        body = None if tree is None else as_json(tree.render(request_scope(submission, file)))
        return exchange(http, written.method, written.url, headers=written.headers, content=body)
    except ExchangeError as error:
        hint = "Check base_url, the network, ca_file and, where the portal asks for one, client_certificate."
        return _fault("reached", f"The portal does not answer ({error}).", hint, unreachable=True)
    except DeliveryError as error:
        return _fault("search", error.message, error.next_step or "Check search in the destination file.")


def _transport(destination: ConfiguredDestination) -> ProbeCheck:
    if str(destination.settings.base_url).startswith("https://"):
        return _ok("encryption", "The connection is encrypted and the portal's certificate was checked.")
    return _warning("encryption", "The connection is not encrypted, which is for this machine alone.", "")


def _clock_skew(answer: Answer, *, now: datetime) -> ProbeCheck:
    try:
        said = parsedate_to_datetime(answer.headers.get("date", ""))
    except (TypeError, ValueError):
        return _warning("clock", "The portal does not say what time it is.", "Check the clock of this machine.")
    skew = (now - said.replace(tzinfo=said.tzinfo or UTC)).total_seconds()
    if abs(skew) <= _LARGEST_SKEW_SECONDS:
        return _ok("clock", "The clocks agree.")
    way = "ahead of" if skew > 0 else "behind"
    step = "Set the clock of this machine by NTP: signed tokens are refused by a wrong one."
    return _warning("clock", f"This machine's clock is {abs(skew):.0f} s {way} the portal's.", step)


def _accepted(answer: Answer, *, now: datetime) -> ProbeCheck:
    if answer.status == 401:
        return _fault("sign-in", "The portal refuses the credential (401).", "Renew the credential.")
    if answer.status == 403:
        step = "Ask the portal for the right to read and write results."
        return _fault("sign-in", "The portal does not let this program read (403).", step)
    error = error_of(answer, now=now)
    if error is None or answer.status == 404:
        return _ok("sign-in", "The portal accepts the credential.")
    return _fault("search", error.message, error.next_step or "Check search in the destination file.")


def _filters(answer: Answer, file: HttpDestination, *, has_patient: bool) -> ProbeCheck:
    """Whether a search for what is not there finds nothing: a server may ignore a parameter and show everything."""
    if answer.status in file.search.nothing:
        if has_patient:
            return _ok("search", "A search for what is not there finds nothing.")
        step = "Set probe_patient to a test patient of the portal."
        return _warning("search", f"The portal answers {answer.status}: no such result, or no such patient.", step)
    content = read_json(answer)
    accepted = file.search.accepted
    entries = None if isinstance(content, Missing) else entries_of(content, file.search.results, file.answer)
    if entries is None or (accepted is not None and not isinstance(content, Missing) and not accepted.holds(content)):
        step = "Check search.results and search.accepted in the destination file."
        return _fault("search", f"The answer to a search (status {answer.status}) is no list of results.", step)
    if not entries:
        return _ok("search", "A search for what is not there finds nothing.")
    return _fault(
        "search",
        f"A search for what is not there finds {len(entries)}: the portal ignores the parameter and shows everything.",
        "Correct the parameter in search.url; ask the portal which one finds a result by the sender's id.",
    )


def _probe_patient(
    destination: ConfiguredDestination,
    instrument: Instrument,
    patient: str | None,
    *,
    write: bool,
    clock: Callable[[], datetime],
) -> Iterator[ProbeCheck]:
    if patient is None:
        step = "Set probe_patient of this destination to a test patient of the portal, never to a person."
        yield _fault("write", "There is no test patient to write to.", step)
        return
    value = _test_value(patient, clock=clock)
    destination = replace(destination, settings=destination.settings.model_copy(update={"read_back": True}))
    with connected(destination, clock=clock) as client:
        assert isinstance(client, PortalClient)
        portal_patient_id: str | None = None
        if client.patient_search is not None:
            try:
                answer = client.look_up_patient(patient)
                portal_patient_id = verified_id(client.patient_search, answer, patient_id=patient, birth_date=None)
            except DeliveryError as error:
                yield _fault("patient", _words(error), error.next_step or "Check patients in the destination file.")
                return
            yield _ok("patient", "The portal knows the test patient, once.")
        if write:
            yield from _Writer(client, destination, instrument, value, clock, portal_patient_id).checks()


@dataclass
class _Writer:
    """Writes one made-up value, twice, then corrects and withdraws it."""

    client: PortalClient
    destination: ConfiguredDestination
    instrument: Instrument
    value: Submission
    clock: Callable[[], datetime]
    portal_patient_id: str | None
    stored: DeliveryReceipt | None = None

    def checks(self) -> Iterator[ProbeCheck]:
        """The checks in order; a value that was stored is always withdrawn."""
        created = self._deliver(self.value)
        if isinstance(created, DeliveryError):
            yield _fault("create", _words(created), created.next_step or "Check create in the destination file.")
            return
        self.stored = created
        yield _ok("create", "A test value was stored, and is shown as it was sent.")
        repeated = self._again(created)
        yield repeated
        if repeated.name == _TWICE:
            return
        yield self._told("correct", ResultStatus.CORRECTED, "The test value was corrected.")
        yield self._told("withdraw", ResultStatus.ENTERED_IN_ERROR, "The test value was withdrawn.")

    def _again(self, created: DeliveryReceipt) -> ProbeCheck:
        """The same request once more, as after a lost answer that nobody looked for."""
        again = self._deliver(self.value)
        if isinstance(again, DeliveryError):
            if again.code == "portal-has-several":
                return self._doubled()
            return _warning(
                "repeat",
                f"The same request once more is refused: {_words(again)}",
                "None needed if the portal refuses repetitions; a lost answer is looked up first.",
            )
        if again.remote_id != created.remote_id:
            return self._doubled()
        return _ok("repeat", "The same request once more stores nothing more.")

    def _doubled(self) -> ProbeCheck:
        return _warning(
            _TWICE,
            f"The same request once more stores a second value. Remove both at the portal: {self.value.external_id}.",
            "Ask the portal for idempotency keys or conditional requests: a request that arrives late is doubled.",
        )

    def _told(self, name: str, status: ResultStatus, done: str) -> ProbeCheck:
        assert self.stored is not None
        told = self._deliver(
            replace(
                self.value,
                status=status,
                revision=self.value.revision + (1 if status is ResultStatus.CORRECTED else 2),
                idempotency_key=f"{self.value.idempotency_key}-{name}",
                remote_id=self.stored.remote_id,
                remote_version=self.stored.version,
            )
        )
        if isinstance(told, DeliveryError):
            step = f"Check {'update' if name == 'correct' else name} in the destination file; look at the test patient."
            return _fault(name, _words(told), told.next_step or step)
        self.stored = told
        return _ok(name, done)

    def _deliver(self, value: Submission) -> DeliveryReceipt | DeliveryError:
        try:
            body = payload_of(
                value,
                self.instrument,
                destination=self.destination.file,
                now=self.value.created_at,
                portal_patient_id=self.portal_patient_id,
            )
            return self.client.deliver(replace(value, payload=body))
        except DeliveryError as error:
            return error


def _words(error: DeliveryError) -> str:
    return f"{error.message} ({error.code})" if error.code else error.message


def _probe_folder(destination: ConfiguredDestination, *, write: bool) -> Iterator[ProbeCheck]:
    folder = destination.settings.folder
    assert folder is not None
    if not folder.is_dir():
        yield _fault("folder", "The folder is not there.", "Mount the share, or correct folder.", unreachable=True)
        return
    yield _ok("folder", "The folder is there.")
    try:
        if write:
            prepare(folder)
        if not is_prepared(folder):
            step = "If the share is mounted, run this command with --write."
            yield _fault("prepared", "The folder is not prepared; without that nothing is put there.", step)
            return
        yield _ok("prepared", "The folder is prepared.")
        if write:
            try_folder(folder)
            yield _ok("write", "A file can be written, moved and removed, out of the portal's sight.")
    except OSError as error:
        yield _fault("write", f"The folder cannot be written ({type(error).__name__}).", "Check its rights and space.")
