"""SMART Backend Services against a token server that checks everything."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc.jwk import ECKey
from strict_token_server import StrictTokenServer, strict_token_server

from portal.access_settings import SmartSettings
from portal.client import PortalClient
from portal.connections import ConfiguredDestination, configure, connected
from portal.secret_places import read_secret_text
from portal.settings import DestinationSettings
from portal.signing_keys import ALGORITHMS, Algorithm, load_signing_key, new_private_key
from portal.token_server import SignedAssertion, TokenServer
from records.errors import DeliveryDeferredError, DestinationPausedError, SettingsError
from records.submission import Submission

Clients = Callable[..., PortalClient]
Submissions = Callable[..., Submission]
PLAIN = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def server() -> Iterator[StrictTokenServer]:
    with strict_token_server() as running:
        yield running


@pytest.fixture(scope="session")
def pems() -> dict[Algorithm, bytes]:
    return {algorithm: new_private_key(algorithm) for algorithm in ALGORITHMS}


@pytest.fixture
def smart(server: StrictTokenServer, pems: dict[Algorithm, bytes], tmp_path: Path) -> dict[str, str]:
    """Settings whose key is registered at the server."""
    return signing(server, pems["ES384"], tmp_path)


def signing(server: StrictTokenServer, pem: bytes, folder: Path) -> dict[str, str]:
    (folder / "key.pem").write_bytes(pem)
    key = f"file:{folder / 'key.pem'}"
    server.keys = [load_signing_key(key).public_jwk()]
    return {"token_url": server.token_url, "client_id": server.client_id, "key": key, "scope": server.scope}


def tokens(given: dict[str, str], **changes: object) -> TokenServer:
    return TokenServer(SignedAssertion(SmartSettings.model_validate(given)), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_both_kinds_of_key_are_accepted_and_the_portal_takes_the_token(
    server: StrictTokenServer,
    pems: dict[Algorithm, bytes],
    client_of: Clients,
    submission: Submissions,
    tmp_path: Path,
    algorithm: Algorithm,
) -> None:
    smart = signing(server, pems[algorithm], tmp_path)
    assert client_of(server.url, smart=smart).deliver(submission()).remote_id == "om-1"
    assert (server.refusals, len(server.given)) == ([], 1)


def test_every_request_is_signed_anew_and_ends_within_five_minutes(
    server: StrictTokenServer, smart: dict[str, str]
) -> None:
    source = tokens(smart)
    old = source.token()
    source.token(refused=old)
    claims = [_claims(body) for body in server.forms]
    assert server.refusals == []
    assert len({claim["jti"] for claim in claims}) == 2


def _claims(body: bytes) -> dict[str, object]:
    part = parse_qs(body.decode())["client_assertion"][0].split(".")[1]
    decoded: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def test_a_clock_of_the_server_that_is_half_a_minute_off_does_no_harm(
    server: StrictTokenServer, smart: dict[str, str]
) -> None:
    for skew in (-30, 30):
        server.skew = skew
        tokens(smart).token()
    assert server.refusals == []


@pytest.mark.parametrize(
    ("change", "refusal"),
    [({"client_id": "another"}, "client"), ({"scope": "system/*.*"}, "scope"), ({"key_id": "another"}, "kid")],
)
def test_what_the_server_does_not_know_pauses_and_says_its_word(
    server: StrictTokenServer, smart: dict[str, str], change: dict[str, str], refusal: str
) -> None:
    with pytest.raises(DestinationPausedError) as caught:
        tokens(smart | change).token()
    assert server.refusals == [refusal]
    assert "invalid_" in caught.value.message
    assert "clock" in caught.value.next_step


def test_another_spelling_of_the_token_url_is_another_audience(
    server: StrictTokenServer, smart: dict[str, str]
) -> None:
    spelt = server.token_url.replace("127.0.0.1", "localhost")
    with pytest.raises(DestinationPausedError):
        tokens(smart | {"token_url": spelt}).token()
    assert server.refusals == ["audience"]


def test_a_key_that_was_replaced_is_taken_up_without_a_restart(
    server: StrictTokenServer, smart: dict[str, str], tmp_path: Path
) -> None:
    source = tokens(smart)
    old = source.token()
    (tmp_path / "key.pem").write_bytes(new_private_key("ES384"))
    server.keys = [load_signing_key(smart["key"]).public_jwk()]
    source.token(refused=old)
    assert (server.refusals, len(server.given)) == ([], 2)


def test_four_threads_renew_a_token_once_in_mid_run(
    server: StrictTokenServer,
    smart: dict[str, str],
    configured: Callable[..., ConfiguredDestination],
    submission: Submissions,
) -> None:
    shared = configured(server.url, smart=smart)
    server.slow = 0.05
    failed: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            with connected(shared, clock=lambda: datetime.now(UTC)) as client:
                for number in range(15):
                    client.deliver(submission(number=worker * 100 + number, patient_id=f"P{worker}"))
                    if worker == 0 and number == 7:
                        server.revoke()
        except BaseException as error:  # noqa: BLE001  # shown below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert (len(server.stored), len(server.given)) == (60, 2)
    assert server.unauthorised <= 4


def test_those_who_waited_while_the_server_refused_do_not_ask_as_well(
    server: StrictTokenServer, smart: dict[str, str]
) -> None:
    server.keys, server.slow = [], 0.3
    source, paused = tokens(smart), []
    ready = threading.Barrier(4)

    def ask() -> None:
        ready.wait()
        try:
            source.token()
        except DestinationPausedError as error:
            paused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(paused), len(server.forms)) == (4, 1)
    with pytest.raises(DestinationPausedError):
        source.token()
    assert len(server.forms) == 2


def test_a_server_that_fails_defers_and_is_asked_again(server: StrictTokenServer, smart: dict[str, str]) -> None:
    server.failing = [503]
    source = tokens(smart)
    with pytest.raises(DeliveryDeferredError):
        source.token()
    source.token()
    assert len(server.given) == 1


def test_a_jwk_is_as_good_as_a_pem_and_keeps_its_name(pems: dict[Algorithm, bytes], tmp_path: Path) -> None:
    jwk = ECKey.import_key(pems["ES384"]).as_dict(private=True) | {"kid": "spring"}
    (tmp_path / "key.json").write_text(json.dumps(jwk))
    key = load_signing_key(f"file:{tmp_path / 'key.json'}")
    assert (key.key_id, key.algorithm) == ("spring", "ES384")
    assert load_signing_key(f"file:{tmp_path / 'key.json'}", key_id="registered").key_id == "registered"


def test_the_public_key_holds_nothing_private_and_names_itself_by_its_thumbprint(
    pems: dict[Algorithm, bytes], tmp_path: Path
) -> None:
    for algorithm, private in pems.items():
        (tmp_path / "key.pem").write_bytes(private)
        public = load_signing_key(f"file:{tmp_path / 'key.pem'}").public_jwk()
        assert not set(public) & {"d", "p", "q", "dp", "dq", "qi", "k"}
        assert (public["alg"], public["use"], len(str(public["kid"]))) == (algorithm, "sig", 43)


def _weak() -> bytes:
    return rsa.generate_private_key(65537, 1024).private_bytes(*PLAIN)


def _other_curve() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(*PLAIN)


def _locked() -> bytes:
    key = ec.generate_private_key(ec.SECP384R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))


def _public() -> bytes:
    key = ec.generate_private_key(ec.SECP384R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.filterwarnings("ignore:Key size")
@pytest.mark.parametrize(
    "content",
    [_weak, _other_curve, _locked, _public, lambda: b"hunter2-no-key", lambda: b'{"kty": "oct", "k": "hunter2"}',
     lambda: b'{"kty": "EC", "d": "hunter2"', lambda: b'{"kty": "RSA", "n": 5}'],
)  # fmt: skip
def test_a_key_that_cannot_sign_is_refused_at_the_start_and_not_shown(
    content: Callable[[], bytes], tmp_path: Path
) -> None:
    (tmp_path / "key").write_bytes(content())
    reference = f"file:{tmp_path / 'key'}"
    given = {
        "id": "portal", "file": "generic-json.yaml", "base_url": "https://portal.example.org", "mode": "live",
        "smart": {"token_url": "https://t.example.org/", "client_id": "a", "key": reference, "scope": "system/*.c"},
    }  # fmt: skip
    with pytest.raises(SettingsError) as caught:
        configure([DestinationSettings.model_validate(given)], folder=tmp_path)
    assert reference in caught.value.message
    secret = read_secret_text(reference).get_secret_value()
    assert not any(line in str(caught.value) for line in secret.splitlines() if len(line) > 6)
