"""Write the JSON Schema of the template language, for editors: `python -m tools.template_schema [FILE]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from parsers.template_file import template_schema

_DEFAULT = Path("docs/template.schema.json")


def main() -> None:
    """Write the schema to the file named, or to `docs/template.schema.json`."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else _DEFAULT
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **template_schema()}
    target.write_text(json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{target}: {len(schema)} keys")


if __name__ == "__main__":
    main()
