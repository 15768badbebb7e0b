"""Write the JSON Schema of the template language, for editors, to docs/template.schema.json; `--check` only compares.

Run as `python -m tools.template_schema [--check]`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from parsers.template_file import template_schema

DOCUMENT = Path(__file__).parent.parent / "docs" / "template.schema.json"


def schema() -> str:
    """The schema as JSON text."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **template_schema()}
    return json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> int:
    """Exit status 1 when `--check` finds the schema out of date."""
    wanted = schema()
    if "--check" in sys.argv[1:]:
        stale = DOCUMENT.read_text("utf-8") != wanted
        if stale:
            print(f"{DOCUMENT.name} is out of date: run python -m tools.template_schema", file=sys.stderr)
        return int(stale)
    DOCUMENT.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
