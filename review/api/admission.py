"""Who shows a token, and whether it goes as far as the operation asked for."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, NamedTuple

from fastapi import Request

from review.access import NotAllowedError, Policy, Visitor
from review.office import Office, office_of
from review.site_scope import NotThereError, check_sites
from store import tokens
from store.tokens import Bearer
from store.users import Role

_SCHEME: Final = "bearer"
_GUESSES: Final = 10
_WITHIN: Final = timedelta(minutes=1)
_ADDRESSES: Final = 1000


class NoTokenError(Exception):
    """No token was shown that lets anybody in."""


class TooManyGuessesError(Exception):
    """From this address came too many tokens that are none."""


class ReadOnlyTokenError(Exception):
    """The token may read and not change."""


class Admission(NamedTuple):
    """What an operation asks of a token.

    Attributes:
        changes: Whether it changes anything.
        operation: Its id, for the audit trail.
    """

    policy: Policy
    changes: bool
    operation: str


class Guesses:
    """How many bad tokens came from an address lately. A good one always passes: 256 bits are not guessed."""

    def __init__(self) -> None:
        self._since: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = Lock()

    def note(self, address: str, *, now: datetime) -> bool:
        """Count one more; whether there were too many already."""
        with self._lock:
            recent = [moment for moment in self._since.pop(address, []) if now - moment < _WITHIN]
            too_many = len(recent) >= _GUESSES
            self._since[address] = recent if too_many else [*recent, now]
            while len(self._since) > _ADDRESSES:
                self._since.popitem(last=False)
        return too_many


def roles_of(policy: Policy) -> frozenset[Role]:
    """The roles whose tokens a policy lets in.

    A program cannot show a code again. What asks people for one (`review.access.freshly_proved`) is for the tokens of
    administrators that may change things: making such a token asked for a code.
    """
    return policy.roles & {Role.ADMINISTRATOR} if policy.fresh else policy.roles


def admit(request: Request, admission: Admission) -> None:
    """Let a request pass, and leave who it is from for `review.access.signed_in`.

    Raises:
        NoTokenError: No token, an unknown, expired or revoked one, or that of a user who is disabled or has changed.
        TooManyGuessesError: The same, too often from one address.
        NotAllowedError: The role does not include the operation.
        ReadOnlyTokenError: The token may not change anything.
        NotThereError: Something named in the address is not at a site that the token sees, or not there at all.
    """
    office = office_of(request)
    shown = _shown(request, office)
    visitor = Visitor(user=shown.user, form_token="")
    if visitor.user.role not in roles_of(admission.policy):
        raise NotAllowedError
    if admission.changes and shown.token.read_only:
        raise ReadOnlyTokenError
    check_sites(office, visitor, request.path_params)
    request.state.visitor = visitor
    _note(office, shown, admission)


def _shown(request: Request, office: Office) -> Bearer:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    now = office.now()
    found = None
    if scheme.lower() == _SCHEME:
        with office.database.reading() as session:
            found = tokens.bearer(session, secret.strip(), now=now)
    if found is not None and found.is_good:
        return found
    too_many = bool(secret) and request.app.state.guesses.note(request.client.host if request.client else "", now=now)
    if too_many:
        raise TooManyGuessesError
    if found is not None:
        with office.database.session() as session:
            tokens.note_refused(session, found, now=now)
    raise NoTokenError


def _note(office: Office, shown: Bearer, admission: Admission) -> None:
    now = office.now()
    if not admission.changes and not tokens.is_due(shown.token, now=now):
        return
    with office.database.session() as session:
        tokens.note_use(session, shown.token.token_id, now=now)
        if admission.changes:
            tokens.note_change(session, shown, admission.operation, now=now)


__all__ = [
    "Admission",
    "Guesses",
    "NoTokenError",
    "NotThereError",
    "ReadOnlyTokenError",
    "TooManyGuessesError",
    "admit",
    "roles_of",
]
