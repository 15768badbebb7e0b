"""The JSON Schema of a destination file: whether a body keeps it, and where it does not, in words without values."""

from __future__ import annotations

from typing import Final

import jsonschema_rs
from pydantic import JsonValue

# What the keyword that is broken means to somebody who reads the record, not the schema.
_WORDS: Final = {
    "type": "is of another type than the portal takes",
    "required": "lacks something the portal needs",
    "additionalProperties": "has something the portal does not take",
    "enum": "is none of the words the portal takes",
    "const": "is not the one word the portal takes",
    "pattern": "is written otherwise than the portal takes it",
    "format": "is written otherwise than the portal takes it",
    "minimum": "is too low for the portal",
    "maximum": "is too high for the portal",
    "minLength": "is too short for the portal",
    "maxLength": "is too long for the portal",
    "minItems": "has too few entries for the portal",
    "maxItems": "has too many entries for the portal",
}


class BodySchema:
    """A JSON Schema, ready for many bodies. References to other documents are not followed.

    Raises:
        ValueError: It is no schema; the message says why.
    """

    def __init__(self, schema: dict[str, JsonValue]) -> None:
        try:
            self._validator = jsonschema_rs.validator_for(schema, validate_formats=True, offline=True)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise ValueError(str(error).splitlines()[0]) from None

    def fault(self, body: JsonValue) -> str | None:
        """The first thing that breaks the schema, such as "items.0.value is too high for the portal", or None."""
        if self._validator.is_valid(body):
            return None
        error = next(iter(self._validator.iter_errors(body)))
        place = ".".join(str(step) for step in error.instance_path) or "the body"
        return f"{place} {_WORDS.get(error.kind.name, f'breaks {error.kind.name!r}')}"
