"""What the commands print: tables for people, JSON for programs, progress and errors beside them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ingest.report_json import Json

# rich honours NO_COLOR by itself.
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Json) -> None:
    """One JSON value on a line of standard output, at once; escaped where the terminal cannot show a character."""
    line = json.dumps(value, ensure_ascii=False)
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        line = json.dumps(value)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output; without a terminal it is as wide as its text."""
    table = Table(header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else _shown(str(cell))) for cell in row))
    console = out if out.is_terminal else Console(width=int(os.environ.get("COLUMNS", "160")), highlight=False)
    if title:
        console.print(f"\n{_shown(title)}", style="bold", markup=False)
    console.print(table)


def note(text: str) -> None:
    """A remark beside the result, on standard error."""
    err.print(_shown(text), markup=False)


def _shown(text: str) -> str:
    """Text that any terminal takes: file names are bytes and need not be characters."""
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def progress(what: str, total: int) -> Iterator[Progress]:
    """A progress bar on standard error; silent where that is no terminal. Advance task 0."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bar:
        bar.add_task(what, total=total)
        yield bar
