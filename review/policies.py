"""Which roles may do what. Nobody may do anything that is not listed here."""

from __future__ import annotations

from typing import Final, NamedTuple

from review.access import Policy, Visitor
from store.users import Role

OPEN: Final = Policy(is_open=True)
THIS_MACHINE: Final = Policy(is_open=True, only_here=True)
# Signed in; such a page names no patient.
EVERYBODY: Final = Policy(roles=frozenset(Role))
READS_PATIENTS: Final = Policy(roles=frozenset({Role.REVIEWER, Role.CLINICIAN, Role.ADMINISTRATOR}))
DECIDES: Final = Policy(roles=frozenset({Role.REVIEWER, Role.ADMINISTRATOR}))
READS_ALERTS: Final = READS_PATIENTS
# An alert stops escalating once it is taken, so whoever takes it must be able to act on it.
TAKES_ALERTS: Final = Policy(roles=frozenset({Role.CLINICIAN, Role.ADMINISTRATOR}))
# The comparison with what staff typed names no patient; its single differences do, and are for those who decide.
READS_COMPARISON: Final = Policy(roles=frozenset({Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR}))
# The trail names users and numbers; a patient's name is opened one at a time, and every opening is an event.
READS_AUDIT: Final = Policy(roles=frozenset({Role.ADMINISTRATOR, Role.AUDITOR}))
SIGNS: Final = Policy(roles=frozenset({Role.ADMINISTRATOR}))

# A token is as good as a person: who makes one decides what programs may see and do.
MANAGES_TOKENS: Final = Policy(roles=frozenset({Role.ADMINISTRATOR}))


class Allowed(NamedTuple):
    """What a page offers; the routes refuse the rest whatever a page shows."""

    reads_patients: bool
    decides: bool
    reads_alerts: bool
    takes_alerts: bool
    reads_comparison: bool
    signs: bool
    reads_audit: bool
    manages_tokens: bool


def allowed(visitor: Visitor | None) -> Allowed:
    """What a visitor may do."""
    policies = (
        READS_PATIENTS,
        DECIDES,
        READS_ALERTS,
        TAKES_ALERTS,
        READS_COMPARISON,
        SIGNS,
        READS_AUDIT,
        MANAGES_TOKENS,
    )
    return Allowed(*(visitor is not None and visitor.may(policy) for policy in policies))
