"""Words that stand on any report and name nobody: all that stays in a twin where no template says what is printed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from parsers.drafting.words import heading_means, is_severity, item_heading_means, named_instrument
from parsers.lines import folded

_LETTERS: Final = re.compile(r"[^\W\d_]+")


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


_USUAL: Final = word_set(
    """
    a all an and answer answers any are as assessment assessments at average band birth born by chart client clinic
    code column completed confidential count counseling date days depression anxiety diagnosis dob document end export
    facility first for form from gender given group health id if in instrument interpretation item items last legend
    level list listing location max maximum mean measure measures medical member mental middle minimum moderately mrn
    name no not note notes number of on or outcome out over page pages patient patients period phone points printed
    prior previous print program provider question questionnaire range raw record records register report reports
    response responses result results run scale scales score scored scores screening section self service session
    severity sex sheet subscale subtotal suffix sum summary survey symptom symptoms table test time to total totals
    type unit user value version visit visits was week weeks with year years
    """
)
# Also family names or given names: never kept by themselves.
_NAMES_TOO: Final = word_set(
    """
    page day may mark will case young rich born chart first sum price list self an no to in on do or so mi gen ward row
    band reading person low high service group field line scale
    """
)


@lru_cache(maxsize=4096)
def is_usual(words: str) -> bool:
    """Whether a run of printed words says what many reports say, and nothing about a person.

    A heading ("Date of birth:"), an instrument's name ("PHQ-9"), a severity ("Moderate"); or every word of the run is
    a usual one, and not all of them are names too.
    """
    bare = words.strip(" :;.,()[]")
    if heading_means(bare) is not None or item_heading_means(bare) is not None:
        return bare.casefold() not in _NAMES_TOO
    if is_severity(bare) or (bare and named_instrument(bare) is not None):
        return bare.casefold() not in _NAMES_TOO
    runs = [folded(run) for run in _LETTERS.findall(bare)]
    plain = not any(character.isdigit() for character in bare)
    return bool(runs) and plain and all(run in _USUAL for run in runs) and not all(run in _NAMES_TOO for run in runs)
