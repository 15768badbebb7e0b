"""What is set for alerts: who is told of a critical answer, over which channels, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from portal.access_settings import AccessSettings, BaseUrl, StrictSettings, Url, is_loopback
from portal.alert_ladder import Ladder, Rung, even_ladder
from portal.secret_places import SecretReference

WEBHOOK: Final = "webhook"
MAIL: Final = "mail"


def _checked_mailbox(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or any(sign.isspace() or not sign.isprintable() for sign in address):
        raise ValueError("not a mail address")
    return address


def _split_words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


Mailbox = Annotated[str, AfterValidator(_checked_mailbox)]
Mailboxes = Annotated[tuple[Mailbox, ...], BeforeValidator(_split_words)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split_words)]


class SmtpSettings(StrictSettings):
    """The mail server that carries notices.

    Attributes:
        sender: Written `from` in the file.
        recipients: Written `to` in the file.
        escalate_to: Who is told as well from the second step on.
        starttls: False only for a relay that does not offer it; never together with a password, except on this machine.
        ca_file: Certificate authority of the mail server, where it is the clinic's own.
    """

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    sender: Mailbox = Field(alias="from")
    recipients: Mailboxes = Field(alias="to", min_length=1)
    escalate_to: Mailboxes = ()
    starttls: bool = True
    user: str | None = None
    password: SecretReference | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> SmtpSettings:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if self.password is not None and not self.starttls and not is_loopback(self.host):
            raise ValueError("a password needs starttls")
        return self


class TaskServerSettings(AccessSettings):
    """A FHIR R4 server on which each alert becomes a Task.

    Attributes:
        patient_reference: How the server names a patient; `{patient_id}` is the roster's id or, with `patients_of`, the
            server's own.
        patients_of: Id of a destination at the same server that looks its patients up: a task names a patient once that
            destination has found them and knows that it is the same person.
    """

    base_url: BaseUrl
    patient_reference: str = Field(default="Patient/{patient_id}", pattern=r"^[A-Za-z0-9/.\-]*\{patient_id\}$")
    patients_of: str | None = None


class AlertChannelSettings(StrictSettings):
    """One way to people, by name: a webhook, a mail server, or a FHIR server.

    Attributes:
        webhook: Gets a JSON message without patient data.
        webhook_token: Place of a bearer token for it.
        notices: Whether messages to the operator go this way too; never to a FHIR server.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    webhook: Url | None = None
    webhook_token: SecretReference | None = None
    smtp: SmtpSettings | None = None
    fhir: TaskServerSettings | None = None
    notices: bool = True

    @model_validator(mode="after")
    def _is_one_way(self) -> AlertChannelSettings:
        if sum(way is not None for way in (self.webhook, self.smtp, self.fhir)) != 1:
            raise ValueError("a channel is one of webhook, smtp and fhir")
        if self.webhook_token is not None and self.webhook is None:
            raise ValueError("webhook_token without webhook")
        return self

    @property
    def takes_notices(self) -> bool:
        """Whether messages to the operator go this way."""
        return self.notices and self.fhir is None


class AlertRungSettings(StrictSettings):
    """Who is told when an alert has been open for so long.

    Attributes:
        after_minutes: Since it was raised; 0 for the first rung.
        channels: Names of channels.
    """

    after_minutes: float = Field(ge=0)
    channels: Names = Field(min_length=1)


class AlertSettings(StrictSettings):
    """Who is told of a critical answer, and how often.

    Either `webhook` and `smtp`, told together `steps` times `escalate_after_minutes` apart, or named channels on the
    rungs of a ladder. The last rung is told again every `repeat_minutes` until somebody takes the alert.

    Attributes:
        webhook: Gets a JSON message without patient data.
        webhook_token: Place of a bearer token for it.
        escalate_after_minutes: Time until the next step when nobody acknowledged.
        steps: How many steps there are before the last one is repeated.
        channel: Named channels, in place of `webhook` and `smtp`.
        rung: The ladder; without it, all channels are told on each of `steps` rungs.
        repeat_minutes: How often the last rung is told again, at most.
        notices_every_minutes: Messages to the operator are gathered and sent together, at most this often.
    """

    webhook: Url | None = None
    webhook_token: SecretReference | None = None
    smtp: SmtpSettings | None = None
    escalate_after_minutes: float = Field(default=15.0, gt=0)
    steps: int = Field(default=4, ge=1, le=100)
    channel: tuple[AlertChannelSettings, ...] = ()
    rung: tuple[AlertRungSettings, ...] = ()
    repeat_minutes: float = Field(default=60.0, ge=1)
    notices_every_minutes: float = Field(default=5.0, ge=0)

    @model_validator(mode="after")
    def _fits_together(self) -> AlertSettings:
        if not self.channels:
            raise ValueError('name a webhook or smtp, or a [[alerts.channel]], or write alerts = "none" to do without')
        faults = [*self._channel_faults(), *self._rung_faults()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _channel_faults(self) -> Iterator[str]:
        if self.channel and (self.webhook is not None or self.smtp is not None):
            yield "webhook and smtp are for an [alerts] section without [[alerts.channel]]"
        names = [channel.name for channel in self.channel]
        yield from (f"channel {name} is set twice" for name in sorted({n for n in names if names.count(n) > 1}))
        if self.channel and not any(channel.takes_notices for channel in self.channel):
            yield "no channel takes notices to the operator: leave out notices = false for one of webhook and smtp"

    def _rung_faults(self) -> Iterator[str]:
        if not self.rung:
            return
        if self.model_fields_set & {"escalate_after_minutes", "steps"}:
            yield "escalate_after_minutes and steps are for an [alerts] section without [[alerts.rung]]"
        known = {channel.name for channel in self.channels}
        named = {name for rung in self.rung for name in rung.channels}
        yield from (f"rung: there is no channel {name}" for name in sorted(named - known))
        yield from (f"channel {name} is on no rung" for name in sorted(known - named))
        times = [rung.after_minutes for rung in self.rung]
        if times[0] != 0:
            yield "the first rung tells at once: after_minutes = 0"
        if sorted(set(times)) != times:
            yield "after_minutes must rise from rung to rung"

    @property
    def channels(self) -> tuple[AlertChannelSettings, ...]:
        """Every channel by its name; `webhook` and `smtp` of the simple form are named "webhook" and "mail"."""
        if self.channel:
            return self.channel
        simple = []
        if self.webhook is not None:
            simple.append(AlertChannelSettings(name=WEBHOOK, webhook=self.webhook, webhook_token=self.webhook_token))
        if self.smtp is not None:
            simple.append(AlertChannelSettings(name=MAIL, smtp=self.smtp))
        return tuple(simple)

    @property
    def ladder(self) -> Ladder:
        """The ladder that these settings describe."""
        repeat = timedelta(minutes=self.repeat_minutes)
        if self.rung:
            rungs = tuple(
                Rung(after=timedelta(minutes=rung.after_minutes), channels=frozenset(rung.channels))
                for rung in self.rung
            )
            return Ladder(rungs=rungs, repeat=repeat)
        every = timedelta(minutes=self.escalate_after_minutes)
        return even_ladder([channel.name for channel in self.channels], steps=self.steps, every=every, repeat=repeat)


# `alerts = "none"` is a person's decision to do without; a missing section is a mistake and stops the start.
AlertsSetting = AlertSettings | Literal["none"]
