"""Where secrets are: a setting names the place (`env:NAME`, `file:PATH`, `keyring:SERVICE/USER`), never the secret.

So the settings file can be shown, copied and logged. A secret is read anew each time, so that a renewed one is taken
up, and no error shows one.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Annotated, Final, Protocol

from pydantic import AfterValidator, SecretStr

from records.errors import SettingsError

_KINDS: Final = ("env", "file", "keyring")


def _checked_reference(reference: str) -> str:
    kind, separator, place = reference.partition(":")
    if kind not in _KINDS or not separator or not place.strip():
        raise ValueError("a secret is named by its place: env:NAME, file:PATH or keyring:SERVICE/USER")
    if kind == "keyring" and "/" not in place:
        raise ValueError("a keyring secret is named keyring:SERVICE/USER")
    return reference


SecretReference = Annotated[str, AfterValidator(_checked_reference)]


class _Keyring(Protocol):
    def get_password(self, service_name: str, username: str) -> str | None: ...


def read_secret(reference: str) -> SecretStr:
    """The secret that a reference names, on one line.

    Raises:
        SettingsError: There is none; the message names the place, never a value.
    """
    value = read_secret_text(reference).get_secret_value()
    if not value.isprintable():
        raise SettingsError(f"The secret at {reference} has characters that no header can carry.")
    return SecretStr(value)


def read_secret_text(reference: str) -> SecretStr:
    """The secret that a reference names, of any number of lines, such as a private key.

    Raises:
        SettingsError: As for `read_secret`.
    """
    kind, _, place = reference.partition(":")
    if kind == "env":
        value = os.environ.get(place)
    elif kind == "file":
        value = _from_file(Path(place))
    elif kind == "keyring":
        value = _from_keyring(place)
    else:
        raise SettingsError("A secret is named by its place: env:NAME, file:PATH or keyring:SERVICE/USER.")
    if value is None or not value.strip():
        raise SettingsError(f"There is no secret at {reference}.", next_step=_how_to_put(kind, place))
    return SecretStr(value.strip())


def _how_to_put(kind: str, place: str) -> str:
    if kind == "file" and not Path(place).is_absolute():
        return "The path starts where the program was started: name the file in full, then start again."
    return "Put it there, then start again."


def _from_file(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _from_keyring(place: str) -> str | None:
    service, _, user = place.partition("/")
    try:
        keyring: _Keyring = importlib.import_module("keyring")
    except ImportError:
        raise SettingsError(
            "A setting names a secret in the keyring, and the package keyring is not installed.",
            next_step="Install keyring, or name the secret by env: or file:.",
        ) from None
    try:
        return keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001  # every keyring backend has errors of its own
        raise SettingsError(f"The keyring cannot be read ({type(error).__name__}).") from None
