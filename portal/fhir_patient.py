"""A FHIR R4 Patient as a patient of a roster (https://hl7.org/fhir/R4/patient.html).

What a resource leaves open (two record numbers, a birth date without its day) is not guessed: the field stays empty
and a remark says so, without values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from records.human_name import split_name
from records.patient import RosterPatient

_CURRENT_NAMES: Final = ("official", "usual", None)
_FORMER_NAMES: Final = frozenset({"old", "maiden"})
_SEXES: Final = {"female": "F", "male": "M", "other": "X"}
_PHONES: Final = ("mobile", "home", None, "temp", "work")
_WHOLE_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_RESOURCE_ID: Final = re.compile(r"(?:^|/)Patient/([A-Za-z0-9.\-]{1,64})(?:/_history/[^/]+)?$")
_RECORD_NUMBER: Final = "MR"  # HL7 table 0203
_NO_TEXT: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


class _Element(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Period(_Element):
    """When something held."""

    end: str | None = None


class HumanName(_Element):
    """One of a person's names."""

    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] = ()
    suffix: tuple[str | None, ...] = ()
    period: Period | None = None


class Coding(_Element):
    """A code."""

    code: str | None = None


class CodeableConcept(_Element):
    """A kind of thing."""

    coding: tuple[Coding, ...] = ()


class Identifier(_Element):
    """A number that somebody gave the person."""

    use: str | None = None
    type: CodeableConcept | None = None
    system: str | None = None
    value: str | None = None
    period: Period | None = None


class ContactPoint(_Element):
    """A way to reach the person."""

    system: str | None = None
    value: str | None = None
    use: str | None = None
    rank: int | None = None


class Reference(_Element):
    """Another resource, by its address or number."""

    reference: str | None = None
    display: str | None = None
    identifier: Identifier | None = None


class PatientLink(_Element):
    """Another record of the same person."""

    other: Reference
    type: str


