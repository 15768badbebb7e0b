"""A portal as its file describes it, compiled: which requests create, correct, withdraw and find a value, and how
answers read.

The file is data: it can pick and rearrange fields, and cannot compute. Everything in it was checked when it was
loaded (`portal.destination_files`), so that nothing here fails for a misspelt name.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from portal.addresses import Address
from portal.body_schema import BodySchema
from portal.destination_file import TokenHeader, VariableValue
from portal.destination_patients import PatientSearch, compile_lookup
from portal.expressions import EVERYTHING, Expression, Missing
from portal.mapping import Scope, Tree
from portal.record_shape import RECORD_NAME, VARIABLES_NAME
from records.errors import DeliveryHeldError, SettingsError
from records.submission import ResultStatus

__all__ = ["Destination", "TokenHeader"]

_LONGEST_ID: Final = 500
_LONGEST_TEXT: Final = 4000
# A spreadsheet runs a cell that begins like this.
_RUNS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """Where an id is: at an expression or in a header, whole or as the one group of a pattern."""

    expression: Expression | None = None
    header: str | None = None
    pattern: re.Pattern[str] | None = None

    def find(self, content: JsonValue | Missing, headers: Mapping[str, str]) -> str | None:
        """The id as text, or None if there is none that could be one."""
        value: JsonValue | Missing = None
        if self.header is not None:
            value = headers.get(self.header)
        elif self.expression is not None and not isinstance(content, Missing):
            value = self.expression.read(content)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return None
        text = str(value)
        if self.pattern is not None:
            found = self.pattern.search(text) if len(text) <= _LONGEST_TEXT else None
            text = found[1] or "" if found else ""
        return text if text and text.isprintable() and len(text) <= _LONGEST_ID else None

    def is_shown(self, content: JsonValue) -> bool:
        """Whether there is anything at the place, be it an id or not."""
        return self.expression is not None and not isinstance(self.expression.read(content), Missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What must be equal where the portal shows it."""

    shown: Expression
    sent: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultShape:
    """Where things are in one stored result as the portal shows it; see `destination_file.ResultReading`."""

    remote_id: Finder
    version: Finder | None
    external_id: Finder
    patient: Finder | None
    patient_sent: Expression | None
    same: tuple[Comparison, ...]
    withdrawn: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request: address, headers and body still to be filled."""

    method: str
    address: Address
    headers: tuple[tuple[str, Tree], ...]
    body: Tree | None

    def written_headers(self, scope: Scope) -> dict[str, str]:
        """The headers for one submission; one whose value is null is left out.

        Raises:
            DeliveryHeldError: A value is missing that must be there, or no header can carry it.
        """
        written = {}
        for name, tree in self.headers:
            value = tree.render(scope)
            if value is None:
                continue
            text = str(value)
            if not (text.isprintable() and text.isascii()) or isinstance(value, dict | list):
                raise DeliveryHeldError(f"The header {name} cannot carry its value.", code="mapping-fault")
            written[name] = text
        return written


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the answer to a request that writes reads; see `destination_file.AnswerReading`.

    Attributes:
        remote_id: Over the whole answer; None for that of `answer`, over what the answer shows.
        shows: None for the answer itself.
    """

    success: frozenset[int]
    accepted: Expression | None
    later: Expression | None
    remote_id: Finder | None
    version: Finder | None
    shows: Expression | None
    existed: Expression | None
    error_code: Expression | None
    same: tuple[Comparison, ...]
    gone: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request that writes, and how its answer reads."""

    request: Request
    reading: Reading

    @property
    def names_remote_id(self) -> bool:
        """Whether the body holds the portal's own id, so that it is good for no other."""
        return self.request.body is not None and "remote_id" in self.request.body.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How a value is found by our own id; see `destination_file.Searching`."""

    request: Request
    accepted: Expression | None
    results: tuple[Expression, ...]
    more: Expression | None
    nothing: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One request for several new values; see `destination_file.Batching`. `reading` is over one result."""

    most: int
    request: Request
    accepted: Expression | None
    results: Expression
    by_order: bool
    entry_accepted: Expression | None
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    """What every kind of destination file says.

    Attributes:
        variables: What expressions see as `variables`.
        unset: Variables that the settings must set.
    """

    file_id: str
    revision: int
    about: str
    variables: Mapping[str, VariableValue]
    unset: frozenset[str]

    @property
    def mapping_revision(self) -> str:
        """ "id@revision", kept with each payload made by this file."""
        return f"{self.file_id}@{self.revision}"

    def variables_with(self, given: Mapping[str, VariableValue]) -> dict[str, VariableValue]:
        """The variables with those the settings give.

        Raises:
            SettingsError: One is unknown, of another kind, or not set though it must be; every fault is listed.
        """
        faults = [f"variables: the destination file has no {name}" for name in sorted(given.keys() - self.variables)]
        faults += [f"variables: {name} must be set" for name in sorted(self.unset - given.keys())]
        for name, value in given.items():
            usual = self.variables.get(name)
            if usual is not None and type(value) is not type(usual):
                faults.append(f"variables: {name} must be of the kind of its default")
        if faults:
            raise SettingsError("\n".join(faults))
        return {**self.variables, **given}

    def scope(self, fields: Mapping[str, JsonValue]) -> Scope:
        """The fields, and the names that stand beside them."""
        return {**fields, RECORD_NAME: {**fields}, VARIABLES_NAME: {**self.variables}}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDestination(_Described):
    """A portal that is spoken to by HTTP.

    Attributes:
        rate: Requests per second the portal allows, or None.
        schema: What every body must keep, or None.
        patients: How the portal's own id of a patient is found, or None where the roster has it.
    """

    token: TokenHeader
    rate: float | None
    schema: BodySchema | None
    create: Operation
    update: Operation
    withdraw: Operation
    search: Search
    answer: ResultShape
    batch: Batch | None
    patients: PatientSearch | None

    def operation(self, status: ResultStatus, *, remote_id: str | None) -> Operation:
        """The request that tells the portal a result of this status; what it does not have yet is created."""
        if status is ResultStatus.ENTERED_IN_ERROR:
            return self.withdraw
        return self.create if remote_id is None else self.update

    def body(self, fields: Mapping[str, JsonValue], *, status: ResultStatus, remote_id: str | None) -> bytes:
        """The bytes that are sent of a record: UTF-8 JSON in the order of the file, or nothing for a request without.

        Raises:
            DeliveryHeldError: A field the file needs is missing, or the body breaks the file's schema.
        """
        tree = self.operation(status, remote_id=remote_id).request.body
        if tree is None:
            return b""
        content = tree.render(self.scope(fields))
        fault = None if self.schema is None else self.schema.fault(content)
        if fault is not None:
            raise DeliveryHeldError(
                f"The portal would not take this record: {fault}.",
                next_step="Correct the record, or the destination file and its schema.",
                code="schema",
            )
        return as_json(content)

    def picked(self, status: ResultStatus, *, remote_id: str | None) -> frozenset[str] | None:
        """The names that a body picks, whatever they are names of; None if it may pick anything."""
        tree = self.operation(status, remote_id=remote_id).request.body
        return _picked(() if tree is None else (tree,))

    def asks_for(self, name: str) -> bool:
        """Whether any body picks a field of this name."""
        bodies = (part.request.body for part in (self.create, self.update, self.withdraw))
        return any(body is not None and not body.words.isdisjoint({name, EVERYTHING}) for body in bodies)

    def with_variables(self, given: Mapping[str, VariableValue]) -> HttpDestination:
        """The destination with the variables of the settings.

        Raises:
            SettingsError: They do not fit; every fault is listed.
        """
        variables = self.variables_with(given)
        faults: list[str] = []
        lookup = None if self.patients is None else self.patients.lookup
        patients = None if lookup is None else compile_lookup(lookup, variables=variables, faults=faults)
        if faults:
            raise SettingsError("\n".join(faults))
        return replace(self, variables=variables, unset=frozenset(), patients=patients)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvDestination(_Described):
    """A portal that takes CSV files from a folder.

    Attributes:
        columns: Header and leaf, in order.
    """

    delimiter: str
    columns: tuple[tuple[str, Tree], ...]

    def body(self, fields: Mapping[str, JsonValue], *, status: ResultStatus, remote_id: str | None) -> bytes:
        """The file that tells of a record: a line of headers and a line of values, UTF-8, lines ending in CR LF.

        Raises:
            DeliveryHeldError: A field the file needs is missing, or a spreadsheet would run a value as a formula.
        """
        del status, remote_id  # a row says its status itself
        scope = self.scope(fields)
        row = [_cell(tree.render(scope), header=header) for header, tree in self.columns]
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator="\r\n")
        writer.writerow([header for header, _ in self.columns])
        writer.writerow(row)
        return text.getvalue().encode()

    def picked(self, status: ResultStatus, *, remote_id: str | None) -> frozenset[str] | None:
        """The names that the columns pick, whatever they are names of; None if they may pick anything."""
        del status, remote_id
        return _picked(tree for _, tree in self.columns)

    def asks_for(self, name: str) -> bool:
        """Whether any column picks a field of this name."""
        return any(not tree.words.isdisjoint({name, EVERYTHING}) for _, tree in self.columns)

    def with_variables(self, given: Mapping[str, VariableValue]) -> CsvDestination:
        """The destination with the variables of the settings.

        Raises:
            SettingsError: They do not fit; every fault is listed.
        """
        return replace(self, variables=self.variables_with(given), unset=frozenset())


Destination = HttpDestination | CsvDestination


def _picked(trees: Iterable[Tree]) -> frozenset[str] | None:
    words = frozenset[str]().union(*(tree.words for tree in trees))
    return None if EVERYTHING in words else words


def as_json(content: JsonValue) -> bytes:
    """UTF-8 JSON without spaces, keys in their order.

    Raises:
        DeliveryHeldError: A number in it is none that JSON has.
    """
    try:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:  # not a number, or half of a surrogate pair
        raise DeliveryHeldError("The body cannot be written as JSON.", code="mapping-fault") from None


def _cell(value: JsonValue, *, header: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)  # a number is a number, and below zero too no formula
    if isinstance(value, str) and not value.lstrip().startswith(_RUNS) and value.isprintable():
        return value
    raise DeliveryHeldError(
        f"The column {header} cannot hold its value: a spreadsheet would run it, or it is no single text.",
        next_step="Let the destination file say what to write instead.",
        code="csv-cell",
    )
