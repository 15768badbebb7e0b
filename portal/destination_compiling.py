"""From the keys of a destination file to a destination: every expression compiled, every name checked, every fault
listed with its path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from pydantic import JsonValue

from portal.addresses import Address
from portal.body_schema import BodySchema
from portal.destination import (
    Batch,
    Comparison,
    CsvDestination,
    Finder,
    HttpDestination,
    Operation,
    Reading,
    Request,
    ResultShape,
    Search,
)
from portal.destination_file import (
    AnswerReading,
    Batching,
    CsvFile,
    Extract,
    HttpFile,
    IdPlace,
    ResultReading,
    Searching,
    Shown,
    VariableValue,
    Writing,
)
from portal.destination_patients import compile_lookup
from portal.expressions import Expression
from portal.mapping import Tree, TreeCompiler
from portal.record_shape import BATCH, RECORD, REQUEST
from portal.shapes import ANYTHING, Fields

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_T = TypeVar("_T")


class DestinationCompiler:
    """Compiles one file.

    Attributes:
        faults: One sentence for each fault, with the path where; the destination is only good if there is none.
    """

    def __init__(
        self, *, variables: Mapping[str, VariableValue], tables: Mapping[str, Mapping[str, JsonValue]]
    ) -> None:
        self.faults: list[str] = []
        self._variables = variables
        self._bodies = self._trees(RECORD, tables)
        self._requests = self._trees(REQUEST, tables)
        self._batches = self._trees(BATCH, tables)
        self._fixed = self._trees(Fields({}), tables)

    def http(self, file: HttpFile, *, schema: dict[str, JsonValue] | None) -> HttpDestination:
        """The destination of an HTTP file; `schema` is the JSON Schema it holds or names."""
        self._check_token(file.token.header, file.token.scheme)
        shared = self._headers(file.headers, at="headers")
        usual = None if file.body is None else self._bodies.compile(file.body, at="body")
        write = {name: self._operation(getattr(file, name), usual, shared, at=name) for name in _WRITES}
        destination = HttpDestination(
            file_id=file.id,
            revision=file.revision,
            about=file.about,
            variables=file.variables,
            unset=_unset(file.variables),
            token=file.token,
            rate=file.rate,
            schema=None if schema is None else self._kept(lambda: BodySchema(schema), at="schema"),
            create=write["create"],
            update=write["update"],
            withdraw=write["withdraw"],
            search=self._search(file.search, shared),
            answer=self._result(file.answer),
            batch=None if file.batch is None else self._batch(file.batch, file.headers),
            patients=None
            if file.patients is None
            else compile_lookup(file.patients, variables=self._variables, faults=self.faults),
        )
        self._check_comparable(destination)
        return destination

    def csv(self, file: CsvFile) -> CsvDestination:
        """The destination of a CSV file."""
        columns = []
        for header, leaf in file.columns.items():
            if not header.isprintable() or not header.strip():
                self.faults.append(f"columns: {header!r} is no header")
            columns.append((header, self._bodies.compile(leaf, at=f"columns.{header}")))
        return CsvDestination(
            file_id=file.id,
            revision=file.revision,
            about=file.about,
            variables=file.variables,
            unset=_unset(file.variables),
            delimiter=file.delimiter,
            columns=tuple(columns),
        )

    def _trees(self, names: Fields, tables: Mapping[str, Mapping[str, JsonValue]]) -> TreeCompiler:
        return TreeCompiler(names, variables=self._variables, tables=tables, faults=self.faults)

    def _kept(self, make: Callable[[], _T], *, at: str) -> _T | None:
        """What `make` makes, or None and one fault more."""
        try:
            return make()
        except (ValueError, re.error) as error:
            self.faults.append(f"{at}: {error}")
            return None

    def _expression(self, text: str | None, *, at: str) -> Expression | None:
        expression = None if text is None else self._kept(lambda: Expression(text), at=at)
        if expression is not None:
            self.faults += [f"{at}: {fault}" for fault in expression.check(ANYTHING)[1]]
        return expression

    def _needed(self, text: str, *, at: str) -> Expression:
        return self._expression(text, at=at) or Expression("@")

    def _request(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: Tree | None,
        shared: tuple[tuple[str, Tree], ...],
        *,
        places: frozenset[str],
        at: str,
    ) -> Request:
        address = Address(url)
        named = places | {f"variables.{name}" for name in self._variables}
        self.faults += address.faults(named, at=f"{at}.url")
        own = self._headers(headers, at=f"{at}.headers")
        names = {name.lower() for name, _ in own}
        kept = tuple((name, tree) for name, tree in shared if name.lower() not in names)
        return Request(method=method, address=address, headers=kept + own, body=body)

    def _headers(
        self, headers: dict[str, str], *, at: str, names: TreeCompiler | None = None
    ) -> tuple[tuple[str, Tree], ...]:
        written = []
        for name, leaf in headers.items():
            if not _HEADER_NAME.fullmatch(name):
                self.faults.append(f"{at}: {name!r} is no header name")
            if not (leaf.isprintable() and leaf.isascii()):
                self.faults.append(f"{at}.{name}: no header can carry this value")
            written.append((name, (names or self._requests).compile(leaf, at=f"{at}.{name}")))
        return tuple(written)

    def _check_token(self, header: str, scheme: str) -> None:
        if not _HEADER_NAME.fullmatch(header):
            self.faults.append(f"token.header: {header!r} is no header name")
        if not (scheme.isprintable() and scheme.isascii()):
            self.faults.append("token.scheme: no header can carry this value")

    def _operation(
        self, file: Writing, usual: Tree | None, shared: tuple[tuple[str, Tree], ...], *, at: str
    ) -> Operation:
        body = usual if file.body is None else self._bodies.compile(file.body, at=f"{at}.body")
        if file.method == "DELETE" and file.body is None:
            body = None
        elif body is None:
            self.faults.append(f"{at}.body: there is none, here or for the whole file")
        places = _WRITE_PLACES if at == "create" else _WRITE_PLACES | {"remote_id"}
        request = self._request(file.method, file.url, file.headers, body, shared, places=places, at=at)
        return Operation(request=request, reading=self._reading(file, gone=file.gone, at=at))

    def _reading(self, file: AnswerReading, *, gone: tuple[int, ...], at: str) -> Reading:
        return Reading(
            success=frozenset(file.success),
            accepted=self._expression(file.accepted, at=f"{at}.accepted"),
            later=self._expression(file.later, at=f"{at}.later"),
            remote_id=self._finder(file.remote_id, at=f"{at}.remote_id"),
            version=self._finder(file.version, at=f"{at}.version"),
            shows=None if file.shows == "@" else self._expression(file.shows, at=f"{at}.shows"),
            existed=self._expression(file.existed, at=f"{at}.existed"),
            error_code=self._expression(file.error_code, at=f"{at}.error_code"),
            same=tuple(self._comparison(part, at=f"{at}.same.{number}") for number, part in enumerate(file.same)),
            gone=frozenset(gone),
        )

    def _finder(self, place: IdPlace | None, *, at: str) -> Finder | None:
        if place is None:
            return None
        if isinstance(place, str):
            return Finder(expression=self._needed(place, at=at))
        if (place.at is None) == (place.header is None):
            self.faults.append(f"{at}: either at or header")
        pattern = self._kept(lambda: _one_group(place), at=f"{at}.match")
        expression = self._expression(place.at, at=f"{at}.at")
        header = None if place.header is None else place.header.lower()
        return Finder(expression=expression, header=header, pattern=pattern)

    def _search(self, file: Searching, shared: tuple[tuple[str, Tree], ...]) -> Search:
        body = None if file.body is None else self._requests.compile(file.body, at="search.body")
        request = self._request(file.method, file.url, file.headers, body, shared, places=_WRITE_PLACES, at="search")
        if "external_id" not in request.address.places and (body is None or "external_id" not in body.words):
            self.faults.append("search: must look for external_id, in its url or its body")
        results = tuple(self._needed(text, at=f"search.results.{number}") for number, text in enumerate(file.results))
        return Search(
            request=request,
            accepted=self._expression(file.accepted, at="search.accepted"),
            results=results,
            more=self._expression(file.more, at="search.more"),
            nothing=frozenset(file.nothing),
        )

    def _result(self, file: ResultReading) -> ResultShape:
        return ResultShape(
            remote_id=self._finder(file.remote_id, at="answer.remote_id") or Finder(),
            version=self._finder(file.version, at="answer.version"),
            external_id=self._finder(file.external_id, at="answer.external_id") or Finder(),
            patient=self._finder(file.patient, at="answer.patient"),
            patient_sent=self._expression(file.patient_sent, at="answer.patient_sent"),
            same=tuple(self._comparison(part, at=f"answer.same.{number}") for number, part in enumerate(file.same)),
            withdrawn=self._expression(file.withdrawn, at="answer.withdrawn"),
        )

    def _comparison(self, part: str | Shown, *, at: str) -> Comparison:
        shown, sent = (part.shown, part.sent) if isinstance(part, Shown) else (part, part)
        return Comparison(shown=self._needed(shown, at=at), sent=self._needed(sent, at=at))

    def _batch(self, file: Batching, shared: dict[str, str]) -> Batch:
        """A batch is no single submission, so that its headers can name variables only."""
        body = self._batches.compile(file.body, at="batch.body")
        fixed = self._headers({**shared, **file.headers}, at="batch.headers", names=self._fixed)
        request = self._request(file.method, file.url, {}, body, fixed, places=frozenset(), at="batch")
        reading = AnswerReading(
            success=file.success,
            remote_id=file.remote_id,
            version=file.version,
            shows=file.shows,
            existed=file.existed,
        )
        return Batch(
            most=file.most,
            request=request,
            accepted=self._expression(file.accepted, at="batch.accepted"),
            results=self._needed(file.results, at="batch.results"),
            by_order=file.by == "order",
            entry_accepted=self._expression(file.entry_accepted, at="batch.entry_accepted"),
            reading=self._reading(reading, gone=(), at="batch"),
        )

    def _check_comparable(self, destination: HttpDestination) -> None:
        """What is compared must be in the body; else nothing would be compared, and nobody would know."""
        for name, operation in (("create", destination.create), ("update", destination.update)):
            body = operation.request.body
            for part in destination.answer.same:
                faults = [] if body is None else part.sent.check(body.shape)[1]
                self.faults += [f"answer.same: the body of {name} has nothing at {part.sent.text}" for _ in faults[:1]]
        body = destination.withdraw.request.body
        nothing = body is not None and all(part.sent.check(body.shape)[1] for part in destination.answer.same)
        if destination.answer.withdrawn is None and nothing:
            self.faults.append("answer.withdrawn: nothing else tells a withdrawn result from another")


_WRITES: Final = ("create", "update", "withdraw")
_WRITE_PLACES: Final = frozenset({"patient_id", "external_id"})


def _unset(variables: Mapping[str, VariableValue]) -> frozenset[str]:
    return frozenset(name for name, value in variables.items() if value is None)


def _one_group(place: Extract) -> re.Pattern[str]:
    pattern = re.compile(place.match)
    if pattern.groups != 1:
        raise ValueError("a pattern with one group")
    return pattern


def check_writable(content: object) -> list[str]:
    """What in a file no JSON can hold."""
    try:
        json.dumps(content, allow_nan=False)
    except ValueError:
        return ["file: .nan and .inf are no numbers here"]
    return []
