"""Two validators of FHIR R4 that nobody here wrote, as one: what the one overlooks the other sees."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import fhirkit
from pyrofile_validator import Validator

# pyrofile reads the words of a status from the one-line summary of the element, "registered | preliminary | final |
# amended +", whose plus means that there are more: http://hl7.org/fhir/R4/valueset-observation-status.html has these.
_MORE: Final = {"Observation.status": ("corrected", "cancelled", "entered-in-error", "unknown")}
# It would have to ask LOINC's own server (https://loinc.org/fhir) for the questionnaire.
_ELSEWHERE: Final = "http://loinc.org/q/"


@cache
def _pyrofile() -> Validator:
    return Validator()


def faults(resource: dict[str, Any]) -> list[str]:
    """What is wrong with a resource, errors only."""
    said = [f"fhirkit: {one.path}: {one.message}" for one in fhirkit.validate(resource) if one.severity == "error"]
    for one in _pyrofile().validate_resource(resource).issues:
        if one.severity.name == "ERROR" and not _is_false_alarm(resource, str(one.path), one.code):
            said.append(f"pyrofile: {one.path}: {one.message}")
    return said


def _is_false_alarm(resource: dict[str, Any], path: str, code: str) -> bool:
    if code == "terminology.required":
        return resource.get("status") in _MORE.get(path, ())
    return path == "QuestionnaireResponse.questionnaire" and str(resource["questionnaire"]).startswith(_ELSEWHERE)
