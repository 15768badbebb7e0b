"""Makes the bytes of a submission once, from what is known of its record, its patient at the portal and its print."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from portal.client import PortalClient
from portal.connections import ConfiguredDestination, Deliverer
from portal.document_digests import DocumentDigests
from portal.offered_record import Sender
from portal.patients import known_id, resolve
from portal.payloads import make_payload
from records.errors import DeliveryDeferredError
from records.submission import Submission
from store import outbox
from store.database import Database, Session
from store.outbox import ConfirmedRecord


class PayloadFreezer:
    """Makes the payloads of one destination."""

    def __init__(self, *, database: Database, destination: ConfiguredDestination, sender: Sender) -> None:
        self._database = database
        self._file = destination.file
        self._looks = destination.patients is not None
        self._sender = sender
        self._digests = DocumentDigests(database) if destination.file.asks_for("sha1") else None

    def payload(
        self, session: Session, submission: Submission, record: ConfirmedRecord, *, now: datetime
    ) -> bytes | None:
        """The bytes, or None where the portal must be asked for the patient first.

        Raises:
            DeliveryHeldError: As `make_payload`.
        """
        portal_patient_id = known_id(session, submission, now=now) if self._looks else submission.patient_id
        if portal_patient_id is None:
            return None
        return self._made(session, submission, record, portal_patient_id)

    def frozen_after_look(self, client: Deliverer, submission: Submission, *, owner: str, now: datetime) -> Submission:
        """The submission, claimed by `owner`, with its payload frozen, after the portal was asked for its patient.

        Raises:
            DeliveryError: As `resolve` and `make_payload`.
        """
        assert isinstance(client, PortalClient), "only a portal that answers is asked for patients"
        portal_patient_id = resolve(client, self._database, submission, now=now)
        number = submission.submission_id
        with self._database.session() as session:
            record = outbox.told_by(session, [number])[number]
            payload = self._made(session, submission, record, portal_patient_id)
            leased = outbox.freeze_many(session, {number: payload}, self._file.mapping_revision, owner=owner)
        if number not in leased:
            raise DeliveryDeferredError("Looking for the patient took longer than the lease.", code="given-back")
        return replace(submission, payload=payload)

    def _made(self, session: Session, submission: Submission, record: ConfirmedRecord, portal_patient_id: str) -> bytes:
        return make_payload(
            submission,
            record,
            destination=self._file,
            sender=self._sender,
            portal_patient_id=portal_patient_id,
            document_sha1=None if self._digests is None else self._digests.sha1(session, record.report_id),
        )
