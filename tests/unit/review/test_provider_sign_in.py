"""Signing in by an identity provider: a provider as a process of its own, honest and otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from pydantic import SecretStr

from review.provider import Provider
from store import audit, provider_links, users
from store.users import Role
from tests.portals.identity_provider import IdentityProvider
from tests.portals.identity_server import CLIENT_ID, CLIENT_SECRET
from tests.unit.review.provider_pair import Pair, provider_settings, require_second_factor, take_down, user_of
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import open_clinic

_REFUSED = "The sign-in service did not confirm who you are."
_UNKNOWN = "Nobody of that name may sign in here."


@pytest.fixture(scope="module")
def lasting(furnished: Path, issuer: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """One clinic for all answers that change nothing in it."""
    home = Path(shutil.copytree(furnished, tmp_path_factory.mktemp("lasting") / "home"))
    clinic = open_clinic(home, provider=Provider(provider_settings(issuer.issuer), SecretStr(CLIENT_SECRET)))
    yield Pair(clinic, issuer)
    clinic.database.close()


def test_whom_the_provider_recognises_is_signed_in_where_they_wanted_to_be(pair: Pair) -> None:
    assert "Sign in with Clinic account" in Browser(pair.clinic.app).open("/sign-in").text
    browser, answer = pair.sign_in(start="/sign-in/provider?next=/queue")
    assert (answer.status_code, answer.headers["refresh"]) == (200, "0; url=/queue")
    page = browser.open("/queue")
    assert page.status_code == 200
    assert "rosa, reviewer" in page.text
    with pair.clinic.database.reading() as session:
        made = [one.event for one in audit.events(session, after=0) if one.event.action == "user.signed-in"]
    assert made[-1].actor == "rosa"


def test_the_provider_leads_nobody_out_of_the_program(pair: Pair) -> None:
    _, answer = pair.sign_in(start="/sign-in/provider?next=https://evil.example/")
    assert answer.headers["refresh"] == "0; url=/"


def test_later_only_the_subject_counts_so_that_a_name_given_anew_opens_nothing(pair: Pair) -> None:
    pair.sign_in()
    pair.behave(claims={"email": "ada"})
    browser, _ = pair.sign_in()
    assert "rosa, reviewer" in browser.open("/queue").text
    pair.behave(claims={"sub": "s-2", "email": "rosa"})
    assert _UNKNOWN in pair.refuses()


@pytest.mark.parametrize(
    "behaviour",
    [
        {"answer": {"state": "another"}},
        {"answer": {"state": None}},
        {"answer": {"iss": "https://evil.example"}},
        {"answer": {"iss": None}},
        {"answer": {"code": None, "error": "access_denied"}},
        {"answer": {"code": "invented"}},
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"aud": "another-client"}},
        {"claims": {"aud": ["another-client", CLIENT_ID], "azp": "another-client"}},
        {"claims": {"aud": ["another-client", CLIENT_ID]}},
        {"claims": {"aud": None}},
        {"claims": {"exp": None}},
        {"claims": {"exp": "never"}},
        {"claims": {"iat": "before"}},
        {"claims": {"iat": None}},
        {"claims": {"sub": None}},
        {"claims": {"sub": 7}},
        {"claims": {"sub": ["s-1"]}},
        {"claims": {"at_hash": "AAAA"}},
        {"claims": {"at_hash": 7}},
        {"claims": {"amr": "mfa"}},
        {"claims": {"nbf": 9_999_999_999}},
        {"signed": "none"},
        {"signed": "HS256"},
        {"signed": "HS256-secret"},
        {"signed": "RS512"},
        {"signed": "other-key"},
        {"signed": "unknown-key"},
        {"token": {"id_token": None}},
        {"token": {"id_token": "a.b.c"}},
        {"token": {"id_token": "…"}},
        {"token": {"id_token": 7}},
        {"token": {"error": "server_error"}},
        {"token": {"access_token": 7, "id_token": ["x"]}},
        {"raw": {"/token": "not JSON"}},
        {"raw": {"/token": "[]"}},
        {"raw": {"/token": "null"}},
        {"raw": {"/token": '"text"'}},
        {"raw": {"/jwks": "not JSON"}},
        {"raw": {"/jwks": "[]"}},
        {"raw": {"/jwks": "{}"}},
        {"raw": {"/jwks": '{"keys": 7}'}},
        {"raw": {"/jwks": '{"keys": [{}]}'}},
        {"raw": {"/jwks": '{"keys": [{"kty": "oct", "kid": "one", "k": "AAAA"}]}'}},
        {"raw": {"/jwks": '{"keys": ["x"]}'}},
        {"raw": {"/jwks": '{"keys": []}'}},
        {"raw": {"/jwks": '{"keys": "' + "x" * 2_000_000 + '"}'}},
    ],
    ids=lambda behaviour: str(behaviour)[:60],
)
def test_an_answer_that_is_not_right_signs_nobody_in(lasting: Pair, behaviour: Mapping[str, object]) -> None:
    lasting.behave(**behaviour)
    assert _REFUSED in lasting.refuses()


def test_an_id_token_is_good_until_it_has_expired(pair: Pair) -> None:
    now = int(pair.clinic.clock().timestamp())
    pair.behave(claims={"iat": now - 400, "exp": now - 61})
    assert _REFUSED in pair.refuses()
    pair.behave(claims={"iat": now - 400, "exp": now - 30})  # clocks differ by seconds
    assert pair.sign_in()[1].status_code == 200


def test_an_answer_is_good_once(pair: Pair) -> None:
    """Even if the provider gives a token for the same code again, and the browser shows the same cookie again."""
    pair.behave(forgets_used_codes=True)
    browser = Browser(pair.clinic.app)
    callback = pair.callback(browser)
    cookie = browser.http.cookies["scorebridge_provider"]
    assert browser.open(callback).status_code == 200
    assert "scorebridge_provider" not in browser.http.cookies
    again = Browser(pair.clinic.app)
    again.http.cookies.set("scorebridge_provider", cookie)
    answer = again.open(callback)
    assert (answer.status_code, _REFUSED in answer.text) == (403, True)
    assert again.open("/queue").status_code == 303


def test_an_answer_is_good_in_the_browser_that_left_only(pair: Pair) -> None:
    callback = pair.callback(Browser(pair.clinic.app))
    stranger = Browser(pair.clinic.app)
    assert stranger.open(callback).status_code == 403
    pair.callback(stranger)
    assert stranger.open(callback).status_code == 403
    stranger.http.cookies.set("scorebridge_provider", "00ff", path="/sign-in/provider")
    assert stranger.open(callback).status_code == 403


def test_an_answer_comes_within_ten_minutes(pair: Pair) -> None:
    browser = Browser(pair.clinic.app)
    callback = pair.callback(browser)
    pair.clinic.clock.advance(timedelta(minutes=10))
    assert browser.open(callback).status_code == 403


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_e_mail_that_is_not_verified_names_nobody(lasting: Pair, verified: object) -> None:
    lasting.behave(claims={"email_verified": verified})
    assert _UNKNOWN in lasting.refuses()


@pytest.mark.parametrize("email", ["nobody", "", None, 7, ["rosa"], {"rosa": 1}])
def test_whom_nobody_has_added_is_not_let_in(lasting: Pair, email: object) -> None:
    lasting.behave(claims={"email": email})
    assert _UNKNOWN in lasting.refuses()


def test_who_was_disabled_stays_out_whatever_the_provider_says(pair: Pair) -> None:
    browser, _ = pair.sign_in()
    with pair.clinic.database.session() as session:
        users.disable(session, "rosa", actor="ada", now=pair.clinic.clock())
    assert browser.open("/queue").status_code == 303
    assert _UNKNOWN in pair.refuses()


def test_people_are_linked_by_hand_where_no_claim_is_to_be_trusted(pair: Pair) -> None:
    pair.configure(match_claim="none")
    assert _UNKNOWN in pair.refuses()
    with pair.clinic.database.session() as session:
        assert provider_links.link_first(session, pair.issuer.issuer, "s-1", "rosa", now=pair.clinic.clock())
    assert pair.sign_in()[1].status_code == 200


@pytest.mark.parametrize(
    ("changed", "claims", "onward"),
    [
        ({}, {}, "/sign-in/app"),
        ({}, {"amr": ["pwd"]}, "/sign-in/app"),
        ({}, {"amr": ["pwd", "mfa"]}, "/"),
        ({}, {"amr": [7, None, "otp"]}, "/"),
        ({}, {"acr": "phr"}, "/sign-in/app"),
        ({"trusted_acr": ["phr"]}, {"acr": "phr"}, "/"),
        ({"trusted_acr": ["phr"]}, {"acr": ["phr"]}, "/sign-in/app"),
        ({"second_factor": "provider"}, {}, "/"),
        ({"second_factor": "here"}, {"amr": ["mfa"]}, "/sign-in/app"),
    ],
)
def test_a_second_factor_is_believed_as_far_as_the_settings_say(
    pair: Pair, changed: Mapping[str, object], claims: Mapping[str, object], onward: str
) -> None:
    require_second_factor(pair)
    pair.configure(**changed)
    pair.behave(claims=claims)
    browser, answer = pair.sign_in()
    assert answer.headers["refresh"] == f"0; url={onward}"
    assert browser.open("/queue").status_code == (200 if onward == "/" else 303)


_ROLES = {"scores-admins": "administrator", "scores-readers": "viewer"}


def test_the_role_is_the_first_of_the_table_that_the_person_has(pair: Pair) -> None:
    pair.configure(role_claim="groups", roles=_ROLES)
    pair.behave(claims={"groups": ["others", "scores-readers", "scores-admins"]})
    pair.sign_in()
    assert user_of(pair).role is Role.ADMINISTRATOR
    pair.behave(claims={"groups": "scores-readers"})
    browser, _ = pair.sign_in()
    assert user_of(pair).role is Role.VIEWER
    assert browser.open("/queue").status_code == 403


@pytest.mark.parametrize("groups", [None, [], ["others"], 7, {"scores-admins": 1}, [["scores-admins"]]])
def test_who_has_no_group_of_the_table_is_not_let_in(pair: Pair, groups: object) -> None:
    pair.configure(role_claim="groups", roles=_ROLES)
    pair.behave(claims={"groups": groups})
    assert _UNKNOWN in pair.refuses()
    assert user_of(pair).role is Role.REVIEWER


def test_the_last_administrator_stays_one_whatever_the_groups_say(pair: Pair) -> None:
    pair.configure(role_claim="groups", roles=_ROLES)
    pair.behave(claims={"email": "ada", "groups": ["scores-readers"]})
    assert pair.sign_in()[1].status_code == 200
    assert user_of(pair, "ada").role is Role.ADMINISTRATOR


def _says(path: str, text: str) -> Callable[[Pair], None]:
    return lambda pair: pair.behave(raw={path: text})


def _discovers(**said: object) -> Callable[[Pair], None]:
    return lambda pair: pair.behave(discovery=said)


_DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    "break_it",
    [
        take_down, _says(_DISCOVERY, "not JSON"), _says(_DISCOVERY, "[]"), _says(_DISCOVERY, "{}"),
        _discovers(issuer="https://evil.example"), _discovers(token_endpoint=7),
    ],
)  # fmt: skip
def test_while_the_provider_is_down_a_password_signs_in(pair: Pair, break_it: Callable[[Pair], None]) -> None:
    break_it(pair)
    browser = Browser(pair.clinic.app)
    answer = browser.open("/sign-in/provider")
    assert answer.status_code == 503
    assert "sign in with a password" in answer.text
    assert browser.signed_in("rosa").open("/queue").status_code == 200


def test_a_provider_that_goes_down_on_the_way_signs_nobody_in(pair: Pair) -> None:
    browser = Browser(pair.clinic.app)
    callback = pair.callback(browser)
    known = pair.clinic.app.state.office.provider
    assert known is not None
    pair.behave(raw={"/token": "", "/jwks": ""})
    assert browser.open(callback).status_code == 403
    assert browser.signed_in("rosa").open("/queue").status_code == 200


def test_nothing_secret_is_logged_when_an_answer_is_refused(pair: Pair, capfd: pytest.CaptureFixture[str]) -> None:
    pair.behave(claims={"nonce": "another"}, token={"access_token": "SECRET-ACCESS"})
    browser = Browser(pair.clinic.app)
    callback = pair.callback(browser)
    browser.open(callback)
    told = "".join(capfd.readouterr())
    assert "provider.not-believed" in told
    for secret in (CLIENT_SECRET, "SECRET-ACCESS", dict(parse_qsl(urlsplit(callback).query))["code"]):
        assert secret not in told


def test_an_answer_given_twice_over_is_read_as_one(pair: Pair) -> None:
    """Repeated parameters: the state that counts is the one that is checked."""
    browser = Browser(pair.clinic.app)
    callback = pair.callback(browser)
    assert browser.open(f"{callback}&{urlencode({'state': 'another'})}").status_code == 403
