"""Write docs/reference-api.md and docs/reference-api.json from the API's own description; `--check` only compares.

Run as `python -m tools.api_reference [--check]`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from review.api.admission import roles_of
from review.api.application import description, guarded_routes
from review.api.routing import GuardedRoute
from review.api.wire import PREFIX
from store.users import Role

DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "reference-api.md"
DESCRIPTION: Final = DOCUMENT.with_suffix(".json")
_NOTE: Final = "<!-- Written by tools/api_reference.py; edit the docstrings of review/api. -->"


def page() -> str:
    """The reference for people."""
    described = description()
    schemas: dict[str, Any] = described["components"]["schemas"]
    lines = [_NOTE, "", "# API", "", described["info"]["description"], ""]
    lines += ["[How to use it](how-to/use-the-api.md) has examples; the same as [OpenAPI](reference-api.json)."]
    tag = ""
    for route in guarded_routes():
        if route.tags and route.tags[0] != tag:
            tag = str(route.tags[0])
            lines += ["", f"## {tag.capitalize()}"]
        lines += _operation(route, described["paths"][route.path_format])
    lines += ["", "## Shapes", "", "What requests and answers are made of. A field with a ? may be left out."]
    for name in sorted(schemas):
        lines += _shape(name, schemas[name])
    return "\n".join(lines) + "\n"


def openapi() -> str:
    """The description for programs."""
    return json.dumps(description(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _operation(route: GuardedRoute, path: Mapping[str, Any]) -> Iterator[str]:
    method = next(iter(route.methods))
    told = path[method.lower()]
    yield from ("", f"### `{method} {PREFIX}{route.path_format}`", "", " ".join(told["description"].split()), "")
    roles = roles_of(route.admission.policy)
    who = "every role" if roles == frozenset(Role) else ", ".join(role.value for role in Role if role in roles)
    yield f"For: {who}{'; changes something' if route.admission.changes else ''}."
    given = [f"`{one['name']}` ({_kind(one['schema'])})" for one in told.get("parameters", ()) if one["in"] == "query"]
    if given:
        yield f"Query: {', '.join(given)}."
    body = told.get("requestBody")
    if body:
        yield from _body(body["content"])
    answers = told["responses"]["200"]["content"].items()
    kinds = [_kind(content["schema"]) if kind == "application/json" else kind for kind, content in answers]
    yield f"Answer: {' or '.join(kinds)}."


def _body(content: Mapping[str, Any]) -> Iterator[str]:
    kind, told = next(iter(content.items()))
    if kind == "application/json":
        yield f"Body: {_kind(told['schema'])}."
        return
    parts = told["schema"]["properties"].items()
    fields = ", ".join(f"`{name}` ({_kind(part)}: {part['description'].rstrip('.')})" for name, part in parts)
    yield f"Body: a form ({kind}) of {fields}."


def _shape(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"### {name}", "", " ".join(schema.get("description", "").split()), "")
    if "enum" in schema:
        yield ", ".join(f"`{word}`" for word in schema["enum"])
        return
    required = set(schema.get("required", ()))
    yield from ("| field | kind | meaning |", "|---|---|---|")
    for field, part in schema.get("properties", {}).items():
        meaning = " ".join(part.get("description", "").split()).replace("|", "\\|")
        yield f"| `{field}`{'' if field in required else '?'} | {_kind(part)} | {meaning} |"


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_kind(part) for part in schema[several]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'])}"
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "null": "null",
    }
    kind = words.get(schema.get("type", ""), "object")
    return {"date": "date", "date-time": "instant", "binary": "file"}.get(schema.get("format", ""), kind)


def main() -> int:
    """Exit status 1 when `--check` finds a document out of date."""
    wanted = {DOCUMENT: page(), DESCRIPTION: openapi()}
    if "--check" in sys.argv[1:]:
        stale = [path.name for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
        for name in stale:
            print(f"{name} is out of date: run python -m tools.api_reference", file=sys.stderr)
        return int(bool(stale))
    for path, text in wanted.items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
