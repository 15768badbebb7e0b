"""How a message reaches a person: a webhook, a mail, a task at a FHIR server."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Final, Protocol

from portal.alert_messages import (
    ChannelReceipt,
    CriticalMessage,
    DayLetterMessage,
    Message,
    TaskMessage,
    WrittenMessage,
    as_json,
    as_text,
    moment,
)
from portal.alert_settings import AlertChannelSettings, AlertSettings, SmtpSettings
from portal.alert_tasks import TaskServer
from portal.http import MaybeSentError, NeverSentError, exchange, make_client
from portal.secret_places import SecretReference, read_secret
from records.errors import DeliveryDeferredError, SettingsError

UNREACHABLE: Final = "unreachable"
REFUSED: Final = "refused"
_ANSWER_SECONDS: Final = 10.0


class Channel(Protocol):
    """One way to a person."""

    @property
    def name(self) -> str:
        """As in the settings; for logs and notices."""

    @property
    def takes_notices(self) -> bool:
        """Whether messages to the operator go this way."""

    @property
    def keeps_tasks(self) -> bool:
        """Whether an alert is told once and then kept up to date, instead of told again on every step."""

    @property
    def patients_of(self) -> str | None:
        """The destination as which its tasks know patients; None if they are known by the roster's ids."""

    def send(self, message: Message) -> ChannelReceipt:
        """Hand the message over.

        Raises:
            DeliveryDeferredError: It was not taken; try again. Code `REFUSED`: others may well be taken.
        """


class Webhook:
    """Posts a JSON object; any 2xx is an acknowledgement of receipt."""

    keeps_tasks = False
    patients_of: str | None = None

    def __init__(self, name: str, url: str, *, token: SecretReference | None, takes_notices: bool = True) -> None:
        self.name = name
        self.takes_notices = takes_notices
        self._url = url
        self._token = token

    def send(self, message: Message) -> ChannelReceipt:
        """Post one message."""
        written = _written(message)
        headers = {"Content-Type": "application/json"}
        if isinstance(written, CriticalMessage):
            headers["Idempotency-Key"] = written.reference
        if self._token is not None:
            headers["Authorization"] = f"Bearer {_secret(self._token)}"
        content = json.dumps(as_json(written), ensure_ascii=False).encode()
        try:
            with make_client(read_seconds=_ANSWER_SECONDS) as client:
                answer = exchange(
                    client, "POST", self._url, headers=headers, content=content, deadline_seconds=_ANSWER_SECONDS
                )
        except (NeverSentError, MaybeSentError) as error:
            raise DeliveryDeferredError(f"The webhook does not answer ({error}).", code=UNREACHABLE) from None
        if not 200 <= answer.status < 300:
            raise DeliveryDeferredError(f"The webhook answers {answer.status}.", code=REFUSED)
        return ChannelReceipt(known_as=f"http-{answer.status}")


class Mail:
    """Sends a plain text mail through the clinic's mail server."""

    keeps_tasks = False
    patients_of: str | None = None

    def __init__(self, name: str, settings: SmtpSettings, *, folder: Path, takes_notices: bool = True) -> None:
        self.name = name
        self.takes_notices = takes_notices
        self._settings = settings
        self._folder = folder

    def send(self, message: Message) -> ChannelReceipt:
        """Send one mail to everybody who is to be told at this step; known by its Message-ID."""
        mail = self._mail(_written(message))
        try:
            with self._server() as server:
                refused = server.send_message(mail)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise DeliveryDeferredError(f"The mail was refused ({type(error).__name__}).", code=REFUSED) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise DeliveryDeferredError(f"The mail server fails ({type(error).__name__}).", code=UNREACHABLE) from None
        # The others have it: sending it to them again would not help whom the server refuses.
        return ChannelReceipt(known_as=str(mail["Message-ID"]), refused=len(refused))

    def _mail(self, message: WrittenMessage) -> EmailMessage:
        settings, mail = self._settings, EmailMessage()
        domain = settings.sender.rpartition("@")[2]
        critical = isinstance(message, CriticalMessage)
        later = settings.escalate_to if isinstance(message, CriticalMessage) and message.step > 1 else ()
        mail["From"], mail["To"] = settings.sender, ", ".join(dict.fromkeys(settings.recipients + later))
        mail["Subject"], text = as_text(message)
        mail["Date"] = format_datetime(moment(message))
        # The same mail told twice has one id, and mail programs show it once.
        mail["Message-ID"] = (
            f"<{message.reference}@{domain}>"
            if isinstance(message, CriticalMessage | DayLetterMessage)
            else make_msgid(domain=domain)
        )
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        if critical:
            mail["Importance"] = "high"  # RFC 2156, section 5.3.4
        mail.set_content(text)
        return mail

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        with smtplib.SMTP(settings.host, settings.port, timeout=_ANSWER_SECONDS) as server:
            if settings.starttls:
                ca_file = None if settings.ca_file is None else self._folder / settings.ca_file
                server.starttls(context=ssl.create_default_context(cafile=ca_file))
            if settings.user is not None and settings.password is not None:
                server.login(settings.user, _secret(settings.password))
            yield server


def channels_of(settings: AlertSettings, *, folder: Path = Path()) -> tuple[Channel, ...]:
    """Every channel that is set; relative files are relative to `folder`.

    Raises:
        SettingsError: Certificate files cannot be used; every fault is listed.
    """
    channels: list[Channel] = []
    faults = []
    for one in settings.channels:
        try:
            channels.append(_channel(one, folder=folder))
        except SettingsError as error:
            faults.append(f"alert channel {one.name}: {error}")
    if faults:
        raise SettingsError("\n".join(faults))
    return tuple(channels)


def _channel(settings: AlertChannelSettings, *, folder: Path) -> Channel:
    notices = settings.takes_notices
    if settings.webhook is not None:
        return Webhook(settings.name, settings.webhook, token=settings.webhook_token, takes_notices=notices)
    if settings.smtp is not None:
        return Mail(settings.name, settings.smtp, folder=folder, takes_notices=notices)
    if settings.fhir is not None:
        return TaskServer(settings.name, settings.fhir, folder=folder)
    raise ValueError("a channel of no kind")  # the settings see to it


def _secret(reference: SecretReference) -> str:
    try:
        return read_secret(reference).get_secret_value()
    except SettingsError as error:
        raise DeliveryDeferredError(error.message, next_step=error.next_step, code=UNREACHABLE) from None


def _written(message: Message) -> WrittenMessage:
    if isinstance(message, TaskMessage):
        raise TypeError("tasks are for FHIR servers")
    return message
