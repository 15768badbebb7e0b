"""The table of which patient of the roster is which patient at a portal. Only `store` sees it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable


class PortalPatientRow(StoreTable, table=True):
    """The portal's own id of a patient, as it was found and compared with the roster at `verified_at`."""

    __tablename__ = "portal_patient"

    destination: str = Field(primary_key=True)
    patient_id: str = Field(primary_key=True)
    portal_id: str
    verified_at: datetime = Field(sa_type=UtcDateTime)
