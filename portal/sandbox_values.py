"""What the sandbox portal stores, and how it may misbehave; without a web framework, so that both are plain values."""

from __future__ import annotations

import json
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class MeasureItem(BaseModel):
    """One answer; `value` is null where it was left blank."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    linkId: str = Field(min_length=1, max_length=64)  # noqa: N815  # names of the interface
    value: int | None


class OutcomeMeasure(BaseModel):
    """A result as a sender gives it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    externalId: str = Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$")  # noqa: N815
    instrument: str = Field(min_length=1, max_length=64)
    loinc: Annotated[str, Field(pattern=r"^\d{1,7}-\d$")] | None
    score: Annotated[int, Field(strict=True)]
    administeredOn: date  # noqa: N815
    status: Literal["final", "corrected", "entered-in-error"]
    items: tuple[MeasureItem, ...]


class StoredMeasure(OutcomeMeasure):
    """A result as it is stored and shown.

    Attributes:
        version: "1" for the first, then counted up with every change.
    """

    id: str
    patientId: str  # noqa: N815
    version: str


class BatchEntry(BaseModel):
    """One result of several."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patientId: str = Field(min_length=1)  # noqa: N815
    idempotencyKey: str = Field(min_length=1, max_length=255)  # noqa: N815
    measure: OutcomeMeasure


class MeasureBatch(BaseModel):
    """Several results in one request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measures: tuple[BatchEntry, ...] = Field(min_length=1, max_length=50)


class BatchResult(BaseModel):
    """What became of one of them; `measure` is null unless it is stored."""

    status: int
    measure: StoredMeasure | None = None


class BatchResults(BaseModel):
    """What became of each, in the order they came."""

    results: list[BatchResult]


class Fault(StrEnum):
    """One way to misbehave."""

    NONE = "none"
    UNAVAILABLE = "unavailable"  # 503
    TOO_MANY = "too_many"  # 429 with Retry-After
    HANG = "hang"  # nothing for a while, then carried out all the same
    SLOW = "slow"  # carried out, the answer comes late
    COMMIT_THEN_CUT = "commit_then_cut"  # carried out, then the connection is cut without an answer
    CUT_BEFORE_COMMIT = "cut_before_commit"  # cut without having done anything
    WRONG_ECHO = "wrong_echo"  # carried out, but the answer shows another score
    UNAUTHORIZED = "unauthorized"  # 401


