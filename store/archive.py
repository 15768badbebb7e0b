"""The documents as they were printed, encrypted, each with a key of its own."""

from __future__ import annotations

import os
import secrets
import struct
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from records.errors import StoreError
from store.keys import Keys, sync_folder

_MAGIC = b"SBA1"
_PREFIX = 7
_CHUNK = 1024 * 1024
_TAG = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedDocument:
    """A document that lies safely in the archive, though no row knows it yet.

    Attributes:
        document_id: Random name; says nothing about the document.
        wrapped_key: The document's key, wrapped by the archive key. Whoever deletes it has deleted the document.
        size: Length of the document in bytes.
    """

    document_id: str
    wrapped_key: bytes
    size: int


class Archive:
    """Files `ab/<document id>`: AES-256-GCM in chunks of 1 MiB.

    The nonce of a chunk is a random prefix, its number and whether it is the last (the STREAM construction, Hoang,
    Reyhanitabar, Rogaway and Vizár 2015), so that chunks can be neither dropped, swapped nor cut off. The document
    id is authenticated with each, so that two documents cannot be exchanged.
    """

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._folder = folder
        self._key = keys.archive

    def put(self, data: bytes) -> ArchivedDocument:
        """Keep a document; on return it is on the disk, under its final name.

        Raises:
            StoreError: The disk is full or the archive cannot be written; nothing is left behind.
        """
        document_id = uuid4().hex
        key = AESGCM.generate_key(256)
        place = self._place(document_id)
        scratch = place.with_name(f"{document_id}.part")
        try:
            new_folder = not place.parent.exists()
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(scratch, flags, 0o600), "wb") as file:
                for piece in _sealed(data, key=key, document_id=document_id):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            scratch.rename(place)
            sync_folder(place.parent)
            if new_folder:
                sync_folder(self._folder)
        except OSError as fault:
            with suppress(OSError):  # what could not be made need not be removed
                scratch.unlink()
            raise StoreError(
                f"The archive cannot take a document: {fault.strerror}.",
                next_step="Free space on the volume of the archive and check its owner.",
            ) from None
        return ArchivedDocument(document_id=document_id, wrapped_key=aes_key_wrap(self._key, key), size=len(data))

    def get(self, document_id: str, wrapped_key: bytes) -> bytes:
        """The document, byte for byte as it was put.

        Raises:
            StoreError: It is missing, was altered or cut off, or belongs to another key.
        """
        try:
            sealed = self._place(document_id).read_bytes()
        except OSError as fault:
            raise StoreError(
                f"Document {document_id} cannot be read from the archive: {fault.strerror}.",
                next_step="Restore the archive from the backup.",
            ) from None
        try:
            return b"".join(_opened(sealed, key=aes_key_unwrap(self._key, wrapped_key), document_id=document_id))
        except (InvalidTag, InvalidUnwrap, ValueError):
            raise StoreError(
                f"Document {document_id} was altered or cut off in the archive.",
                next_step="Restore it from the backup and find out who wrote there.",
            ) from None

    def forget(self, document_id: str) -> None:
        """Delete a document's file; without its wrapped key it was unreadable already. Unknown ids are fine."""
        self._place(document_id).unlink(missing_ok=True)

    def sweep(self, known: Collection[str], *, older_than: datetime) -> tuple[str, ...]:
        """Delete files that no row knows and return their ids.

        A document is put before its row commits, so anything younger than `older_than` (UTC) is left alone.
        """
        swept = []
        for file in sorted(self._folder.glob("??/*")):
            document_id = file.name.removesuffix(".part")
            orphan = file.suffix == ".part" or document_id not in known
            if orphan and datetime.fromtimestamp(file.stat().st_mtime, UTC) < older_than:
                file.unlink(missing_ok=True)
                swept.append(document_id)
        return tuple(swept)

    def is_empty(self) -> bool:
        """Whether not one document is kept."""
        return next(self._folder.glob("??/*"), None) is None

    def _place(self, document_id: str) -> Path:
        if not (len(document_id) == 32 and document_id.isalnum()):
            raise StoreError("A document id of the archive has 32 letters and digits.")
        return self._folder / document_id[:2] / document_id


def _sealed(data: bytes, *, key: bytes, document_id: str) -> Iterator[bytes]:
    prefix = secrets.token_bytes(_PREFIX)
    cipher = AESGCM(key)
    yield _MAGIC + prefix
    last = max(0, (len(data) - 1) // _CHUNK)
    for number in range(last + 1):
        chunk = data[number * _CHUNK : (number + 1) * _CHUNK]
        yield cipher.encrypt(_nonce(prefix, number, is_last=number == last), chunk, document_id.encode())


def _opened(sealed: bytes, *, key: bytes, document_id: str) -> Iterator[bytes]:
    start = len(_MAGIC) + _PREFIX
    if not sealed.startswith(_MAGIC) or len(sealed) < start + _TAG:
        raise ValueError("no archived document")
    prefix, cipher = sealed[len(_MAGIC) : start], AESGCM(key)
    step = _CHUNK + _TAG
    last = (len(sealed) - start - 1) // step
    for number in range(last + 1):
        chunk = sealed[start + number * step : start + (number + 1) * step]
        yield cipher.decrypt(_nonce(prefix, number, is_last=number == last), chunk, document_id.encode())


def _nonce(prefix: bytes, number: int, *, is_last: bool) -> bytes:
    return prefix + struct.pack(">I?", number, is_last)
