"""The sum that must add up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Where the printed records of a report or a day are.

    Attributes:
        sent: Delivered (in `scorebridge read`: confirmed).
        waiting: Not yet at its end: in review, pending, held, unknown, dead.
        rejected: Rejected by a person.
        duplicate: Known already.
        no_score: Rows that say they have no score; not part of `printed`.
    """

    sent: int = 0
    waiting: int = 0
    rejected: int = 0
    duplicate: int = 0
    no_score: int = 0

    @property
    def printed(self) -> int:
        """Records printed: what the other four add up to."""
        return self.sent + self.waiting + self.rejected + self.duplicate