class Faults(BaseModel):
    """How often the sandbox misbehaves; each rate is a share of requests, and together they are at most 1.

    Attributes:
        methods: Requests that faults befall.
        seed: The same seed and the same order of requests give the same faults.
        next: Faults of the next requests, in order, before rates count again ("none" lets one through).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unavailable: float = Field(default=0, ge=0, le=1)
    too_many: float = Field(default=0, ge=0, le=1)
    hang: float = Field(default=0, ge=0, le=1)
    slow: float = Field(default=0, ge=0, le=1)
    commit_then_cut: float = Field(default=0, ge=0, le=1)
    cut_before_commit: float = Field(default=0, ge=0, le=1)
    wrong_echo: float = Field(default=0, ge=0, le=1)
    unauthorized: float = Field(default=0, ge=0, le=1)
    retry_after: float = Field(default=1, ge=0)
    hang_seconds: float = Field(default=60, ge=0)
    slow_seconds: float = Field(default=1, ge=0)
    methods: tuple[Literal["GET", "POST", "PUT"], ...] = ("GET", "POST", "PUT")
    seed: int = 0
    next: tuple[Fault, ...] = ()

    def rates(self) -> Iterator[tuple[Fault, float]]:
        """Each fault with its rate."""
        for fault in Fault:
            if fault is not Fault.NONE:
                yield fault, float(getattr(self, fault.value))


class FaultPlan:
    """Draws the fault of each request; for many threads.

    Attributes:
        requests: How many there were by method, and by fault.
    """

    def __init__(self, faults: Faults | None = None) -> None:
        self._lock = threading.Lock()
        self.requests: Counter[str] = Counter()
        self.plan(faults or Faults())

    def plan(self, faults: Faults) -> None:
        """Start anew with these faults."""
        with self._lock:
            self.faults = faults
            self._random = random.Random(faults.seed)  # noqa: S311  # not a secret
            self._scripted = list(faults.next)

    def draw(self, method: str) -> Fault:
        """The fault that befalls the next request."""
        with self._lock:
            fault = self._drawn(method)
            self.requests.update((method, fault.value))
            return fault

    def _drawn(self, method: str) -> Fault:
        if method not in self.faults.methods:
            return Fault.NONE
        if self._scripted:
            return self._scripted.pop(0)
        point, reached = self._random.random(), 0.0
        for fault, rate in self.faults.rates():
            reached += rate
            if point < reached:
                return fault
        return Fault.NONE


class KeyInUseError(Exception):
    """The first request with this idempotency key has not ended."""


class OtherBodyError(Exception):
    """The idempotency key was used with another request."""


class Values:
    """What is stored, by the portal's own id, in memory and, given a file, in JSON lines that survive a restart."""

    def __init__(self, *, state: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._measures: dict[str, StoredMeasure] = {}
        self._by_key: dict[str, tuple[str, StoredMeasure]] = {}
        self._in_progress: set[str] = set()
        self._writes = 0
        self._file = None
        if state is not None:
            self._load(state)
            self._file = state.open("a", encoding="utf-8")

    def _load(self, state: Path) -> None:
        if not state.exists():
            return
        whole, _, torn = state.read_text("utf-8").rpartition("\n")
        for line in whole.splitlines():
            entry = json.loads(line)
            self._keep(StoredMeasure.model_validate(entry["measure"]), key=entry["key"], request=entry["request"])
        if torn:  # the process ended while it wrote: that request was never answered
            state.write_text(f"{whole}\n" if whole else "", "utf-8")

    def begin(self, key: str, request: str) -> StoredMeasure | None:
        """Take an idempotency key; a result if the same request was carried out before.

        Raises:
            KeyInUseError, OtherBodyError: See there.
        """
        with self._lock:
            known = self._by_key.get(key)
            if known is not None:
                if known[0] != request:
                    raise OtherBodyError
                return known[1]
            if key in self._in_progress:
                raise KeyInUseError
            self._in_progress.add(key)
            return None

    @property
    def under_way(self) -> int:
        """How many requests have taken their key and not ended."""
        with self._lock:
            return len(self._in_progress)

    def end(self, key: str) -> None:
        """Give the key back if nothing was stored under it."""
        with self._lock:
            self._in_progress.discard(key)

    def put(
        self, measure: OutcomeMeasure, *, patient_id: str, measure_id: str | None, key: str, request: str
    ) -> StoredMeasure:
        """Store a new result (`measure_id` None) or a new version of one."""
        with self._lock:
            given = measure_id or f"om-{len(self._measures) + 1}"
            before = self._measures.get(given)
            version = "1" if before is None else str(int(before.version) + 1)
            stored = StoredMeasure(**measure.model_dump(), id=given, patientId=patient_id, version=version)
            if self._file is not None:
                entry = {"measure": stored.model_dump(mode="json"), "key": key, "request": request}
                self._file.write(json.dumps(entry) + "\n")
                self._file.flush()
                os.fsync(self._file.fileno())
            self._keep(stored, key=key, request=request)
            return stored

    def _keep(self, stored: StoredMeasure, *, key: str, request: str) -> None:
        self._measures[stored.id] = stored
        if key:
            self._by_key[key] = (request, stored)
            self._in_progress.discard(key)
        self._writes += 1

    def get(self, patient_id: str, measure_id: str) -> StoredMeasure | None:
        """One result of one patient."""
        with self._lock:
            measure = self._measures.get(measure_id)
        return measure if measure is not None and measure.patientId == patient_id else None

    def of_patient(self, patient_id: str, external_id: str | None) -> list[StoredMeasure]:
        """Results of one patient, oldest first; all, or those with the sender's id."""
        return [
            measure
            for measure in self.all()
            if measure.patientId == patient_id and external_id in (None, measure.externalId)
        ]

    def all(self) -> list[StoredMeasure]:
        """Everything, oldest first."""
        with self._lock:
            return list(self._measures.values())

    @property
    def writes(self) -> int:
        """How many times something was stored or changed, since the first start."""
        with self._lock:
            return self._writes

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
