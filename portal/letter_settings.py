"""What is set for the letter about each day: by which mail server, to whom, when."""

from __future__ import annotations

from datetime import time
from typing import Literal

from pydantic import field_validator

from portal.access_settings import StrictSettings, Url
from portal.alert_settings import SmtpSettings


class LetterSettings(StrictSettings):
    """A mail about each site's day, without patient data.

    Attributes:
        at: Local time at which it goes out at the latest.
        when: "at" waits for that time; "complete" sends as soon as every expected report came and was read.
        address: Where the pages are reached, for the link in it; None for no link.
    """

    smtp: SmtpSettings
    at: time = time(8)
    when: Literal["at", "complete"] = "at"
    address: Url | None = None

    @field_validator("smtp")
    @classmethod
    def _has_no_ladder(cls, smtp: SmtpSettings) -> SmtpSettings:
        if smtp.escalate_to:
            raise ValueError("escalate_to is for alerts")
        return smtp
