"""What can go wrong, arranged by what happens next.

    ScorebridgeError
    ├── SettingsError             do not start: a setting is wrong
    ├── TemplateError             do not start, or do not publish: a template is wrong
    ├── StoreError                do not start: the database or its key is not as it must be
    │   └── KeyMissingError       the database exists and its key does not
    ├── RosterError               keep the old roster: the new one was refused
    ├── DocumentError             this file goes to quarantine or to a person; its neighbours go on
    │   ├── IncompleteDocumentError     the file is not whole (yet)
    │   ├── UnreadableDocumentError     no reader can read it
    │   ├── NoTemplateFitsError         nothing recognises it
    │   └── AmbiguousTemplateError      two templates recognise it
    ├── DecisionRefusedError      a person's decision was not taken; nothing was changed
    │   ├── StaleCaseError        somebody else decided first
    │   └── CaseTakenError        somebody else has the case open
    └── DeliveryError
        ├── DeliveryDeferredError       again later
        ├── DeliveryUnknownError        the answer was lost: look before sending again
        ├── DeliveryHeldError           this record waits for a setting, a permission or a patient to appear
        ├── DeliveryRefusedError        a person must look: the portal will never take it like this
        └── DestinationPausedError      no record can go there until somebody acts (credentials)

No message of any of them holds patient data: messages end up in logs and on terminals.
"""

from __future__ import annotations

from datetime import datetime


class ScorebridgeError(Exception):
    """Root of every error this program raises on purpose.

    Attributes:
        message: What happened and where, in a plain sentence, without patient data.
        next_step: The next thing to try, as an imperative sentence; empty when there is none.
        code: Reason code of `records.finding.REASONS`, or empty.
    """

    def __init__(self, message: str, *, next_step: str = "", code: str = "") -> None:
        super().__init__(message, next_step, code)  # all arguments, so that the error survives pickling
        self.message = message
        self.next_step = next_step
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.next_step, self.code))

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


def _rebuild(kind: type[ScorebridgeError], message: str, next_step: str, code: str) -> ScorebridgeError:
    return kind(message, next_step=next_step, code=code)


class SettingsError(ScorebridgeError):
    """A setting is wrong; the message lists every fault."""


class TemplateError(ScorebridgeError):
    """A report template is wrong; the message lists every fault with file, line and path."""


class StoreError(ScorebridgeError):
    """The database, its key or its archive is not as it must be."""


class KeyMissingError(StoreError):
    """The database exists and its key file does not: a new key would make the data unreadable for ever."""


class RosterError(ScorebridgeError):
    """A roster was refused; the one in use stays."""


class DocumentError(ScorebridgeError):
    """One file cannot be read as a report; its neighbours go on."""


class IncompleteDocumentError(DocumentError):
    """The file is not whole: half-written, cut off, or pages are missing."""


class UnreadableDocumentError(DocumentError):
    """No reader can read the file."""


class NoTemplateFitsError(DocumentError):
    """No template recognises the document."""


class AmbiguousTemplateError(DocumentError):
    """More than one template recognises the document; never does the first one win."""


class DecisionRefusedError(ScorebridgeError):
    """A person's decision was not taken; nothing was changed."""


class StaleCaseError(DecisionRefusedError):
    """The case has changed since it was shown: somebody else decided first, or the record was read again."""


class CaseTakenError(DecisionRefusedError):
    """Somebody else has the case open.

    Attributes:
        holder: Their user name.
        since: When they opened it.
    """

    def __init__(self, message: str, *, holder: str, since: datetime, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.holder = holder
        self.since = since

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_taken, (self.message, self.next_step, self.holder, self.since))


def _rebuild_taken(message: str, next_step: str, holder: str, since: datetime) -> CaseTakenError:
    return CaseTakenError(message, holder=holder, since=since, next_step=next_step)


class DeliveryError(ScorebridgeError):
    """A submission did not arrive, or it is not known whether it did."""


class DeliveryDeferredError(DeliveryError):
    """Nothing arrived; try again later.

    Attributes:
        retry_after: Seconds the portal asked to wait, or None if it named none.
    """

    retry_after: float | None = None


class DeliveryUnknownError(DeliveryError):
    """The request may have arrived; only a look at the portal can tell."""


class DeliveryHeldError(DeliveryError):
    """The record waits for a setting, a permission or a patient to appear at the portal."""


class DeliveryRefusedError(DeliveryError):
    """The portal will never take the record like this; a person must look."""


class DestinationPausedError(DeliveryError):
    """Nothing can be delivered there until somebody acts, for instance renews a credential."""
