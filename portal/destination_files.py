"""Reading destination files, the clinic's own and those that come with the program; every fault is listed at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from pydantic import JsonValue, ValidationError

from portal.destination import Destination
from portal.destination_compiling import DestinationCompiler, check_writable
from portal.destination_file import CsvFile, HttpFile, read_yaml
from records.errors import SettingsError

# pydantic names the ways a value may be written among the steps that lead to it.
_WAYS_TO_WRITE: Final = ("str", "Extract", "Shown")
_WORDS: Final = {"missing": "it is needed and is not there", "extra_forbidden": "there is no such key here"}
_ReadBeside = Callable[[str], str]


def read_destination(text: str, *, file_name: str, beside: _ReadBeside | None = None) -> Destination:
    """The destination a file describes, with the defaults of its variables.

    Args:
        beside: The text of a file beside this one, for a schema in a file of its own; None if there is none.

    Raises:
        SettingsError: It is wrong; the message lists every fault with its path.
    """
    try:
        content = read_yaml(text)
        is_csv = isinstance(content, dict) and content.get("kind") == "csv"
        file = (CsvFile if is_csv else HttpFile).model_validate(content)
    except ValidationError as error:
        places = [(_place(fault["loc"]), _WORDS.get(fault["type"], fault["msg"])) for fault in error.errors()]
        raise _wrong(file_name, [f"{place}: {message}" for place, message in dict.fromkeys(places)]) from None
    except ValueError as error:
        raise _wrong(file_name, [str(error)]) from None
    compiler = DestinationCompiler(variables=file.variables, tables=file.tables)
    compiler.faults += check_writable(content)
    destination: Destination
    if isinstance(file, CsvFile):
        destination = compiler.csv(file)
    else:
        destination = compiler.http(file, schema=_schema(file, beside, compiler.faults))
    if compiler.faults:
        raise _wrong(file_name, list(dict.fromkeys(compiler.faults)))
    return destination


def _place(steps: tuple[int | str, ...]) -> str:
    named = [str(step) for step in steps if step not in _WAYS_TO_WRITE and not str(step).endswith("]")]
    return ".".join(named) or "file"


def _schema(file: HttpFile, beside: _ReadBeside | None, faults: list[str]) -> dict[str, JsonValue] | None:
    given = file.json_schema
    if not isinstance(given, str):
        return given
    try:
        if beside is None:
            raise OSError
        schema = json.loads(beside(given))
    except (OSError, ValueError):
        faults.append(f"schema: {given} beside the file cannot be read as JSON")
        return None
    if not isinstance(schema, dict):
        faults.append(f"schema: {given} is no JSON Schema")
        return None
    return schema


def _wrong(file_name: str, faults: list[str]) -> SettingsError:
    listed = "".join(f"\n  {fault}" for fault in faults)
    return SettingsError(
        f"The destination file {file_name} is wrong:{listed}",
        next_step="Change that and look again with “scorebridge destination try FILE”; docs/reference-destinations.md "
        "says what may stand where.",
    )


def load_destination(file: str, *, folder: Path) -> Destination:
    """The destination of a setting `file`: relative to `folder`, or else one that comes with the program.

    Raises:
        SettingsError: There is no such file, or it is wrong.
    """
    path = folder / file
    try:
        if path.is_file():
            return _read(path, file_name=file)
        supplied = resources.files("portal.destinations") / Path(file).name
        if not Path(file).is_absolute() and supplied.is_file():
            return _read(supplied, file_name=file)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The destination file {file} cannot be read ({type(error).__name__}).") from None
    raise SettingsError(
        f"There is no destination file {file}.",
        next_step=f"Put it beside the settings, or name one that comes along: {', '.join(supplied_files())}.",
    )


def _read(path: Path | Traversable, *, file_name: str) -> Destination:
    def beside(name: str) -> str:
        if Path(name).name != name:
            raise OSError
        other = path.parent / name if isinstance(path, Path) else resources.files("portal.destinations") / name
        return other.read_text("utf-8")

    return read_destination(path.read_text("utf-8"), file_name=file_name, beside=beside)


def supplied_files() -> list[str]:
    """Names of the destination files that come with the program."""
    folder = resources.files("portal.destinations")
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
