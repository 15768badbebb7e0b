"""Users, their passwords, second factors, sessions, emergency access and kept entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import argon2
import pyotp
import pytest
from sqlalchemy import text

from records.errors import DecisionRefusedError, StoreError
from store import (
    audit,
    emergency_access,
    kept_entries,
    notices,
    provider_links,
    second_factors,
    users,
    web_sessions,
)
from store.context import keys_of
from store.database import Database, Session
from store.sealing import seal, unseal
from store.users import Role, User
from tests.conftest import REAL_HASHER

PASSWORD = "correct horse battery"
NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


def _ida(session: Session, role: Role = Role.REVIEWER) -> User:
    return users.add(session, "ida", PASSWORD, role, actor="setup", now=NOW)


def _with_app(session: Session, user: User) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    """Set up an app for the user at NOW, and return it with the recovery codes."""
    app = pyotp.TOTP(second_factors.begin(session, user, now=NOW).secret)
    codes = second_factors.confirm(session, user, app.at(NOW), now=NOW)
    assert codes is not None
    return app, codes


def test_the_right_password_opens_and_the_wrong_one_does_not(database: Database) -> None:
    with database.session() as session:
        user = users.add(session, "ida", PASSWORD, Role.REVIEWER, actor="setup", now=NOW)
        assert users.verify(session, "ida", PASSWORD, now=NOW) == user
        assert users.verify(session, "ida", PASSWORD + "!", now=NOW) is None
        assert users.verify(session, "nobody", PASSWORD, now=NOW) is None
        stored = session.connection().execute(text("SELECT password_hash FROM account")).scalar_one()
        assert stored.startswith("$argon2id$")


def test_five_failures_lock_the_account_for_a_while(database: Database) -> None:
    with database.session() as session:
        users.add(session, "ida", PASSWORD, Role.REVIEWER, actor="setup", now=NOW)
        for _ in range(5):
            assert users.verify(session, "ida", "wrong password", now=NOW) is None
        assert users.verify(session, "ida", PASSWORD, now=NOW + timedelta(minutes=14)) is None
        assert users.verify(session, "ida", PASSWORD, now=NOW + timedelta(minutes=15)) is not None


def test_a_success_wipes_earlier_failures(database: Database) -> None:
    with database.session() as session:
        users.add(session, "ida", PASSWORD, Role.REVIEWER, actor="setup", now=NOW)
        for _ in range(3):
            for _ in range(4):
                users.verify(session, "ida", "wrong password", now=NOW)
            found = users.verify(session, "ida", PASSWORD, now=NOW)
            assert found is not None
            users.signed_in(session, found, by="password", now=NOW)


def test_short_passwords_and_taken_names_are_refused(database: Database) -> None:
    with database.session() as session:
        with pytest.raises(DecisionRefusedError, match="12 characters"):
            users.add(session, "ida", "short", Role.VIEWER, actor="setup", now=NOW)
        users.add(session, "ida", PASSWORD, Role.VIEWER, actor="setup", now=NOW)
        with pytest.raises(DecisionRefusedError, match="taken"):
            users.add(session, " ida ", PASSWORD, Role.VIEWER, actor="setup", now=NOW)


def test_a_signed_in_browser_ends_after_idling_and_at_the_latest_after_a_day_of_work(database: Database) -> None:
    with database.session() as session:
        user = users.add(session, "ida", PASSWORD, Role.REVIEWER, actor="setup", now=NOW)
        token = web_sessions.open_session(session, user, now=NOW)
        at = NOW
        while at < NOW + timedelta(hours=12):
            found = web_sessions.find(session, token, now=at)
            assert found is not None
            assert found.user == user
            web_sessions.touch(session, token, now=at)
            at += timedelta(minutes=14)
        assert web_sessions.find(session, token, now=NOW + timedelta(hours=12)) is None
        idle = web_sessions.open_session(session, user, now=NOW)
        assert web_sessions.find(session, idle, now=NOW + timedelta(minutes=15)) is None
        assert web_sessions.find(session, "made up", now=NOW) is None


def test_the_token_of_a_browser_is_not_stored(database: Database) -> None:
    with database.session() as session:
        user = users.add(session, "ida", PASSWORD, Role.REVIEWER, actor="setup", now=NOW)
        token = web_sessions.open_session(session, user, now=NOW)
        stored = session.connection().execute(text("SELECT token_sha256 FROM web_session")).scalar_one()
        assert token not in stored
        web_sessions.close_session(session, token)
        assert web_sessions.find(session, token, now=NOW) is None


def test_a_new_password_or_a_disabled_account_signs_out_everywhere(database: Database) -> None:
    with database.session() as session:
        user = users.add(session, "ida", PASSWORD, Role.REVIEWER, actor="setup", now=NOW)
        token = web_sessions.open_session(session, user, now=NOW)
        users.set_password(session, "ida", "another long one", actor="ida", now=NOW)
        assert web_sessions.find(session, token, now=NOW) is None
        assert users.verify(session, "ida", "another long one", now=NOW) is not None
        token = web_sessions.open_session(session, user, now=NOW)
        users.disable(session, "ida", actor="ben", now=NOW)
        assert web_sessions.find(session, token, now=NOW) is None
        assert users.verify(session, "ida", "another long one", now=NOW) is None


def test_who_is_let_in_again_finds_neither_session_nor_emergency_access(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session, Role.REVIEWER)
        _with_app(session, ida)
        token = web_sessions.open_session(session, ida, now=NOW)
        emergency_access.take(session, ida, "the clinician on call is ill", now=NOW)
        users.disable(session, "ida", actor="ben", now=NOW)
        users.enable(session, "ida", actor="ben", now=NOW)
        assert web_sessions.find(session, token, now=NOW) is None
        assert emergency_access.current(session, ida, now=NOW) is None
        told = {one.event.action: one.event for one in audit.events(session, limit=1000)}
        assert ("sessions-ended", "1") in told["user.disabled"].detail
        assert told["emergency-access.ended"].actor == "ben"


def test_the_last_administrator_stays_one(database: Database) -> None:
    with database.session() as session:
        users.add(session, "ida", PASSWORD, Role.ADMINISTRATOR, actor="setup", now=NOW)
        with pytest.raises(DecisionRefusedError):
            users.set_role(session, "ida", Role.VIEWER, actor="ida", now=NOW)
        with pytest.raises(DecisionRefusedError):
            users.disable(session, "ida", actor="ida", now=NOW)
        users.add(session, "ben", PASSWORD, Role.ADMINISTRATOR, actor="ida", now=NOW)
        assert users.set_role(session, "ida", Role.AUDITOR, actor="ben", now=NOW).role is Role.AUDITOR
        assert [(one.name, one.role) for one in users.list_users(session)] == [
            ("ben", Role.ADMINISTRATOR),
            ("ida", Role.AUDITOR),
        ]


def test_the_right_password_alone_does_not_wipe_failures(database: Database) -> None:
    with database.session() as session:
        _ida(session)
        for _ in range(4):
            users.verify(session, "ida", "wrong password", now=NOW)
        assert users.verify(session, "ida", PASSWORD, now=NOW) is not None
        users.verify(session, "ida", "wrong password", now=NOW)
        assert users.verify(session, "ida", PASSWORD, now=NOW) is None


def test_strangers_cannot_lock_somebody_out_of_their_own_browser(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        known = users.signed_in(session, ida, by="password", now=NOW)
        for _ in range(5):
            users.verify(session, "ida", "wrong password", now=NOW)
        assert users.verify(session, "ida", PASSWORD, now=NOW) is None
        assert users.verify(session, "ida", PASSWORD, now=NOW, browser="made up") is None
        assert users.verify(session, "ida", PASSWORD, now=NOW, browser=known) == users.get(session, ida.user_id)
        for _ in range(5):
            users.verify(session, "ida", "wrong password", now=NOW, browser=known)
        assert users.verify(session, "ida", PASSWORD, now=NOW, browser=known) is None


def test_a_browser_known_to_one_person_helps_no_other(database: Database) -> None:
    with database.session() as session:
        known = users.signed_in(session, _ida(session), by="password", now=NOW)
        users.add(session, "ben", PASSWORD, Role.VIEWER, actor="setup", now=NOW)
        for _ in range(5):
            users.verify(session, "ben", "wrong password", now=NOW)
        assert users.verify(session, "ben", PASSWORD, now=NOW, browser=known) is None


def test_a_lock_can_be_lifted(database: Database) -> None:
    with database.session() as session:
        _ida(session)
        for _ in range(5):
            users.verify(session, "ida", "wrong password", now=NOW)
        users.unlock(session, "ida", actor="ben", now=NOW)
        assert users.verify(session, "ida", PASSWORD, now=NOW) is not None


def test_a_code_is_good_once_and_for_half_a_minute_either_way(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        app, _ = _with_app(session, ida)
        for seconds, right in ((0, False), (30, True), (30, False), (60, True)):
            at = NOW + timedelta(seconds=seconds)
            assert second_factors.accept(session, ida, app.at(at), now=at) is right, seconds
        later = NOW + timedelta(minutes=10)
        for drift, right in ((-60, False), (60, False), (-30, True), (30, True), (0, False)):
            code = app.at(later + timedelta(seconds=drift))
            assert second_factors.accept(session, ida, code, now=later) is right, drift
            users.unlock(session, "ida", actor="setup", now=later)


def test_an_older_code_than_the_last_one_is_not_taken(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        app, _ = _with_app(session, ida)
        at = NOW + timedelta(minutes=5)
        assert second_factors.accept(session, ida, app.at(at + timedelta(seconds=30)), now=at)
        assert not second_factors.accept(session, ida, app.at(at), now=at)


def test_five_wrong_codes_lock_the_account_and_the_password_too(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        app, codes = _with_app(session, ida)
        at = NOW + timedelta(minutes=5)
        for _ in range(5):
            assert not second_factors.accept(session, ida, "000000", now=at)
        assert not second_factors.accept(session, ida, app.at(at), now=at)
        assert not second_factors.accept(session, ida, codes[0], now=at)
        assert users.verify(session, "ida", PASSWORD, now=at) is None


def test_each_of_ten_recovery_codes_works_once_however_it_is_written(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        _, codes = _with_app(session, ida)
        assert len(set(codes)) == 10
        assert second_factors.accept(session, ida, codes[0].upper().replace("-", " "), now=NOW)
        assert not second_factors.accept(session, ida, codes[0], now=NOW)
        assert second_factors.recovery_codes_left(session, ida) == 9
        stored = session.connection().execute(text("SELECT code_mac FROM recovery_code")).scalars().all()
        assert not {code.replace("-", "") for code in codes} & set(stored)
        renewed = second_factors.renew_recovery_codes(session, ida, now=NOW)
        assert not second_factors.accept(session, ida, codes[1], now=NOW)
        assert second_factors.accept(session, ida, renewed[1], now=NOW)


def test_a_recovery_code_of_somebody_else_opens_nothing(database: Database) -> None:
    with database.session() as session:
        _, codes = _with_app(session, _ida(session))
        ben = users.add(session, "ben", PASSWORD, Role.VIEWER, actor="setup", now=NOW)
        _with_app(session, ben)
        assert not second_factors.accept(session, ben, codes[0], now=NOW)


def test_an_app_is_in_use_only_after_its_code_and_the_old_one_until_then(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        second_factors.begin(session, ida, now=NOW)
        assert second_factors.confirm(session, ida, "000000", now=NOW) is None
        first = users.get(session, ida.user_id)
        assert first is not None
        assert first.second_factor_since is None
        app, _ = _with_app(session, ida)
        at = NOW + timedelta(minutes=5)
        second_factors.begin(session, ida, now=at)
        assert second_factors.accept(session, ida, app.at(at), now=at)


def test_the_secret_of_an_app_is_sealed_for_its_account(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        app, _ = _with_app(session, ida)
        stored = session.connection().execute(text("SELECT second_factor FROM account")).scalar_one()
        assert app.secret.encode() not in stored
        assert unseal(keys_of(session), stored, purpose=f"second-factor:{ida.user_id}") == app.secret
        for changed in (stored[:-1], stored[:-1] + bytes([stored[-1] ^ 1]), b""):
            with pytest.raises(StoreError):
                unseal(keys_of(session), changed, purpose=f"second-factor:{ida.user_id}")
        with pytest.raises(StoreError):
            unseal(keys_of(session), stored, purpose="second-factor:2")
        assert seal(keys_of(session), "x", purpose="p") != seal(keys_of(session), "x", purpose="p")


def test_a_reset_second_factor_is_gone_and_signs_out_everywhere(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        app, codes = _with_app(session, ida)
        token = web_sessions.open_session(session, ida, now=NOW)
        users.reset_second_factor(session, "ida", actor="ben", now=NOW)
        assert web_sessions.find(session, token, now=NOW) is None
        at = NOW + timedelta(minutes=1)
        assert not second_factors.accept(session, ida, app.at(at), now=at)
        assert not second_factors.accept(session, ida, codes[0], now=at)


def test_a_renewed_token_replaces_the_old_one_and_keeps_the_forms(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        old = web_sessions.open_session(session, ida, now=NOW)
        before = web_sessions.find(session, old, now=NOW)
        at = NOW + timedelta(minutes=10)
        fresh = web_sessions.prove(session, old, now=at)
        assert fresh is not None
        after = web_sessions.find(session, fresh, now=at)
        assert before is not None
        assert after is not None
        assert web_sessions.find(session, old, now=at) is None
        assert (after.form_secret, after.opened_at) == (before.form_secret, before.opened_at)
        assert after.proved_at == at


def test_whose_session_it_was_is_known_for_half_an_hour_but_not_after_signing_out(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        token = web_sessions.open_session(session, ida, now=NOW)
        assert web_sessions.ended(session, token, now=NOW + timedelta(minutes=14)) is None
        assert web_sessions.ended(session, token, now=NOW + timedelta(minutes=15)) is not None
        assert web_sessions.ended(session, token, now=NOW + timedelta(minutes=45)) is None
        web_sessions.close_session(session, token)
        assert web_sessions.ended(session, token, now=NOW + timedelta(minutes=15)) is None


def test_an_ended_session_is_not_touched_back_to_life(database: Database) -> None:
    with database.session() as session:
        token = web_sessions.open_session(session, _ida(session), now=NOW)
        at = NOW + timedelta(minutes=15)
        web_sessions.touch(session, token, now=at)
        assert web_sessions.find(session, token, now=at) is None


def test_a_half_done_sign_in_ends_after_ten_minutes_and_is_no_session(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        token = web_sessions.begin_sign_in(session, ida, by_provider=False, second_factor_done=False, now=NOW)
        assert web_sessions.find(session, token, now=NOW) is None
        assert web_sessions.find_sign_in(session, token, now=NOW + timedelta(minutes=9)) is not None
        assert web_sessions.find_sign_in(session, token, now=NOW + timedelta(minutes=10)) is None
        users.disable(session, "ida", actor="ben", now=NOW)
        assert web_sessions.find_sign_in(session, token, now=NOW) is None


def test_one_signs_out_ones_own_browsers_only(database: Database) -> None:
    with database.session() as session:
        ida, ben = _ida(session), users.add(session, "ben", PASSWORD, Role.VIEWER, actor="setup", now=NOW)
        token = web_sessions.open_session(session, ida, now=NOW)
        (listed,) = web_sessions.list_sessions(session, ida, now=NOW)
        assert not web_sessions.close_marked(session, ben, listed.mark)
        assert web_sessions.find(session, token, now=NOW) is not None
        assert web_sessions.close_marked(session, ida, listed.mark)
        assert web_sessions.find(session, token, now=NOW) is None


def test_sites_are_kept_and_none_means_all(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        assert ida.sees("WCP")
        narrowed = users.set_sites(session, "ida", {"WCP"}, actor="ben", now=NOW)
        assert narrowed == users.get(session, ida.user_id)
        assert narrowed.sees("WCP")
        assert not narrowed.sees("RBH")
        assert users.set_sites(session, "ida", None, actor="ben", now=NOW).sites is None


def test_the_last_administrator_of_all_sites_stays_one(database: Database) -> None:
    with database.session() as session:
        _ida(session, Role.ADMINISTRATOR)
        users.add(session, "ben", PASSWORD, Role.ADMINISTRATOR, sites={"WCP"}, actor="ida", now=NOW)
        for change in (
            lambda: users.set_role(session, "ida", Role.VIEWER, actor="ben", now=NOW),
            lambda: users.set_sites(session, "ida", {"WCP"}, actor="ben", now=NOW),
            lambda: users.disable(session, "ida", actor="ben", now=NOW),
        ):
            with pytest.raises(DecisionRefusedError, match="last administrator"):
                change()


def test_names_are_shown_to_those_whose_role_includes_them_or_who_were_granted_them(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session, Role.VIEWER)
        assert not ida.sees_names
        assert users.grant_names(session, "ida", granted=True, actor="ben", now=NOW).sees_names
        assert not users.grant_names(session, "ida", granted=False, actor="ben", now=NOW).sees_names
        assert users.set_role(session, "ida", Role.CLINICIAN, actor="ben", now=NOW).sees_names


def test_emergency_access_needs_a_reason_and_an_app_and_ends_after_an_hour(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session, Role.VIEWER)
        with pytest.raises(DecisionRefusedError, match="authenticator app"):
            emergency_access.take(session, ida, "Patient at the door, suicidal", now=NOW)
        _with_app(session, ida)
        with pytest.raises(DecisionRefusedError, match="reason"):
            emergency_access.take(session, ida, "   .     ", now=NOW)
        taken = emergency_access.take(session, ida, "Patient at the door, suicidal", now=NOW)
        assert emergency_access.current(session, ida, now=NOW + timedelta(minutes=59)) == taken
        assert emergency_access.current(session, ida, now=NOW + timedelta(minutes=60)) is None
        assert [one.kind for one in notices.list_open(session)] == ["emergency-access"]
        assert "suicidal" not in notices.list_open(session)[0].sentence


def test_emergency_access_is_ended_by_hand_and_reviewed_by_somebody_else(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session, Role.AUDITOR)
        _with_app(session, ida)
        taken = emergency_access.take(session, ida, "Patient at the door", now=NOW)
        with pytest.raises(DecisionRefusedError, match="still on"):
            emergency_access.review(session, taken.access_id, actor="odo", now=NOW)
        assert emergency_access.end(session, ida, actor="ida", now=NOW + timedelta(minutes=5))
        at = NOW + timedelta(minutes=6)
        assert emergency_access.current(session, ida, now=at) is None
        assert not emergency_access.end(session, ida, actor="ida", now=at)
        with pytest.raises(DecisionRefusedError, match="own"):
            emergency_access.review(session, taken.access_id, actor="ida", now=at)
        emergency_access.review(session, taken.access_id, actor="odo", now=at)
        assert notices.list_open(session) == []
        (listed,) = emergency_access.list_accesses(session)
        assert (listed.reviewed_by, listed.ended_by) == ("odo", "ida")


def test_a_kept_entry_is_sealed_its_owners_only_and_short_lived(database: Database) -> None:
    with database.session() as session:
        ida, ben = _ida(session), users.add(session, "ben", PASSWORD, Role.VIEWER, actor="setup", now=NOW)
        assert kept_entries.keep(session, ida, "/cases/1/reject", {"note": "Kowalski"}, now=NOW)
        stored = session.connection().execute(text("SELECT sealed FROM kept_entry")).scalar_one()
        assert b"Kowalski" not in stored
        (entry,) = kept_entries.list_entries(session, ida, now=NOW)
        assert entry.fields == {"note": "Kowalski"}
        assert "Kowalski" not in repr(entry)
        assert kept_entries.list_entries(session, ben, now=NOW) == []
        assert not kept_entries.drop(session, ben, entry.entry_id)
        assert kept_entries.list_entries(session, ida, now=NOW + timedelta(minutes=30)) == []
        assert kept_entries.drop_outdated(session, now=NOW + timedelta(minutes=30)) == 1


def test_a_provider_is_linked_by_name_once_and_by_subject_ever_after(database: Database) -> None:
    with database.session() as session:
        ida = _ida(session)
        assert provider_links.linked(session, "https://idp", "s1") is None
        assert provider_links.link_first(session, "https://idp", "s1", "ida", now=NOW) == ida
        assert provider_links.linked(session, "https://idp", "s1") == ida
        assert provider_links.linked(session, "https://other", "s1") is None
        # Somebody else at the provider got her name: that does not make them her.
        assert provider_links.link_first(session, "https://idp", "s2", "ida", now=NOW) is None
        assert provider_links.unlink(session, ida, actor="ben", now=NOW)
        users.disable(session, "ida", actor="ben", now=NOW)
        assert provider_links.link_first(session, "https://idp", "s2", "ida", now=NOW) is None


def test_passwords_are_kept_with_what_owasp_asks_of_argon2id_or_more() -> None:
    # https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html: 19 MiB and two passes at least.
    assert REAL_HASHER.type is argon2.Type.ID
    assert REAL_HASHER.memory_cost >= 19 * 1024
    assert REAL_HASHER.time_cost >= 2
