"""What is set for destinations, and for a roster from a FHIR server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from portal.access_settings import AccessSettings, BaseUrl
from records.submission import DestinationMode


def _split_words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


class DestinationSettings(AccessSettings):
    """One portal.

    Attributes:
        destination_id: Name in the outbox; written `id` in the file.
        file: Destination file, beside the settings or one of those that come with the program.
        allow_list: Patients that may be sent in mode "staging".
        base_url: Where the portal is, for a destination file that speaks HTTP.
        folder: Where CSV files are put, for a destination file of the kind csv.
        variables: Values for the variables of the destination file.
        rate_per_second: Requests per second to this portal, all threads together; None for what the destination file
            says, or 50. Never more than the file allows.
        probe_patient: A test patient at the portal that `destination probe --write` may write to.
        read_back: After each success, look whether the portal shows what was sent.
        send_shadow_backlog: Once out of shadow mode, send what was held in it. False by default: in that time somebody
            went on typing, and nobody but the clinic knows what the portal has already.
        batch_size: How many new values go in one request, where the destination file says how; 1 for each by itself.
        hold_minutes: How long a decision can be undone before its value is sent; withdrawals never wait.
        daily_limit: How many new values go in a day for the first days in mode "live"; None for no limit.
        daily_limit_days: For how many days, the day of going live included.
    """

    destination_id: str = Field(alias="id", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    file: str = Field(min_length=1)
    base_url: BaseUrl | None = None
    folder: Path | None = None
    variables: dict[str, str | int | bool] = Field(default_factory=dict)
    mode: DestinationMode = DestinationMode.SHADOW
    allow_list: Annotated[tuple[str, ...], BeforeValidator(_split_words)] = ()
    rate_per_second: float | None = Field(default=None, gt=0, le=1000)
    probe_patient: str | None = Field(default=None, min_length=1)
    read_back: bool = True
    send_shadow_backlog: bool = False
    batch_size: int = Field(default=1, ge=1, le=1000)
    hold_minutes: float = Field(default=0.0, ge=0, le=24 * 60)
    daily_limit: int | None = Field(default=None, ge=1)
    daily_limit_days: int = Field(default=14, ge=1, le=366)

    @model_validator(mode="after")
    def _fits_together(self) -> DestinationSettings:
        faults = list(self._access_faults())
        if (self.base_url is None) == (self.folder is None):
            faults.append("either base_url or, for CSV files, folder")
        if self.mode is DestinationMode.STAGING and not self.allow_list:
            faults.append("mode staging needs an allow_list of patients")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class PatientSearchSettings(AccessSettings):
    """A FHIR R4 server whose Patient search lists the patients of one site.

    Attributes:
        query: Search parameters that say who belongs to the site; without `active=true`, so that inactive and merged
            patients are known as such.
        patient_id: What the portal knows a patient by: "id", the resource's own, or "identifier:SYSTEM".
        identifier_system: System of the medical record numbers; None for identifiers of the type MR.
        page_seconds: Longest wait for one page of the answer.
    """

    base_url: BaseUrl
    query: str = "_count=200"
    patient_id: str = Field(default="id", pattern=r"^(id|identifier:\S+)$")
    identifier_system: str | None = Field(default=None, min_length=1)
    page_seconds: float = Field(default=60.0, gt=0, le=600)

    @model_validator(mode="after")
    def _fits_together(self) -> PatientSearchSettings:
        faults = list(self._access_faults())
        if any(sign.isspace() or sign in "?#" for sign in self.query):
            faults.append("query is what follows the question mark, such as organization=12&_count=200")
        if faults:
            raise ValueError("; ".join(faults))
        return self
