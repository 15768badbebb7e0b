"""Asking the matching again, with today's roster: for an identity that a person corrected, or a case that waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from matching.decision import decide
from matching.normalisation import fingerprint
from matching.people import identity_from_person
from matching.roster_index import RosterIndex
from records.assessment import SymptomAssessment
from records.case import ReviewCase
from records.decision import MatchDecision
from records.errors import DecisionRefusedError
from records.patient import LinkPolicy, PatientIdentity, Veto

IDENTITY: Final = ("name", "birth_date", "mrn")
"""The fields of who a print is about that a person may correct."""
_LONGEST: Final = 200
# Findings about a field of the identity: a person has looked, and approving holds the day against the birth date again.
_SETTLES: Final = {
    "name": frozenset({"name-missing", "name-unreadable"}),
    "birth_date": frozenset(
        {"birth-date-unreadable", "birth-date-ambiguous", "birth-date-implausible", "date-before-birth"}
    ),
    "mrn": frozenset({"mrn-unreadable"}),
}


class SiteMatching(Protocol):
    """What matching needs for one site, as `ingest.rosters` keeps it ready."""

    @property
    def index(self) -> RosterIndex | None:
        """The roster, or None where the site has none."""

    @property
    def policy(self) -> LinkPolicy:
        """What people have said of prints, and how sure is sure."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes that keep every record of the site with a person."""

    @property
    def no_match(self) -> MatchDecision:
        """The answer where there is no roster."""


class Rosters(Protocol):
    """The rosters of all sites, indexed."""

    def of(self, site: str, *, now: datetime, source: str | None = None) -> SiteMatching:
        """The site's roster as it is now."""


def typed_identity(printed: PatientIdentity, changes: Mapping[str, str]) -> PatientIdentity:
    """Who the print is about with a person's corrections; what is not corrected stays as printed.

    Args:
        printed: As it stands.
        changes: "name" as "Last, First M" or "First M Last", "birth_date" as year-month-day, "mrn"; empty for none.

    Raises:
        DecisionRefusedError: The birth date is none, or a field is too long or empty of sense.
    """
    texts = {field: changes[field].strip() for field in IDENTITY if field in changes}
    if any(len(text) > _LONGEST or not text.isprintable() for text in texts.values()):
        raise _refused("A corrected name, birth date or record number must be one short line.")
    try:
        typed = identity_from_person(texts)
    except ValueError:
        raise _refused("The birth date must be written as year-month-day, for instance 1987-03-14.") from None
    if typed.birth_date_other_reading is not None:
        raise _refused("Day and month of the birth date cannot be told apart. Write it as year-month-day.")
    identity = printed
    if "name" in texts:
        identity = replace(
            identity,
            name=typed.name,
            family=typed.family,
            given=typed.given,
            middle=typed.middle,
            suffix=typed.suffix,
            cut_off=(),
        )
    if "birth_date" in texts:
        identity = replace(identity, birth_date=typed.birth_date, birth_date_other_reading=None)
    if "mrn" in texts:
        identity = replace(identity, mrn=typed.mrn)
    return identity


def with_identity(assessment: SymptomAssessment, changes: Mapping[str, str]) -> SymptomAssessment:
    """A record with a person's corrections of who it is about, without the findings that they settle.

    Raises:
        DecisionRefusedError: As for `typed_identity`.
    """
    settled = {code for field, codes in _SETTLES.items() if field in changes for code in codes}
    kept = tuple(finding for finding in assessment.findings if finding.code not in settled)
    return replace(assessment, patient=typed_identity(assessment.patient, changes), findings=kept)


def rematch(
    rosters: Rosters, case: ReviewCase, identity: PatientIdentity, *, source: str, now: datetime
) -> MatchDecision:
    """Who this identity is by today's roster.

    A "not this patient" that was said of the print holds for a corrected reading of it too. An alias is no evidence for
    what a person has just typed.

    Args:
        case: The case whose print it is.
        identity: As printed, or as a person corrected it.
        source: Where the report was printed.
    """
    site = rosters.of(case.site, now=now, source=source)
    if site.index is None:
        return site.no_match
    policy, said_of = site.policy, fingerprint(identity)
    if said_of != case.fingerprint:
        carried = {
            Veto(fingerprint=said_of, patient_id=veto.patient_id)
            for veto in policy.vetoes
            if veto.fingerprint == case.fingerprint
        }
        policy = replace(policy, vetoes=policy.vetoes | carried, aliases={})
    return decide(identity, site.index, policy)


def _refused(sentence: str) -> DecisionRefusedError:
    return DecisionRefusedError(sentence, next_step="Nothing was saved. Check the print.")
