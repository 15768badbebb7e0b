"""Tokens of the API: what they may be made for, and what they say of who shows them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from records.errors import DecisionRefusedError
from store import audit, tokens, users
from store.database import Database, Session
from store.tokens import ApiToken
from store.users import Role
from tests.unit.store.conftest import NOW

PASSWORD = "correct horse battery"


@pytest.fixture
def staffed(database: Database) -> Database:
    with database.session() as session:
        for name, role in (("ada", Role.ADMINISTRATOR), ("rosa", Role.REVIEWER), ("gone", Role.REVIEWER)):
            users.add(session, name, PASSWORD, role, actor="setup", now=NOW)
        users.disable(session, "gone", actor="ada", now=NOW)
    return database


def made(
    database: Database,
    *,
    name: str = "nightly",
    user: str = "rosa",
    role: Role = Role.REVIEWER,
    sites: set[str] | None = None,
    days: float = 30,
) -> tuple[ApiToken, str]:
    with database.session() as session:
        return tokens.make(
            session, name=name, user=user, role=role, sites=sites, read_only=False,
            expires_at=NOW + timedelta(days=days), actor="ada", now=NOW,
        )  # fmt: skip


def is_good(session: Session, secret: str, *, now: datetime) -> bool:
    shown = tokens.bearer(session, secret, now=now)
    assert shown is not None
    return shown.is_good


def test_the_secret_is_kept_by_nobody_but_who_gets_it(staffed: Database) -> None:
    token, secret = made(staffed)
    assert secret.startswith(tokens.SIGN)
    with staffed.reading() as session:
        assert secret not in repr(tokens.list_tokens(session))
        assert not any(secret in line for line in audit.export(session))
        shown = tokens.bearer(session, secret, now=NOW)
    assert shown is not None
    assert (shown.user.name, shown.user.role, shown.is_good, shown.token) == ("rosa", Role.REVIEWER, True, token)


def test_two_secrets_differ_and_a_wrong_one_is_nobodys(staffed: Database) -> None:
    _, first = made(staffed)
    _, second = made(staffed, name="other")
    assert first != second
    with staffed.reading() as session:
        for wrong in ("", "sbt_", first[:-1], first + "A", first.removeprefix("sbt_"), "\udc80"):
            assert tokens.bearer(session, wrong, now=NOW) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "x" * 61},
        {"name": "two\nlines"},
        {"user": "nobody"},
        {"user": "gone"},
        {"role": Role.ADMINISTRATOR},
        {"role": Role.CLINICIAN},
        {"sites": set()},
        {"days": 0},
        {"days": 366},
    ],
)
def test_a_token_that_goes_too_far_is_not_made(staffed: Database, wrong: dict[str, object]) -> None:
    with pytest.raises(DecisionRefusedError):
        made(staffed, **wrong)  # type: ignore[arg-type]


def test_a_name_is_given_once(staffed: Database) -> None:
    token, _ = made(staffed)
    with staffed.session() as session:
        tokens.revoke(session, token.token_id, actor="ada", now=NOW)
    with pytest.raises(DecisionRefusedError):
        made(staffed)


def test_it_is_good_for_nothing_after_its_day_or_its_revocation(staffed: Database) -> None:
    token, secret = made(staffed)

    def is_good_after(after: timedelta) -> bool:
        with staffed.reading() as session:
            shown = tokens.bearer(session, secret, now=NOW + after)
        return shown is not None and shown.is_good

    assert is_good_after(timedelta(days=30) - timedelta(seconds=1))
    assert not is_good_after(timedelta(days=30))
    with staffed.session() as session:
        first = tokens.revoke(session, token.token_id, actor="ada", now=NOW)
        again = tokens.revoke(session, token.token_id, actor="rosa", now=NOW + timedelta(days=1))
    assert first == again
    assert not is_good_after(timedelta(0))


def test_it_sees_no_more_sites_than_its_user(staffed: Database) -> None:
    _, secret = made(staffed, sites={"RBH"})
    with staffed.reading() as session:
        shown = tokens.bearer(session, secret, now=NOW)
    assert shown is not None
    assert shown.user.sees("RBH")
    assert not shown.user.sees("WCP")


def test_what_it_is_made_for_is_in_the_audit_trail(staffed: Database) -> None:
    token, _ = made(staffed, sites={"RBH"})
    with staffed.session() as session:
        tokens.revoke(session, token.token_id, actor="ada", now=NOW)
        events = [one.event for one in audit.events(session, object_kind="token")]
    assert [(one.actor, one.action) for one in events] == [("ada", "token.made"), ("ada", "token.revoked")]
    assert dict(events[0].detail) == {
        "name": "nightly", "for": "rosa", "role": "reviewer", "sites": "RBH", "read-only": "False",
        "expires": "2026-04-01",
    }  # fmt: skip


def test_its_use_is_noted_once_a_minute(staffed: Database) -> None:
    token, secret = made(staffed)
    assert tokens.is_due(token, now=NOW)
    with staffed.session() as session:
        tokens.note_use(session, token.token_id, now=NOW)
        shown = tokens.bearer(session, secret, now=NOW)
    assert shown is not None
    assert not tokens.is_due(shown.token, now=NOW + timedelta(seconds=59))
    assert tokens.is_due(shown.token, now=NOW + timedelta(seconds=60))


def test_disabling_a_user_ends_tokens_for_good_and_the_audit_trail_says_so(staffed: Database) -> None:
    token, secret = made(staffed)
    _, other = made(staffed, name="of ada", user="ada")
    made(staffed, name="old", days=0.5)
    later = NOW + timedelta(days=1)
    with staffed.session() as session:
        users.disable(session, "rosa", actor="ada", now=later)
        users.enable(session, "rosa", actor="ada", now=later)
    with staffed.reading() as session:
        shown = tokens.bearer(session, secret, now=later)
        assert shown is not None
        assert not shown.is_good
        assert shown.token.revoked_at == later
        assert is_good(session, other, now=later)
        events = [one.event for one in audit.events(session, limit=1000)]
    revoked = {one.object_id for one in events if one.action == "token.revoked"}
    assert str(token.token_id) in revoked
    assert len(revoked) == 2, "one that has expired is revoked as well"
    (disabled,) = [one for one in events if one.action == "user.disabled" and ("tokens-revoked", "1") in one.detail]
    assert disabled.actor == "ada"


def test_a_role_taken_back_brings_no_token_back(staffed: Database) -> None:
    _, secret = made(staffed)
    with staffed.session() as session:
        users.set_role(session, "rosa", Role.REVIEWER, actor="ada", now=NOW)
        assert is_good(session, secret, now=NOW)
        users.set_role(session, "rosa", Role.VIEWER, actor="ada", now=NOW)
        users.set_role(session, "rosa", Role.REVIEWER, actor="ada", now=NOW)
        assert not is_good(session, secret, now=NOW)
