"""Who did what, when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One link of the audit chain, before it is chained.

    Attributes:
        actor: User name, or "service" for what the program did by itself.
        action: "report.handed-over", "case.approved", … : object, dot, past participle.
        object_kind: "report", "record", "case", "submission", "roster", "alert", "user", "template", …
        object_id: Row id of the object as text.
        detail: More, as `(name, value)` pairs; codes, ids and counts, never patient data.
    """

    actor: str
    action: str
    object_kind: str
    object_id: str
    detail: tuple[tuple[str, str], ...] = ()