class Patient(_Element):
    """What is used of a Patient resource."""

    id: str | None = None
    active: bool | None = None
    identifier: tuple[Identifier, ...] = ()
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    gender: str | None = None
    birth_date: str | None = Field(default=None, alias="birthDate")
    deceased: bool | None = Field(default=None, alias="deceasedBoolean")
    deceased_at: str | None = Field(default=None, alias="deceasedDateTime")
    general_practitioner: tuple[Reference, ...] = Field(default=(), alias="generalPractitioner")
    link: tuple[PatientLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPatient:
    """A resource read.

    Attributes:
        patient: None if it is nobody who could be matched; the remarks say why.
        resource_id: What links of other resources call it.
        replaced_by: Reference to the resource that replaced it, or None.
        replaces: References to resources that it replaced.
    """

    patient: RosterPatient | None
    resource_id: str | None
    replaced_by: Reference | None
    replaces: tuple[Reference, ...]
    remarks: tuple[str, ...]


def read_patient(
    resource: Patient, *, site: str, patient_id: str, record_numbers: str | None, today: date
) -> ReadPatient:
    """One patient of a roster, with `merged_into` left to whoever knows all of them.

    Args:
        patient_id: "id" or "identifier:SYSTEM".
        record_numbers: System of the medical record numbers, or None for identifiers of the type MR.
    """
    remarks: list[str] = []
    replaced = [link.other for link in resource.link if link.type == "replaced-by"]
    return ReadPatient(
        patient=_patient(resource, site, patient_id, record_numbers, today, remarks),
        resource_id=resource.id,
        replaced_by=replaced[0] if replaced else None,
        replaces=tuple(link.other for link in resource.link if link.type == "replaces"),
        remarks=tuple(remarks),
    )


def referred_id(reference: Reference) -> str | None:
    """The resource id in a reference to a Patient, or None."""
    found = _RESOURCE_ID.search(reference.reference or "")
    return found[1] if found else None


def _patient(
    resource: Patient, site: str, patient_id: str, record_numbers: str | None, today: date, remarks: list[str]
) -> RosterPatient | None:
    key = _text(resource.id) if patient_id == "id" else _key(resource, patient_id.partition(":")[2], today)
    if not key:
        remarks.append("it has no single patient id; the patient is left out")
        return None
    current, others = _names(resource.name, today)
    family, given, middle, suffix = _parts(current)
    if not family or not given:
        remarks.append("it has no current family and given name; the patient is left out")
        return None
    return RosterPatient(
        patient_id=key,
        site=site,
        family=family,
        given=given,
        mrn=_record_number(resource, record_numbers, today, remarks),
        middle=middle,
        suffix=suffix,
        preferred=_preferred(resource.name, current, today),
        former_family=_former(others, family),
        birth_date=_birth_date(resource.birth_date, today, remarks),
        sex=_SEXES.get(resource.gender or ""),
        phone=_phone(resource.telecom),
        clinician=next((_text(who.display) for who in resource.general_practitioner if _text(who.display)), None),
        active=resource.active is not False and not resource.deceased and resource.deceased_at is None,
    )


def _names(names: Sequence[HumanName], today: date) -> tuple[HumanName | None, list[HumanName]]:
    """The name that counts today, and all others that once did or do beside it."""
    ranked = sorted(
        (name for name in names if name.use in _CURRENT_NAMES and not _has_ended(name.period, today)),
        key=lambda name: _CURRENT_NAMES.index(name.use),
    )
    current = ranked[0] if ranked else None
    beside = [name for name in ranked[1:] if name.family]
    former = [name for name in names if name.use in _FORMER_NAMES or _has_ended(name.period, today)]
    return current, [*former, *beside]


def _parts(name: HumanName | None) -> tuple[str | None, str | None, str | None, str | None]:
    if name is None:
        return None, None, None, None
    given = [text for word in name.given if (text := _text(word))]
    if not name.family and not given and name.text:
        parts = split_name(_text(name.text) or "", order="auto")
        return parts.family, parts.given, parts.middle, parts.suffix
    # A suffix may be a degree: only one that tells generations apart is taken.
    suffixes = (split_name(f"Given Family, {word}", order="given-first").suffix for word in name.suffix if word)
    first = given[0] if given else None
    return _text(name.family), first, " ".join(given[1:]) or None, next((s for s in suffixes if s), None)


def _preferred(names: Iterable[HumanName], current: HumanName | None, today: date) -> str | None:
    """The name a person is called by: a nickname, or the given name of the usual name beside an official one."""
    said = [name for name in names if name.use == "nickname" and not _has_ended(name.period, today)]
    if current is not None and current.use == "official":
        said += [name for name in names if name.use == "usual" and name.given != current.given]
    given = (_text(name.given[0] if name.given else name.text) for name in said)
    return next((text for text in given if text), None)


def _former(names: Iterable[HumanName], family: str) -> str | None:
    found = (_text(name.family) for name in names)
    return "; ".join(dict.fromkeys(name for name in found if name and name != family)) or None


def _key(resource: Patient, system: str, today: date) -> str | None:
    values = _numbers((one for one in resource.identifier if one.system == system), today)
    return values[0] if len(values) == 1 else None


def _record_number(resource: Patient, system: str | None, today: date, remarks: list[str]) -> str | None:
    wanted = [
        one
        for one in resource.identifier
        if (one.system == system if system is not None else _is_record_number(one.type))
    ]
    values = _numbers(wanted, today)
    if len(values) > 1:
        remarks.append("it has several record numbers, and none is used")
    return values[0] if len(values) == 1 else None


def _numbers(identifiers: Iterable[Identifier], today: date) -> list[str]:
    """Different values in use; official and usual ones before others."""
    current = [one for one in identifiers if one.use != "old" and not _has_ended(one.period, today) and one.value]
    best = [one for one in current if one.use in ("official", "usual")] or current
    return list(dict.fromkeys(text for one in best if (text := _text(one.value))))


def _is_record_number(kind: CodeableConcept | None) -> bool:
    return kind is not None and any(coding.code == _RECORD_NUMBER for coding in kind.coding)


def _birth_date(text: str | None, today: date, remarks: list[str]) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) if _WHOLE_DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day > today:
        remarks.append("the birth date is no whole date of the past, and is not used")
        return None
    return day


def _phone(points: Iterable[ContactPoint]) -> str | None:
    phones = [point for point in points if point.system == "phone" and point.use in _PHONES and _text(point.value)]
    ranked = sorted(phones, key=lambda point: (point.rank or 99, _PHONES.index(point.use)))
    return _text(ranked[0].value) if ranked else None


def _has_ended(period: Period | None, today: date) -> bool:
    return period is not None and period.end is not None and period.end[:10] < today.isoformat()[: len(period.end)]


def _text(value: str | None) -> str | None:
    """One line of text that a database takes, or None."""
    return " ".join(_NO_TEXT.sub(" ", value).split()) or None if value else None
