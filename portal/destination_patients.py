"""The part of a destination file that says how a patient of the roster is found at the portal.

A patient is only ever looked up. There is no way to say in a file that one be created.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from portal.addresses import Address
from portal.expressions import Expression, ExpressionFaultError
from portal.shapes import ANYTHING

_PLACES: Final = frozenset({"patient_id"})


class PatientLookup(BaseModel):
    """How one patient is found by the roster's id; every expression but `results` is over one patient found.

    Attributes:
        method: With POST, what stands behind the question mark is sent as a form, so that no record number stands in an
            address, which servers write down.
        headers: Fixed text.
        url: Begins with `{base_url}`; ends in `{patient_id}`, and may hold `{variables.NAME}`, put in as it is set: a
            search is said in the portal's own words ("_id=", "identifier=urn:oid:1.2.3|").
        results: Leads from the answer to the list of patients.
        nothing: Statuses that say "there is none".
        known_as: What a patient can be asked for by; what was asked for, from the last "=" or "/" of the URL on, must
            be among it, because servers are known to ignore a parameter and to show everybody.
        portal_id: The portal's own id.
        birth_date: Day of birth, or its year or month; None if never shown.
        inactive: True of a patient whose record is closed or was replaced by another one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    method: Literal["GET", "POST"] = "GET"
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    results: str
    nothing: tuple[int, ...] = (404, 410)
    known_as: str
    portal_id: str
    birth_date: str | None = None
    inactive: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientSearch:
    """A lookup, compiled.

    Attributes:
        lookup: As it is written.
        asked_as: What stands before the patient's id in what is asked for, such as "urn:oid:1.2.3|".
    """

    lookup: PatientLookup
    address: Address
    method: str
    asked_as: str
    headers: Mapping[str, str]
    results: Expression
    nothing: tuple[int, ...]
    known_as: Expression
    portal_id: Expression
    birth_date: Expression | None
    inactive: Expression

    def entries(self, answer: JsonValue) -> list[JsonValue] | None:
        """The patients in an answer, or None if it holds no list."""
        found = self.results.read(answer)
        return found if isinstance(found, list) else None


def compile_lookup(
    lookup: PatientLookup, *, variables: Mapping[str, object], faults: list[str], at: str = "patients"
) -> PatientSearch | None:
    """The lookup ready for use, or None with what is wrong added to `faults`."""
    before = len(faults)
    url = lookup.url
    for name, value in variables.items():
        url = url.replace(f"{{variables.{name}}}", quote(str(value), safe="=&/:%-._~"))
    address = Address(url)
    faults += address.faults(_PLACES, at=f"{at}.url")
    if address.places != ("patient_id",) or not url.endswith("{patient_id}"):
        faults.append(f"{at}.url: must end in {{patient_id}}")
    if lookup.method == "POST" and "?" not in url:
        faults.append(f"{at}.url: with POST, what is searched for stands behind a question mark")
    written = {
        name: _compiled(getattr(lookup, name), faults, at=f"{at}.{name}")
        for name in ("results", "known_as", "portal_id", "birth_date", "inactive")
    }
    if len(faults) > before:
        return None
    results, known_as, portal_id, inactive = (written[n] for n in ("results", "known_as", "portal_id", "inactive"))
    assert results is not None
    assert known_as is not None
    assert portal_id is not None
    assert inactive is not None
    return PatientSearch(
        lookup=lookup,
        address=address,
        method=lookup.method,
        asked_as=_asked_as(url),
        headers=lookup.headers,
        results=results,
        nothing=lookup.nothing,
        known_as=known_as,
        portal_id=portal_id,
        birth_date=written["birth_date"],
        inactive=inactive,
    )


def _asked_as(url: str) -> str:
    before = url.removesuffix("{patient_id}")
    return unquote(before.rpartition("=" if "=" in before else "/")[2])


def _compiled(text: str | None, faults: list[str], *, at: str) -> Expression | None:
    if text is None:
        return None
    try:
        expression = Expression(text)
    except ExpressionFaultError as error:
        faults.append(f"{at}: {error}")
        return None
    faults += [f"{at}: {fault}" for fault in expression.check(ANYTHING)[1]]
    return expression
