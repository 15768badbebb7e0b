"""Under which names this service claims, so that after a crash it knows its own claims again without waiting for them.

The names come from a file in the service's home that one process at a time holds locked. Whoever holds it knows that
a claim under these names was made by a process that is gone. Whoever does not (a second process by mistake, a system
without such locks) claims under names never used before, and what it leaves behind comes back when its lease ends.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from records.submission import DeliveryState
from store import outbox
from store.database import Database

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

_FILE: Final = "delivery.lock"
_MOST_CLAIMS: Final = 10_000


def new_name() -> str:
    """A name never used before."""
    return secrets.token_hex(16)


@contextmanager
def own_names(home: Path) -> Iterator[str | None]:
    """What the names of this process begin with as long as the block runs; None if another process holds them."""
    with _opened(home / _FILE) as file:
        if file is None:
            yield None
            return
        known = file.read().strip()
        if not known:
            known = new_name()
            file.write(known)
            file.flush()
        yield known


@contextmanager
def _opened(path: Path) -> Iterator[IO[str] | None]:
    if fcntl is None:
        yield None
        return
    try:
        file = path.open("a+", encoding="ascii")
    except OSError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        file.seek(0)
        yield file


def take_back(database: Database, *, destination: str, owner: str, now: datetime) -> int:
    """Make claims that an earlier process left under this name due for a look at the portal at once; how many."""
    with database.session() as session:
        left = outbox.list_submissions(
            session, state=DeliveryState.SENDING, destination=destination, limit=_MOST_CLAIMS
        )
        settlements = [
            outbox.Settlement(
                submission_id=entry.submission.submission_id,
                state=DeliveryState.UNKNOWN,
                reason="restarted",
                due_at=now,
            )
            for entry in left
        ]
        return len(outbox.settle(session, settlements, owner=owner, now=now))
