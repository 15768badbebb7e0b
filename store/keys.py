"""The master key and the keys derived from it, one for each purpose."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from records.errors import KeyMissingError, StoreError

_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Keys:
    """Keys of 32 bytes, derived from the master key by HKDF-SHA256 (RFC 5869), so that no two purposes share one.

    Attributes:
        database: Raw key of the encrypted database file.
        archive: Wraps the key of every archived document.
        audit: Chains the audit trail.
        identifier: Makes opaque ids and fingerprints out of patient data.
        check: Recognises a database that belongs to this key.
    """

    database: bytes
    archive: bytes
    audit: bytes
    identifier: bytes
    check: bytes

    def __repr__(self) -> str:
        return "Keys(…)"

    def opaque(self, purpose: str, parts: Iterable[str | int | None]) -> bytes:
        """32 bytes that stand for `parts` and tell nothing about them to whoever lacks the key.

        Parts are length-prefixed, so that ("ab", "c") and ("a", "bc") differ, and None differs from "".
        """
        pieces = [_piece(purpose), *(_piece(part) for part in parts)]
        return digest(self.identifier, b"".join(pieces), sha256)


def _piece(part: str | int | None) -> bytes:
    if part is None:
        return b"-;"
    kind = b"i" if isinstance(part, int) else b"s"
    text = str(part).encode("utf-8", "surrogatepass")
    return kind + str(len(text)).encode() + b":" + text


def create_key_file(path: Path) -> None:
    """Make a new master key that only its owner can read; on return it is on the disk.

    Raises:
        StoreError: The file exists already, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except FileExistsError:
        raise StoreError(
            f"There is a key at {path} already.", next_step="Keep it: without it the data is lost."
        ) from None
    except OSError as fault:
        raise StoreError(
            f"The key file {path} cannot be made: {fault.strerror}.", next_step="Check the folder and its owner."
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_BYTES).hex().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def load_keys(path: Path) -> Keys:
    """Read the master key and derive the others.

    Raises:
        KeyMissingError: There is no such file.
        StoreError: Others than the owner can read it, or it holds no key.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii", "replace")
    except FileNotFoundError:
        raise KeyMissingError(
            f"The key file {path} is missing.", next_step="Restore it from its copy or the backup."
        ) from None
    except OSError as fault:
        raise StoreError(
            f"The key file {path} cannot be read: {fault.strerror}.", next_step="Run as the user who owns it."
        ) from None
    # Windows has no such bits: there the folder's access list protects the file.
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StoreError(f"Others can read the key file {path}.", next_step=f"Run: chmod 600 {path}")
    try:
        master = bytes.fromhex(text.strip())
    except ValueError:
        master = b""
    if len(master) != _BYTES:
        raise StoreError(f"The file {path} does not hold a key.", next_step="Restore it from its copy or the backup.")
    return Keys(
        database=_derived(master, "database"),
        archive=_derived(master, "archive"),
        audit=_derived(master, "audit"),
        identifier=_derived(master, "identifier"),
        check=_derived(master, "check"),
    )


def _derived(master: bytes, purpose: str) -> bytes:
    info = f"scorebridge/{purpose}/1".encode()
    return HKDF(algorithm=hashes.SHA256(), length=_BYTES, salt=None, info=info).derive(master)


def sync_folder(folder: Path) -> None:
    """Bring a folder's own entries to the disk: a new name is not safe before that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
