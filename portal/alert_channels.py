"""How a notice reaches a person: a webhook, a mail. Neither says who it is about: only a row's number."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Final, Protocol

from portal.http import MaybeSentError, NeverSentError, exchange, make_client
from portal.secret_places import read_secret
from portal.settings import AlertSettings, SmtpSettings
from records.errors import DeliveryDeferredError, SettingsError

UNREACHABLE: Final = "unreachable"
_REFUSED: Final = "refused"
_ANSWER_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalMessage:
    """A critical answer waits for a person.

    Attributes:
        step: 1 for the first time it is told, then counted up.
    """

    alert_id: int
    site: str
    raised_at: datetime
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """One message to the operator, without patient data."""

    notice_id: int
    kind: str
    subject: str
    sentence: str
    left_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorMessage:
    """What the operator should know, gathered."""

    lines: tuple[NoticeLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestMessage:
    """A test of the way a critical answer would take."""

    __test__ = False  # not a test case, whatever its name begins with

    sent_at: datetime


Message = CriticalMessage | OperatorMessage | TestMessage


class Channel(Protocol):
    """One way to a person."""

    @property
    def name(self) -> str:
        """For logs and notices."""

    def send(self, message: Message) -> None:
        """Hand the message over.

        Raises:
            DeliveryDeferredError: It was not taken; try again. Code `UNREACHABLE`: the others would not be either.
        """


class Webhook:
    """Posts a JSON object; any 2xx is an acknowledgement of receipt."""

    name = "webhook"

    def __init__(self, settings: AlertSettings) -> None:
        self._url = settings.webhook or ""
        self._token = settings.webhook_token

    def send(self, message: Message) -> None:
        """Post one message."""
        headers = {"Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {_secret(self._token)}"
        content = json.dumps(_as_json(message), ensure_ascii=False).encode()
        try:
            with make_client(read_seconds=_ANSWER_SECONDS) as client:
                answer = exchange(
                    client, "POST", self._url, headers=headers, content=content, deadline_seconds=_ANSWER_SECONDS
                )
        except (NeverSentError, MaybeSentError) as error:
            raise DeliveryDeferredError(f"The webhook does not answer ({error}).", code=UNREACHABLE) from None
        if not 200 <= answer.status < 300:
            raise DeliveryDeferredError(f"The webhook answers {answer.status}.", code=_REFUSED)


class Mail:
    """Sends a plain text mail through the clinic's mail server."""

    name = "mail"

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings

    def send(self, message: Message) -> None:
        """Send one mail to everybody who is to be told at this step."""
        try:
            with self._server() as server:
                server.send_message(self._mail(message))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise DeliveryDeferredError(f"The mail was refused ({type(error).__name__}).", code=_REFUSED) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise DeliveryDeferredError(f"The mail server fails ({type(error).__name__}).", code=UNREACHABLE) from None

    def _mail(self, message: Message) -> EmailMessage:
        settings, mail = self._settings, EmailMessage()
        later = settings.escalate_to if isinstance(message, CriticalMessage) and message.step > 1 else ()
        mail["From"], mail["To"] = settings.sender, ", ".join(dict.fromkeys(settings.recipients + later))
        mail["Subject"], text = _as_text(message)
        mail["Date"] = format_datetime(_moment(message))
        mail["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        mail.set_content(text)
        return mail

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        with smtplib.SMTP(settings.host, settings.port, timeout=_ANSWER_SECONDS) as server:
            if settings.starttls:
                server.starttls(context=ssl.create_default_context(cafile=settings.ca_file))
            if settings.user is not None and settings.password is not None:
                server.login(settings.user, _secret(settings.password))
            yield server


def channels_of(settings: AlertSettings) -> tuple[Channel, ...]:
    """Every channel that is set."""
    channels: list[Channel] = []
    if settings.webhook is not None:
        channels.append(Webhook(settings))
    if settings.smtp is not None:
        channels.append(Mail(settings.smtp))
    return tuple(channels)


def _secret(reference: str) -> str:
    try:
        return read_secret(reference).get_secret_value()
    except SettingsError as error:
        raise DeliveryDeferredError(error.message, next_step=error.next_step, code=UNREACHABLE) from None


def _as_json(message: Message) -> dict[str, object]:
    if isinstance(message, CriticalMessage):
        return {
            "kind": "critical-alert",
            "alert": message.alert_id,
            "site": message.site,
            "raised_at": message.raised_at.isoformat(),
            "step": message.step,
        }
    if isinstance(message, OperatorMessage):
        lines = [
            {
                "notice": line.notice_id,
                "kind": line.kind,
                "subject": line.subject,
                "sentence": line.sentence,
                "raised_at": line.left_at.isoformat(),
            }
            for line in message.lines
        ]
        return {"kind": "operator-notices", "notices": lines}
    return {"kind": "test", "sent_at": message.sent_at.isoformat()}


def _as_text(message: Message) -> tuple[str, str]:
    """Subject and text."""
    if isinstance(message, CriticalMessage):
        urgency = "" if message.step == 1 else f" (told {message.step} times, not acknowledged)"
        return (
            f"[{_one_line(message.site)}] Critical answer, alert {message.alert_id}{urgency}",
            f"A critical answer at {message.site} waits for a person: alert {message.alert_id}.\n"
            f"Raised {message.raised_at:%Y-%m-%d %H:%M} UTC, step {message.step}.\n\n"
            "Open the alert in Scorebridge and acknowledge it there.\n",
        )
    if isinstance(message, OperatorMessage):
        text = "".join(
            f"{line.left_at:%Y-%m-%d %H:%M} UTC  {line.kind}  {line.subject}\n  {line.sentence}\n\n"
            for line in message.lines
        )
        return f"Scorebridge: {len(message.lines)} notice(s) for the operator", text
    return "Scorebridge: test of the alert channel", "This is a test. A critical answer would come this way.\n"


def _moment(message: Message) -> datetime:
    if isinstance(message, CriticalMessage):
        return message.raised_at
    return message.lines[-1].left_at if isinstance(message, OperatorMessage) else message.sent_at


def _one_line(text: str) -> str:
    return " ".join(text.split())
