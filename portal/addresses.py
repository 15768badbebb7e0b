"""Addresses of requests: a pattern with named places, each filled with one percent-encoded piece."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from records.errors import DeliveryHeldError

BASE_URL: Final = "base_url"
_PLACE: Final = re.compile(r"{([^{}]*)}")


class Address:
    """A pattern such as "{base_url}/v1/patients/{patient_id}", taken apart once.

    Attributes:
        pattern: As it is written.
        places: The names in it, `base_url` not among them.
    """

    __slots__ = ("_parts", "pattern", "places")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        parts = _PLACE.split(pattern.removeprefix(f"{{{BASE_URL}}}"))
        self._parts = [(parts[i], parts[i + 1] if i + 1 < len(parts) else None) for i in range(0, len(parts), 2)]
        self.places = tuple(name for _, name in self._parts if name is not None)

    def faults(self, allowed: frozenset[str], *, at: str) -> list[str]:
        """What is wrong with the pattern where these places may stand, one sentence each."""
        faults = []
        rest = self.pattern.removeprefix(f"{{{BASE_URL}}}")
        if rest == self.pattern or (rest and rest[0] not in "/?"):
            faults.append(f"{at}: begins with {{{BASE_URL}}}/")
        faults += [f"{at}: there is no {{{name}}} here" for name in self.places if name not in allowed]
        if not self.pattern.isprintable() or " " in self.pattern or "#" in self.pattern:
            faults.append(f"{at}: not a URL")
        return faults

    def fill(self, *, base_url: str, fields: Mapping[str, str | None]) -> str:
        """The URL.

        Raises:
            DeliveryHeldError: A field has no value, or one that would lead to another path.
        """
        url = base_url
        for text, name in self._parts:
            url += text
            if name is not None:
                url += _piece(name, fields.get(name))
        return url


def _piece(name: str, value: str | None) -> str:
    # Dots are never encoded: an id of dots only would climb up the path.
    if not value or not value.strip(".") or not value.isprintable():
        code = f"missing-{name.replace('_', '-').replace('.', '-')}"
        raise DeliveryHeldError(f"The field {name} cannot be part of an address.", code=code)
    return quote(value, safe="")
