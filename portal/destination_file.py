"""The shape of a destination file, before anything in it is compiled: keys, kinds of values, and nothing else.

Unknown keys are refused, because a misspelt key in such a file is a value that silently goes nowhere.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from portal.destination_patients import PatientLookup

LANGUAGE: Final = 2
VariableValue = str | int | bool | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Extract(_Part):
    """An id inside a longer text.

    Attributes:
        at: Expression that leads to the text.
        header: Header of the answer that holds the text, instead of `at`.
        match: Regular expression with one group, which is the id.
    """

    at: str | None = None
    header: str | None = None
    match: str = "^(.+)$"


IdPlace = str | Extract
Success = tuple[int, ...]


def _statuses_of_success(statuses: Success) -> Success:
    if not statuses or not all(200 <= status < 300 for status in statuses):
        raise ValueError("statuses from 200 to 299")
    return statuses


def _listed(expressions: str | tuple[str, ...]) -> tuple[str, ...]:
    listed = (expressions,) if isinstance(expressions, str) else expressions
    if not listed:
        raise ValueError("at least one expression")
    return listed


SuccessStatuses = Annotated[Success, AfterValidator(_statuses_of_success)]
Expressions = Annotated[str | tuple[str, ...], AfterValidator(_listed)]


class Shown(_Part):
    """What must be equal, where the portal shows it in another shape than it takes it.

    Attributes:
        shown: Expression over the result (or the answer) as it is shown.
        sent: Expression over the body as it was sent.
    """

    shown: str
    sent: str


class AnswerReading(_Part):
    """How the answer to a request that writes reads; every expression is over its JSON.

    Attributes:
        success: Statuses that may mean "stored"; any other 2xx leaves open what happened.
        accepted: Must be true of the answer, else the portal has refused the record with a success status.
        later: Where it is true of an answer that is not accepted, the record is sent again later.
        remote_id: The portal's own id; a success without it is no success. None takes that of `answer`, over `shows`.
        version: The portal's version of the value.
        shows: The stored result inside the answer, to be compared; where it is null, nothing is compared.
        existed: True of an answer that says the value was there already; it counts only after it was looked at.
        error_code: The portal's own code of a refusal, shown with the reason.
        same: What must be equal in the whole answer where it is shown, beyond what `answer` compares of one result.
    """

    success: SuccessStatuses = (200, 201)
    accepted: str | None = None
    later: str | None = None
    remote_id: IdPlace | None = None
    version: IdPlace | None = None
    shows: str = "@"
    existed: str | None = None
    error_code: str | None = None
    same: tuple[Shown, ...] = ()


class Writing(AnswerReading):
    """One request that writes.

    Attributes:
        method: POST, PUT, PATCH or DELETE.
        url: Begins with `{base_url}`; may hold `{patient_id}`, `{external_id}`, `{remote_id}`, `{variables.NAME}`.
        headers: Leaves over what is known of the submission, added to those of the file; null leaves a header out.
        body: Tree over the record; without it the `body` of the file, and none with DELETE.
        gone: Statuses that say the value is no longer there; it counts only if it is not shown either.
    """

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue = None
    gone: tuple[int, ...] = ()


class Searching(_Part):
    """How a value is found by our own id, after a lost answer and to check what is stored.

    Attributes:
        method: GET, or POST with a body.
        url: As of a request that writes, without `{remote_id}`.
        headers: As of a request that writes.
        body: Tree over what is known of the submission; without it, none is sent.
        accepted: Must be true of the answer, else nothing was found out.
        results: One or several expressions for the list; the first that yields a list counts.
        more: True of an answer that is only a part of what was found; what is not in it may be in the rest. A header
            Link with rel="next" says so too.
        nothing: Statuses that say "there is none".
    """

    method: Literal["GET", "POST"] = "GET"
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue = None
    accepted: str | None = None
    results: Expressions
    more: str | None = None
    nothing: tuple[int, ...] = (404,)


class ResultReading(_Part):
    """Where things are in one stored result as the portal shows it.

    Attributes:
        remote_id: The portal's own id.
        version: The portal's version of it.
        external_id: Our id; a search may show others, which are passed over.
        patient: The patient's id; where it is shown it must be the one sent to, or nothing is written over it.
        patient_sent: Expression over the body for what `patient` must be, where that is not the roster's id.
        same: What must be equal where it is shown: a path that is the same in both, or `shown` and `sent`.
        withdrawn: True of a withdrawn result that is still shown; without it, the status among `same` says so.
    """

    remote_id: IdPlace
    version: IdPlace | None = None
    external_id: IdPlace
    patient: IdPlace | None = None
    patient_sent: str | None = None
    same: tuple[str | Shown, ...] = Field(min_length=1)
    withdrawn: str | None = None


class Batching(_Part):
    """One request for several new values.

    Attributes:
        most: Largest number of values in it.
        method: POST, PUT or PATCH.
        url: Begins with `{base_url}`; may hold `{variables.NAME}`.
        headers: As of a request that writes, but only fixed text and variables.
        body: Tree over `payloads`, each with `body`, `external_id`, `patient_id`, `idempotency_key`.
        success: As of a request that writes.
        accepted: Must be true of the whole answer.
        results: Expression for the list of results.
        by: Results belong to payloads by their `order`, or by our id as `answer` reads it (`external_id`).
        entry_accepted: Must be true of one result; the others are looked up one by one.
        remote_id: As of a request that writes, over one result.
        version: As of a request that writes, over one result.
        shows: As of a request that writes, over one result.
        existed: As of a request that writes, over one result.
    """

    most: int = Field(ge=2, le=500)
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue
    success: SuccessStatuses = (200, 201)
    accepted: str | None = None
    results: str
    by: Literal["order", "external_id"] = "order"
    entry_accepted: str | None = None
    remote_id: IdPlace | None = None
    version: IdPlace | None = None
    shows: str = "@"
    existed: str | None = None


class TokenHeader(_Part):
    """Where the token goes: `Authorization: Bearer …` unless said otherwise.

    Attributes:
        header: Name of the header.
        scheme: Word before the token; empty for none.
    """

    header: str = "Authorization"
    scheme: str = "Bearer"


class _File(_Part):
    """What every destination file says.

    Attributes:
        language: Version of this file format.
        record: Version of the fields below.
        id: Of the file; lower case with hyphens.
        revision: Counted up with every change; kept with each payload.
        about: For people.
        variables: What the settings may say by `variables`, each with its default; null must be set.
        tables: Lookup tables, by name.
    """

    language: Literal[2]
    record: Literal[2]
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    revision: int = Field(ge=1)
    about: str = ""
    variables: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")], VariableValue] = Field(
        default_factory=dict
    )
    tables: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)


class HttpFile(_File):
    """A portal that is spoken to by HTTP.

    Attributes:
        kind: `http`.
        token: Where the token goes.
        headers: Of every request.
        rate: Requests per second the portal allows; the settings can only lower it.
        json_schema: JSON Schema of the bodies, or the name of a file beside this one that holds it.
        body: Tree that the requests share.
        create: Tells of a result that the portal does not have.
        update: Tells of a correction.
        withdraw: Takes a result back.
        search: Finds a result by our id.
        answer: Reads one result as the portal shows it.
        batch: Tells of several new results at once.
        patients: How the portal's own id of a patient is found; without it, the roster has that id.
    """

    kind: Literal["http"] = "http"
    token: TokenHeader = TokenHeader()
    headers: dict[str, str] = Field(default_factory=dict)
    rate: float | None = Field(default=None, gt=0, le=1000)
    json_schema: str | dict[str, JsonValue] | None = Field(default=None, alias="schema")
    body: JsonValue = None
    create: Writing
    update: Writing
    withdraw: Writing
    search: Searching
    answer: ResultReading
    batch: Batching | None = None
    patients: PatientLookup | None = None


class CsvFile(_File):
    """A portal without an interface, which takes CSV files from a folder.

    Attributes:
        kind: `csv`.
        delimiter: Between the columns: comma, semicolon, tab or bar.
        columns: Header to tree, in the order of the file; each gives one text, number, flag or null.
    """

    kind: Literal["csv"]
    delimiter: Literal[",", ";", "\t", "|"] = ","
    columns: dict[str, JsonValue] = Field(min_length=1)


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is a fault, since the first would vanish without a word, and in which text that
    only looks like something else stays text: no is a word, 010 an id, 2026-03-02 a day as it is written."""


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


_StrictLoader.yaml_implicit_resolvers = {}
for _tag, _written, _first in (
    ("null", r"~|null|", "~n"),
    ("bool", r"true|false", "tf"),
    ("int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?", "-0123456789"),
    ("merge", r"<<", "<"),
):
    _first_signs = [*_first, ""] if _tag == "null" else [*_first]
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_written})$"), _first_signs)
_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def read_yaml(text: str) -> object:
    """What a YAML text holds.

    Raises:
        ValueError: It is no YAML, or a key is given twice; the message names the line.
    """
    try:
        content: object = yaml.load(text, _StrictLoader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        problem = (error.problem if isinstance(error, yaml.MarkedYAMLError) else None) or "not YAML"
        raise ValueError(f"line {mark.line + 1}: {problem}" if mark else problem) from None
    return content
