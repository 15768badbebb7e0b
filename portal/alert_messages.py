"""What people are told, as JSON and as mail. Neither says who it is about: only a row's number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.alert_tasks import AlertTask


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalMessage:
    """A critical answer waits for a person.

    Attributes:
        round: Counted up when a patient shown for it was ruled out.
        step: 1 for the first time it is told in this round, then counted up.
        reference: Opaque id of this very step, the same after a restart: who gets it twice can tell.
        task: What a FHIR server is to show of it; None for other channels.
    """

    alert_id: int
    site: str
    raised_at: datetime
    round: int
    step: int
    reference: str
    task: AlertTask | None = None

    @property
    def is_ruled_out(self) -> bool:
        """Whether a person has ruled out a patient shown for it."""
        return self.round > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """A task at a FHIR server is to show something else than it does."""

    task: AlertTask


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
class DayLetterMessage:
    """The letter about a site's day, as it was written.

    Attributes:
        reference: Opaque id of this letter, the same after a restart.
    """

    subject: str
    body: str
    reference: str
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TestMessage:
    """A test of the way a critical answer would take."""

    __test__ = False  # not a test case, whatever its name begins with

    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReceipt:
    """A channel took a message.

    Attributes:
        known_as: What the channel knows it by.
        refused: How many recipients the mail server did not take, while it took others.
    """

    known_as: str
    refused: int = 0


WrittenMessage = CriticalMessage | OperatorMessage | DayLetterMessage | TestMessage
Message = WrittenMessage | TaskMessage


def as_json(message: WrittenMessage) -> dict[str, object]:
    """The message for a program."""
    if isinstance(message, CriticalMessage):
        told: dict[str, object] = {
            "kind": "critical-alert",
            "alert": message.alert_id,
            "site": message.site,
            "raised_at": message.raised_at.isoformat(),
            "step": message.step,
        }
        return told | ({"patient_ruled_out": True} if message.is_ruled_out else {})
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
    if isinstance(message, DayLetterMessage):
        return {"kind": "day-letter", "subject": message.subject, "text": message.body}
    return {"kind": "test", "sent_at": message.sent_at.isoformat()}


def as_text(message: WrittenMessage) -> tuple[str, str]:
    """Subject and text for a person."""
    if isinstance(message, CriticalMessage):
        return _critical_text(message)
    if isinstance(message, OperatorMessage):
        text = "".join(
            f"{line.left_at:%Y-%m-%d %H:%M} UTC  {line.kind}  {line.subject}\n  {line.sentence}\n\n"
            for line in message.lines
        )
        return f"Scorebridge: {len(message.lines)} notice(s) for the operator", text
    if isinstance(message, DayLetterMessage):
        return message.subject, message.body
    return "Scorebridge: test of the alert channel", "This is a test. A critical answer would come this way.\n"


def _critical_text(message: CriticalMessage) -> tuple[str, str]:
    marks = ["patient ruled out"] if message.is_ruled_out else []
    marks += [f"told {message.step} times, not acknowledged"] if message.step > 1 else []
    mark = f" ({'; '.join(marks)})" if marks else ""
    ruled_out = (
        "The patient first shown for it was ruled out: look who it is about before you act.\n"
        if message.is_ruled_out
        else ""
    )
    return (
        f"[{_one_line(message.site)}] Critical answer, alert {message.alert_id}{mark}",
        f"A critical answer at {message.site} waits for a person: alert {message.alert_id}.\n"
        f"{ruled_out}"
        f"Raised {message.raised_at:%Y-%m-%d %H:%M} UTC, step {message.step}.\n\n"
        "Open the alert in Scorebridge and acknowledge it there.\n",
    )


def moment(message: WrittenMessage) -> datetime:
    """When what the message tells of happened."""
    if isinstance(message, CriticalMessage):
        return message.raised_at
    if isinstance(message, DayLetterMessage):
        return message.written_at
    return message.lines[-1].left_at if isinstance(message, OperatorMessage) else message.sent_at


def _one_line(text: str) -> str:
    return " ".join(text.split())
