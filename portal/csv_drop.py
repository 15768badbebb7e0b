"""Portals without an interface: one CSV file for each message, put into a folder that the portal empties.

A file must appear once, whole, and never again, however often this program dies and however fast the portal takes
files away. So a message leaves traces that the portal does not touch, in folders whose names begin with a dot:

    .writing/x      may be torn; begun anew
    .ready/x        whole, and never yet in the portal's sight
    .sent/x         left before the file comes into sight; together with .ready/x it means "not yet", alone "done"
    x.csv           in sight

Those folders are made by a person (`destination probe --write`): an empty folder may be the place where a share is
not mounted, and what is written there is lost.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryHeldError,
    DeliveryRefusedError,
    DestinationPausedError,
)
from records.submission import DeliveryReceipt, ResultStatus, Submission

_WRITING: Final = ".writing"
_READY: Final = ".ready"
_SENT: Final = ".sent"
_OPAQUE: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
# Some shares cannot be told to write a folder's names to disk.
_NO_FOLDER_SYNC: Final = (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM)


class CsvDrop:
    """Puts files into one folder; for one thread, and one process at a time for each message.

    Args:
        folder: Where the portal looks for `*.csv`.
        clock: The time in UTC, for receipts.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock

    @property
    def most_in_batch(self) -> int:
        """One message, one file."""
        return 1

    def deliver(self, submission: Submission) -> DeliveryReceipt:
        """Put the file of one message into the folder, unless it was there before.

        The receipt's `remote_id` is the file's name, and its status 0. A withdrawal of what was never put there is
        settled with an empty `remote_id`.

        Raises:
            DeliveryDeferredError: The folder cannot be written at the moment.
            DeliveryHeldError: The message's id cannot be a file name.
            DeliveryRefusedError: A file of this name holds something else.
            DestinationPausedError: The folder is not prepared, or its share is not mounted.
        """
        if submission.payload is None:
            raise ValueError("a submission without a payload")
        name = _name(submission, submission.revision)
        try:
            self._check_prepared()
            if submission.status is ResultStatus.ENTERED_IN_ERROR and not self._told_before(submission):
                return self._receipt("", found=True)
            found = self._was_put(name, submission.payload)
            if not found:
                self._put(name, submission.payload)
        except OSError as error:
            kind = errno.errorcode.get(error.errno or 0, type(error).__name__)
            raise DeliveryDeferredError(f"The folder cannot be written ({kind}).", code="csv-folder") from None
        return self._receipt(f"{name}.csv", found=found)

    def deliver_batch(self, submissions: Sequence[Submission]) -> list[DeliveryReceipt | DeliveryError]:
        """There is none."""
        raise ValueError(f"no batch that this destination takes, of {len(submissions)}")

    def _check_prepared(self) -> None:
        if not self._folder.is_dir():
            raise FileNotFoundError(errno.ENOENT, "no folder")
        if not is_prepared(self._folder):
            raise DestinationPausedError(
                "The folder of this destination is not prepared, or its share is not mounted.",
                next_step="Mount it or run “scorebridge destination probe --write”, then resume the destination.",
                code="folder-not-prepared",
            )

    def _told_before(self, submission: Submission) -> bool:
        """Whether an earlier or this message about the assessment has come into sight, or is about to."""
        names = [_name(submission, revision) for revision in range(1, submission.revision + 1)]
        return submission.remote_id is not None or any((self._folder / _SENT / name).exists() for name in names)

    def _was_put(self, name: str, payload: bytes) -> bool:
        """Whether the file has been in the portal's sight; one that waits for it is brought there first."""
        if (self._folder / _READY / name).exists():
            self._check_same((self._folder / _READY / name).read_bytes() == payload)
            self._bring_into_sight(name, payload)
            return True
        if (self._folder / _SENT / name).exists():
            self._check_same((self._folder / _SENT / name).read_text("ascii") == _digest(payload))
            return True
        seen = self._folder / f"{name}.csv"
        if seen.exists():  # somebody has emptied the folder .sent
            self._check_same(seen.read_bytes() == payload)
            _write(self._folder / _SENT / name, _digest(payload).encode())
            return True
        return False

    def _check_same(self, same: bool) -> None:
        if not same:
            raise DeliveryRefusedError(
                "A file of this name was put there with another content.",
                next_step="Look into the folder before sending the record again.",
                code="portal-differs",
            )

    def _put(self, name: str, payload: bytes) -> None:
        _write(self._folder / _WRITING / name, payload)
        _move(self._folder / _WRITING / name, self._folder / _READY / name)
        self._bring_into_sight(name, payload)

    def _bring_into_sight(self, name: str, payload: bytes) -> None:
        _write(self._folder / _SENT / name, _digest(payload).encode())
        _move(self._folder / _READY / name, self._folder / f"{name}.csv")

    def _receipt(self, remote_id: str, *, found: bool) -> DeliveryReceipt:
        return DeliveryReceipt(remote_id=remote_id, version=None, http_status=0, received_at=self._clock(), found=found)


def is_prepared(folder: Path) -> bool:
    """Whether a person has said that this is the portal's folder."""
    return all((folder / name).is_dir() for name in (_WRITING, _READY, _SENT))


def prepare(folder: Path) -> None:
    """Say that this is the portal's folder.

    Raises:
        OSError: There is no such folder, or it cannot be written.
    """
    for name in (_WRITING, _READY, _SENT):
        (folder / name).mkdir(exist_ok=True)


def try_folder(folder: Path) -> None:
    """Write, move and remove a file that the portal does not see.

    Raises:
        OSError: That does not work.
    """
    _write(folder / _WRITING / "probe", b"probe")
    _move(folder / _WRITING / "probe", folder / _READY / "probe")
    (folder / _READY / "probe").unlink()


def _name(submission: Submission, revision: int) -> str:
    if not _OPAQUE.fullmatch(submission.external_id):
        raise DeliveryHeldError("The id of this record cannot be a file name.", code="missing-external-id")
    return f"{submission.external_id}-{revision}"


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is on the disk, with its name, when this returns."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync(path.parent)


def _move(source: Path, target: Path) -> None:
    source.rename(target)
    _sync(target.parent)
    _sync(source.parent)


def _sync(folder: Path) -> None:
    if os.name == "nt":
        return  # folders cannot be opened there
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(number)
