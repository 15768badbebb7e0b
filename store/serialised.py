"""Frozen values as JSON text in a column, and back again exactly.

Written text is read back once before it is kept: a value that would not survive must fail now, with its report still
unread, and not when a reviewer opens it. The only thing changed is a lone surrogate, which no encoding can hold: it
becomes U+FFFD, as the text-quality gate would call it anyway.
"""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from records.assessment import SymptomAssessment
from records.decision import MatchDecision
from records.errors import StoreError
from records.finding import Finding
from records.layout import LayoutChange, LayoutSignature

_Value = TypeVar("_Value")

_ASSESSMENT = TypeAdapter(SymptomAssessment)
_MATCH = TypeAdapter(MatchDecision)
_FINDINGS = TypeAdapter(tuple[Finding, ...])
_CODES = TypeAdapter(tuple[str, ...])
_SIGNATURE = TypeAdapter(LayoutSignature)
_CHANGES = TypeAdapter(tuple[LayoutChange, ...])


def assessment_text(assessment: SymptomAssessment) -> str:
    """JSON of an assessment.

    Raises:
        StoreError: It holds a number that JSON cannot (not finite).
    """
    return _written(_ASSESSMENT, assessment)


def assessment_of(text: str) -> SymptomAssessment:
    """The assessment that `assessment_text` wrote."""
    return _ASSESSMENT.validate_json(text)


def match_text(match: MatchDecision) -> str:
    """JSON of a match decision.

    Raises:
        StoreError: It holds a number that JSON cannot (not finite).
    """
    return _written(_MATCH, match)


def match_of(text: str) -> MatchDecision:
    """The decision that `match_text` wrote."""
    return _MATCH.validate_json(text)


def findings_text(findings: tuple[Finding, ...]) -> str:
    """JSON of findings.

    Raises:
        StoreError: One holds a number that JSON cannot (not finite).
    """
    return _written(_FINDINGS, findings)


def findings_of(text: str) -> tuple[Finding, ...]:
    """The findings that `findings_text` wrote."""
    return _FINDINGS.validate_json(text)


def codes_text(codes: tuple[str, ...]) -> str:
    """JSON of reason codes."""
    return _written(_CODES, codes)


def codes_of(text: str) -> tuple[str, ...]:
    """The codes that `codes_text` wrote."""
    return _CODES.validate_json(text)


def signature_text(signature: LayoutSignature) -> str:
    """JSON of a layout's signature.

    Raises:
        StoreError: It holds a number that JSON cannot (not finite).
    """
    return _written(_SIGNATURE, signature)


def signature_of(text: str) -> LayoutSignature:
    """The signature that `signature_text` wrote."""
    return _SIGNATURE.validate_json(text)


def changes_text(changes: tuple[LayoutChange, ...]) -> str:
    """JSON of a layout's changes.

    Raises:
        StoreError: One holds a number that JSON cannot (not finite).
    """
    return _written(_CHANGES, changes)


def changes_of(text: str) -> tuple[LayoutChange, ...]:
    """The changes that `changes_text` wrote."""
    return _CHANGES.validate_json(text)


def encodable(text: str) -> str:
    """`text` with lone surrogates and NUL replaced by U+FFFD: PostgreSQL can hold neither."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace("\0", "\ufffd")


def _written(adapter: TypeAdapter[_Value], value: _Value) -> str:
    try:
        text = adapter.dump_json(value).decode()
    except PydanticSerializationError:
        text = encodable(json.dumps(adapter.dump_python(value, mode="json"), ensure_ascii=False))
    try:
        adapter.validate_json(text)
    except (ValidationError, ValueError):
        raise StoreError("A record holds a number that cannot be stored; it was not taken.") from None
    return text
