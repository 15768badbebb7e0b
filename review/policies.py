"""Which roles may do what. Nobody may do anything that is not listed here."""

from __future__ import annotations

from typing import Final, NamedTuple

from review.access import Policy, Visitor, freshly_proved
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
# Running the clinic: portals, patient lists, what the settings say.
MANAGES: Final = Policy(roles=frozenset({Role.ADMINISTRATOR}))
# Templates hold no patient data; what they have read is shown in numbers.
AUTHORS: Final = Policy(roles=frozenset({Role.TEMPLATE_AUTHOR, Role.ADMINISTRATOR}))
# Files are named after patients in some clinics.
READS_SOURCES: Final = DECIDES
UPLOADS: Final = DECIDES
ASKS_FOR_WORK: Final = Policy(roles=DECIDES.roles | AUTHORS.roles)
READS_SETTINGS: Final = ASKS_FOR_WORK

# How long the session still lasts; asking must not make it last.
ASKS_FOR_THE_TIME: Final = Policy(roles=frozenset(Role), counts=False)
MANAGES_USERS: Final = Policy(roles=frozenset({Role.ADMINISTRATOR}))
CHANGES_USERS: Final = freshly_proved(MANAGES_USERS)
# Emergency access turns any of these into a clinician for an hour; whoever may read patients of all sites needs none.
TAKES_EMERGENCY_ACCESS: Final = freshly_proved(EVERYBODY)
REVIEWS_EMERGENCY_ACCESS: Final = Policy(roles=frozenset({Role.ADMINISTRATOR, Role.AUDITOR}))

# A token is as good as a person: who makes one decides what programs may see and do.
MANAGES_TOKENS: Final = Policy(roles=frozenset({Role.ADMINISTRATOR}))

# What cannot be looked back at calmly asks again who it is, since a browser may have been left alone.
PUBLISHES: Final = freshly_proved(AUTHORS)
CHANGES_CLINIC: Final = freshly_proved(MANAGES)
EXPORTS_AUDIT: Final = freshly_proved(READS_AUDIT)
MAKES_TOKENS: Final = freshly_proved(MANAGES_TOKENS)


class Allowed(NamedTuple):
    """What a page offers; the routes refuse the rest whatever a page shows."""

    reads_patients: bool
    decides: bool
    reads_alerts: bool
    takes_alerts: bool
    reads_comparison: bool
    signs: bool
    reads_audit: bool
    manages_users: bool
    reviews_emergency_access: bool
    manages: bool
    authors: bool
    reads_sources: bool
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
        MANAGES_USERS,
        REVIEWS_EMERGENCY_ACCESS,
        MANAGES,
        AUTHORS,
        READS_SOURCES,
        MANAGES_TOKENS,
    )
    return Allowed(*(visitor is not None and visitor.may(policy) for policy in policies))
