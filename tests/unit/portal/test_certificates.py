"""Certificates on both sides, against a real TLS server."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.client import PortalClient
from portal.connections import ConfiguredDestination
from records.errors import DeliveryDeferredError, DeliveryUnknownError, DestinationPausedError, SettingsError
from records.submission import Submission
from tests.portals.certificates import Authority, new_authority
from tests.portals.tls_portal import alerting_portal, tls_portal

Clients = Callable[..., PortalClient]
Submissions = Callable[..., Submission]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_portal_that_asks_for_a_client_certificate_is_delivered_to(
    authority: Authority, client_of: Clients, submission: Submissions, version: ssl.TLSVersion
) -> None:
    shown = authority.client("scorebridge")
    with tls_portal(authority.server(), clients=authority.file, tls=version) as (url, values):
        client = client_of(url, ca_file=str(authority.file), client_certificate=str(shown))
        client.deliver(submission())
        assert len(values.all()) == 1


def test_certificate_and_key_may_be_two_files_beside_the_settings(
    authority: Authority, client_of: Clients, submission: Submissions, tmp_path: Path
) -> None:
    certificate, key = authority.client("scorebridge").read_text().split("-----BEGIN PRIVATE")
    (tmp_path / "client.pem").write_text(certificate)
    (tmp_path / "client.key").write_text(f"-----BEGIN PRIVATE{key}")
    with tls_portal(authority.server(), clients=authority.file) as (url, values):
        client_of(url, ca_file=str(authority.file), client_certificate="client.pem", client_key="client.key").deliver(
            submission()
        )
        assert len(values.all()) == 1


@pytest.mark.parametrize("shown", ["none", "expired", "of a stranger"])
def test_a_client_certificate_that_the_portal_refuses_pauses_for_it_has_read_nothing(
    authority: Authority, client_of: Clients, submission: Submissions, tmp_path: Path, shown: str
) -> None:
    given: dict[str, object] = {"ca_file": str(authority.file)}
    if shown == "expired":
        given["client_certificate"] = str(authority.client("old", days=-1))
    elif shown == "of a stranger":
        given["client_certificate"] = str(new_authority(tmp_path, "stranger").client("scorebridge"))
    with alerting_portal(authority.server(), clients=authority.file) as (url, heard):
        with pytest.raises(DestinationPausedError) as caught:
            client_of(url, **given).deliver(submission())
        assert heard == []
    assert caught.value.code == "certificate-refused"


@pytest.mark.parametrize("words", ["No required SSL certificate was sent", "The SSL certificate error"])
def test_the_page_in_which_nginx_says_it_pauses_as_well(
    scripted, client_of: Clients, submission: Submissions, words: str
) -> None:
    page = f"<html><head><title>400 {words}</title></head><body><center>{words}</center></body></html>"
    scripted.will_answer(400, page.encode())
    with pytest.raises(DestinationPausedError):
        client_of(scripted.url).deliver(submission())


def test_a_portal_that_hangs_up_without_a_word_leaves_open_what_happened(
    authority: Authority, client_of: Clients, submission: Submissions
) -> None:
    with (
        tls_portal(authority.server(), clients=authority.file) as (url, _),
        pytest.raises(DeliveryUnknownError),
    ):
        client_of(url, ca_file=str(authority.file)).deliver(submission())


def test_without_tls_1_3_a_missing_client_certificate_is_never_taken_for_a_lost_answer(
    authority: Authority, client_of: Clients, submission: Submissions
) -> None:
    with (
        tls_portal(authority.server(), clients=authority.file, tls=ssl.TLSVersion.TLSv1_2) as (url, _),
        pytest.raises(DeliveryDeferredError),
    ):
        client_of(url, ca_file=str(authority.file)).deliver(submission())


@pytest.mark.parametrize("fault", ["another authority", "expired", "another name"])
def test_a_portal_whose_certificate_is_not_right_is_told_nothing(
    authority: Authority, client_of: Clients, submission: Submissions, tmp_path: Path, fault: str
) -> None:
    trusted, certificate = authority, authority.server()
    if fault == "another authority":
        trusted = new_authority(tmp_path, "another")
    elif fault == "expired":
        certificate = authority.server(days=-1)
    else:
        certificate = authority.server("portal.example.org", address="127.0.0.9")
    with tls_portal(certificate) as (url, values):
        with pytest.raises(DeliveryDeferredError) as caught:
            client_of(url, ca_file=str(trusted.file)).deliver(submission())
        assert values.all() == []
    assert caught.value.code == "certificate"


def test_certificate_files_that_cannot_be_used_are_listed_at_the_start(
    authority: Authority, configured: Callable[..., ConfiguredDestination], tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").write_text("")
    for wrong in (
        {"ca_file": "nothing.pem"},
        {"ca_file": "empty.pem"},
        {"client_certificate": "empty.pem"},
        {"client_certificate": str(authority.file)},
    ):
        with pytest.raises(SettingsError):
            configured("https://portal.example.org", **wrong)
