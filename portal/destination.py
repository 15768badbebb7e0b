"""A portal described by a file: which requests create, correct, withdraw and find a value, and how answers read.

The file is data: it can pick fields, and cannot compute. Unknown keys are refused and every fault is listed, because
a misspelt key in such a file is a value that silently goes nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from portal.mapping import MISSING, pick, tree_faults
from records.errors import SettingsError
from records.submission import ResultStatus

_PLACE: Final = re.compile(r"{([^{}]*)}")
_URL_FIELDS: Final = frozenset({"base_url", "patient_id", "external_id", "remote_id"})
_HEADER_FIELDS: Final = frozenset({"idempotency_key", "external_id"})
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Operation(_Part):
    """One request that writes.

    Attributes:
        url: Begins with `{base_url}`; may hold `{patient_id}`, `{external_id}`, `{remote_id}`, each percent-encoded.
        headers: Literal text, `=idempotency_key` or `=external_id`.
        body: Tree of `portal.mapping`; None takes the `body` of the file.
        success: Statuses that say "stored". Any other 2xx leaves open what happened.
    """

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue = None
    success: tuple[int, ...] = (200, 201)


class Search(_Part):
    """How a value is found by our own id, after a lost answer and to check what is stored.

    Attributes:
        results: Paths at which the list may lie ("." is the answer itself); the first that is a list counts.
        nothing: Statuses that say "there is none".
    """

    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    results: tuple[str, ...] = Field(min_length=1)
    nothing: tuple[int, ...] = (404,)


class AnswerShape(_Part):
    """Where things are in a stored result as the portal shows it, as dotted paths.

    Attributes:
        remote_id: The portal's own id; a success without it is no success.
        external_id: Our id, in the body as well as in answers.
        patient: The patient's id, or None if never shown. Where shown it must be the one sent to.
        same: Paths that, where shown, must hold what was sent at the same path of the body.
        errors: Path that, when not empty, makes a success a refusal (GraphQL).
    """

    remote_id: str
    version: str | None = None
    external_id: str
    patient: str | None = None
    same: tuple[str, ...] = Field(min_length=1)
    errors: str | None = None


class TokenHeader(_Part):
    """Where the token goes: `Authorization: Bearer …` unless said otherwise."""

    header: str = "Authorization"
    scheme: str = "Bearer"


class Destination(_Part):
    """One destination file.

    Attributes:
        language: Version of this file format.
        record: Version of the fields in `portal.mapping.RECORD_FIELDS`.
        revision: Counted up with every change; kept with each payload.
    """

    language: Literal[1]
    record: Literal[1]
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    revision: int = Field(ge=1)
    about: str = ""
    token: TokenHeader = TokenHeader()
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue
    create: Operation
    update: Operation
    withdraw: Operation
    search: Search
    answer: AnswerShape

    @property
    def mapping_revision(self) -> str:
        """ "id@revision", kept with each payload made by this file."""
        return f"{self.id}@{self.revision}"

    def operation(self, status: ResultStatus, *, remote_id: str | None) -> Operation:
        """The request that tells the portal a result of this status; what it does not have yet is created."""
        if status is ResultStatus.ENTERED_IN_ERROR:
            return self.withdraw
        return self.create if remote_id is None else self.update

    def body_tree(self, operation: Operation) -> JsonValue:
        """The tree of an operation's body."""
        return self.body if operation.body is None else operation.body

    def faults(self) -> Iterator[str]:
        """What the shape alone does not show, one sentence each."""
        yield from tree_faults(self.body)
        for path in (self.answer.external_id, *self.answer.same):
            if pick(self.body, path) is MISSING:
                yield f"answer: the body has nothing at {path}, so answers cannot be compared there"
        for name, part in (("create", self.create), ("update", self.update), ("withdraw", self.withdraw)):
            yield from tree_faults(part.body, at=f"{name}.body")
            yield from _url_faults(part.url, at=f"{name}.url", forbidden={"remote_id"} if name == "create" else set())
            yield from _header_faults(part.headers, at=f"{name}.headers")
            if not part.success or not all(200 <= status < 300 for status in part.success):
                yield f"{name}.success: statuses from 200 to 299"
        yield from _url_faults(self.search.url, at="search.url", forbidden={"remote_id"})
        if "{external_id}" not in self.search.url:
            yield "search.url: must look for {external_id}"
        yield from _header_faults(self.search.headers, at="search.headers")
        yield from _header_faults(self.headers, at="headers")
        yield from _header_faults({self.token.header: self.token.scheme}, at="token")


def _url_faults(url: str, *, at: str, forbidden: set[str]) -> Iterator[str]:
    if not url.startswith("{base_url}/"):
        yield f"{at}: begins with {{base_url}}/"
    for field in _PLACE.findall(url):
        if field not in _URL_FIELDS - forbidden:
            yield f"{at}: there is no {{{field}}} here"
    if url.count("{base_url}") > 1 or not url.isprintable() or " " in url:
        yield f"{at}: not a URL"


def _header_faults(headers: dict[str, str], *, at: str) -> Iterator[str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            yield f"{at}: {name!r} is no header name"
        if not (value.isprintable() and value.isascii()):
            yield f"{at}.{name}: no header can carry this value"
        if value.startswith("=") and value[1:] not in _HEADER_FIELDS:
            yield f"{at}.{name}: there are =idempotency_key and =external_id"


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is a fault: the first would vanish without a word."""


def _mapping_without_repeats(loader: _StrictLoader, node: yaml.MappingNode) -> dict[object, object]:
    loader.flatten_mapping(node)
    mapping: dict[object, object] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, "a key is a word", key_node.start_mark)
        if key in mapping:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def read_destination(text: str, *, file_name: str) -> Destination:
    """The destination a file describes.

    Raises:
        SettingsError: It is wrong; the message lists every fault with its path.
    """
    try:
        content = yaml.load(text, _StrictLoader)  # noqa: S506  # a SafeLoader
        destination = Destination.model_validate(content)
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        problem = (error.problem if isinstance(error, yaml.MarkedYAMLError) else None) or "not YAML"
        raise _wrong(file_name, [f"line {mark.line + 1}: {problem}" if mark else problem]) from None
    except ValidationError as error:
        places = [(".".join(str(step) for step in fault["loc"]) or "file", fault["msg"]) for fault in error.errors()]
        raise _wrong(file_name, [f"{place}: {message}" for place, message in places]) from None
    faults = list(destination.faults())
    if faults:
        raise _wrong(file_name, faults)
    return destination


def _wrong(file_name: str, faults: list[str]) -> SettingsError:
    listed = "".join(f"\n  {fault}" for fault in faults)
    return SettingsError(f"The destination file {file_name} is wrong:{listed}")


def load_destination(file: str, *, folder: Path) -> Destination:
    """The destination of a setting `file`: relative to `folder`, or else one that comes with the program.

    Raises:
        SettingsError: There is no such file, or it is wrong.
    """
    path = folder / file
    try:
        if path.is_file():
            return read_destination(path.read_text("utf-8"), file_name=file)
        supplied = resources.files("portal.destinations") / Path(file).name
        if not Path(file).is_absolute() and supplied.is_file():
            return read_destination(supplied.read_text("utf-8"), file_name=file)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The destination file {file} cannot be read ({type(error).__name__}).") from None
    raise SettingsError(
        f"There is no destination file {file}.",
        next_step=f"Put it beside the settings, or name one that comes along: {', '.join(supplied_files())}.",
    )


def supplied_files() -> list[str]:
    """Names of the destination files that come with the program."""
    folder = resources.files("portal.destinations")
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
