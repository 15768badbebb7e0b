"""The sandbox portal's values behind an HTTP client without a network: quick, and it can end the sender's process."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import httpx
import pytest

from portal import access
from portal.sandbox_values import OtherBodyError, OutcomeMeasure, StoredMeasure, Values

_PLACE = re.compile(r"/v1/patients/(?P<patient>[^/]+)/outcome-measures(?:/(?P<measure>[^/]+))?")


class Mishap(StrEnum):
    """What befalls one request."""

    NONE = "none"
    NOT_REACHED = "not-reached"
    UNAVAILABLE = "unavailable"  # 503
    GATEWAY = "gateway"  # carried out, and a gateway answers 504
    LOST = "lost"  # carried out, the answer is lost
    DROPPED = "dropped"  # nothing is carried out, and nothing is answered
    LATE = "late"  # carried out later, the answer is lost
    WRONG_ECHO = "wrong-echo"  # carried out, the answer shows another score
    REFUSED = "refused"  # 422
    UNAUTHORISED = "unauthorised"  # 401
    NO_PATIENT = "no-patient"  # 404
    KILLED = "killed"  # carried out, and the sender's process dies before it reads the answer
    KILLED_BEFORE = "killed-before"


_REFUSALS = {Mishap.UNAVAILABLE: 503, Mishap.REFUSED: 422, Mishap.UNAUTHORISED: 401, Mishap.NO_PATIENT: 404}
_OF_WRITING = (Mishap.REFUSED, Mishap.NO_PATIENT)


class ProcessDied(BaseException):
    """No handler of errors sees this, as none sees SIGKILL."""


class PortalInProcess:
    """One portal.

    Attributes:
        mishaps: Of the next requests, in order.
        values: What it has.
    """

    def __init__(self) -> None:
        self.values = Values()
        self.mishaps: list[Mishap] = []
        self._late: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or do not."""
        mishap = self.mishaps.pop(0) if self.mishaps else Mishap.NONE
        refusal = _REFUSALS.get(mishap)
        if refusal is not None and (request.method != "GET" or mishap not in _OF_WRITING):
            return httpx.Response(refusal, json={})
        self._not_carried_out(mishap, request)
        answered = self._carry_out(request)
        match mishap:
            case Mishap.LOST:
                raise httpx.ReadError("cut", request=request)
            case Mishap.KILLED:
                raise ProcessDied
            case Mishap.GATEWAY:
                return httpx.Response(504, json={})
            case Mishap.WRONG_ECHO if request.method != "GET" and answered.status_code < 300:
                return httpx.Response(answered.status_code, json={**answered.json(), "score": -1})
        return answered

    def _not_carried_out(self, mishap: Mishap, request: httpx.Request) -> None:
        match mishap:
            case Mishap.NOT_REACHED:
                raise httpx.ConnectError("refused", request=request)
            case Mishap.DROPPED:
                raise httpx.ReadError("cut", request=request)
            case Mishap.LATE:
                self._late.append(request)
                raise httpx.ReadError("cut", request=request)
            case Mishap.KILLED_BEFORE:
                raise ProcessDied

    def late_arrivals(self) -> None:
        """Carry out what is still under way."""
        for request in self._late:
            self._carry_out(request)
        self._late.clear()

    def _carry_out(self, request: httpx.Request) -> httpx.Response:
        found = _PLACE.fullmatch(request.url.path)
        assert found is not None
        patient, measure_id = found["patient"], found["measure"]
        if request.method == "GET":
            shown = self.values.of_patient(patient, request.url.params.get("externalId"))
            return httpx.Response(200, json=[_shown(one) for one in shown])
        measure = OutcomeMeasure.model_validate(json.loads(request.content))
        if measure_id is not None:
            before = self.values.get(patient, measure_id)
            if before is None or before.externalId != measure.externalId:
                return httpx.Response(404, json={})
        key = request.headers["Idempotency-Key"]
        digest = hashlib.sha256(f"{request.method} {request.url.path}".encode() + request.content).hexdigest()
        try:
            repeated = self.values.begin(key, digest)
        except OtherBodyError:
            return httpx.Response(422, json={})
        if repeated is None:
            repeated = self.values.put(measure, patient_id=patient, measure_id=measure_id, key=key, request=digest)
            self.values.end(key)
        return httpx.Response(200, json=_shown(repeated))


def _shown(measure: StoredMeasure) -> dict[str, object]:
    return measure.model_dump(mode="json")


@contextmanager
def reached_in_process(portals: dict[str, PortalInProcess]) -> Iterator[None]:
    """Requests go to the portal whose host they name."""

    def answer(request: httpx.Request) -> httpx.Response:
        return portals[request.url.host].answer(request)

    def make_client(**_: object) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(answer), trust_env=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "make_client", make_client)
        yield
