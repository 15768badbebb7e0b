"""Secrets and entries in rows, readable with the key only: on PostgreSQL a table is as open as its server."""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from records.errors import StoreError
from store.keys import Keys

_NONCE_BYTES: Final = 12


def seal(keys: Keys, text: str, *, purpose: str) -> bytes:
    """`text` under AES-256-GCM. It opens with the same purpose only, so that a row's cannot be put into another row."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_key(keys)).encrypt(nonce, text.encode("utf-8", "surrogatepass"), purpose.encode())


def unseal(keys: Keys, sealed: bytes, *, purpose: str) -> str:
    """What `seal` was given.

    Raises:
        StoreError: It was altered, cut, moved, or sealed with another key.
    """
    nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(_key(keys)).decrypt(nonce, body, purpose.encode()).decode("utf-8", "surrogatepass")
    except (InvalidTag, ValueError):
        raise StoreError("A sealed entry cannot be opened.", next_step="Restore the key or the database.") from None


def _key(keys: Keys) -> bytes:
    info = b"scorebridge/rows/1"
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(keys.archive)
