"""Write the generic portal's contract, as OpenAPI, to tests/portals/contract/openapi.json; `--check` only compares.

It is what the sandbox says of itself, without the sandbox's own knobs, and as strict as a portal could be: Prism holds
the program and the sandbox to it. Run as `python -m tools.portal_contract [--check]`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from portal.sandbox import Connections, SandboxOptions, SandboxPortal

DOCUMENT = Path(__file__).parent.parent / "tests" / "portals" / "contract" / "openapi.json"
# By property name, wherever it stands: tighter than the sandbox, which takes what some other sender might send.
STRICTER: dict[str, dict[str, Any]] = {
    "externalId": {"minLength": 16, "maxLength": 64, "pattern": "^[A-Za-z0-9]+$"},
    "instrument": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
    "score": {"minimum": 0, "maximum": 300},
    "linkId": {"pattern": "^[a-z0-9]+$"},
}


def contract() -> str:
    """The contract as JSON text."""
    described = SandboxPortal(SandboxOptions(), connections=Connections()).describe()
    paths = {path: methods for path, methods in described["paths"].items() if path.startswith("/v1/")}
    for operation in (operation for methods in paths.values() for operation in methods.values()):
        _tighten_operation(operation)
    whole = {
        "openapi": described["openapi"],
        "info": {"title": "Generic portal", "version": described["info"]["version"]},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _used(paths, described["components"]["schemas"]),
        },
    }
    return json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _tighten_operation(operation: dict[str, Any]) -> None:
    operation["responses"].pop("422", None)  # else Prism answers with an invented body of it
    operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "authorization"]
    for parameter in operation["parameters"]:
        if parameter["name"] == "externalId":
            parameter |= {"required": True, "schema": {"type": "string", **STRICTER["externalId"]}}
        if parameter["name"] == "Idempotency-Key":
            parameter["schema"] = {"type": "string", "minLength": 16, "maxLength": 64, "pattern": "^[A-Za-z0-9-]+$"}


def _used(part: object, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas that a part refers to, tightened, with those they refer to."""
    found: dict[str, Any] = {}
    to_do = [part]
    while to_do:
        for name in _references(to_do.pop()):
            if name not in found:
                found[name] = schemas[name]
                for key, changes in STRICTER.items():
                    if key in schemas[name].get("properties", {}):
                        schemas[name]["properties"][key] |= changes
                to_do.append(schemas[name])
    return found


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        here = [str(part["$ref"]).rpartition("/")[2]] if "$ref" in part else []
        return here + [name for value in part.values() for name in _references(value)]
    return [name for value in part for name in _references(value)] if isinstance(part, list) else []


def main() -> int:
    """Exit status 1 when `--check` finds the contract out of date."""
    wanted = contract()
    if "--check" in sys.argv[1:]:
        stale = DOCUMENT.read_text("utf-8") != wanted
        if stale:
            print(f"{DOCUMENT.name} is out of date: run python -m tools.portal_contract", file=sys.stderr)
        return int(stale)
    DOCUMENT.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
