"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file; else $SCOREBRIDGE_CONFIG, else ./scorebridge.toml.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output instead of a table.")]
OnlySite = Annotated[str | None, typer.Option("--site", help="One site only.")]
