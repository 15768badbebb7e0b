"""Settings of destinations and alerts: what is refused, and that secrets stay out of sight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from portal.alert_settings import AlertSettings
from portal.connections import ConfiguredDestination, configure
from portal.secret_places import read_secret
from portal.settings import DestinationSettings
from records.errors import SettingsError
from records.submission import DestinationMode

GIVEN = {"id": "portal", "file": "generic-json.yaml", "base_url": "https://portal.example.org/"}


def test_a_destination_sends_nothing_unless_somebody_says_so() -> None:
    settings = DestinationSettings.model_validate(GIVEN)
    assert settings.mode is DestinationMode.SHADOW
    assert settings.base_url == "https://portal.example.org"
    assert settings.read_back
    assert not settings.send_shadow_backlog


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8090", "http://localhost:1/api", "http://[::1]:8090", "https://p.org/x"]
)
def test_https_and_this_machine_are_fine(url: str) -> None:
    assert DestinationSettings.model_validate(GIVEN | {"base_url": url}).base_url == url


@pytest.mark.parametrize(
    "url",
    ["http://portal.example.org", "http://127.0.0.1.example.org", "ftp://x", "portal.example.org", "https://",
     "https://user:pw@portal.example.org", "https://p.org/?a=1", "https://p.org/#a", "https://p.org:999999"],
)  # fmt: skip
def test_a_url_in_the_open_or_with_a_password_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        DestinationSettings.model_validate(GIVEN | {"base_url": url})


def test_a_secret_in_place_of_its_place_is_refused_and_not_shown() -> None:
    with pytest.raises(ValidationError) as caught:
        DestinationSettings.model_validate(GIVEN | {"token": "hunter2-hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "env:NAME" in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [{"mode": "staging"}, {"mode": "on"}, {"rate_per_second": 0}, {"id": "A b"}, {"colour": "red"}, {"client_key": "k"},
     {"token": "env:A", "oauth2": {"token_url": "https://t.org", "client_id": "a", "client_secret": "env:B"}}],
)  # fmt: skip
def test_settings_that_do_not_fit_together_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DestinationSettings.model_validate(GIVEN | wrong)


def test_secrets_come_from_the_environment_a_file_or_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOREBRIDGE_TEST_TOKEN", "abc")
    (tmp_path / "t").write_text("def\n")
    assert read_secret("env:SCOREBRIDGE_TEST_TOKEN").get_secret_value() == "abc"
    assert read_secret(f"file:{tmp_path / 't'}").get_secret_value() == "def"
    assert "abc" not in repr(read_secret("env:SCOREBRIDGE_TEST_TOKEN"))
    (tmp_path / "t").write_text("two\nlines")
    for reference in ("env:SCOREBRIDGE_TEST_NOTHING", "file:/nowhere/at/all", f"file:{tmp_path / 't'}", "plain"):
        with pytest.raises(SettingsError):
            read_secret(reference)


def test_no_representation_of_a_destination_shows_its_token(
    configured: Callable[..., ConfiguredDestination],
) -> None:
    assert "secret-token-of-the-test" not in repr(configured("https://p.org"))


def test_every_fault_of_every_destination_is_listed(tmp_path: Path) -> None:
    one = DestinationSettings.model_validate(GIVEN | {"file": "nothing.yaml"})
    two = DestinationSettings.model_validate(GIVEN | {"token": "env:SCOREBRIDGE_TEST_NOTHING", "mode": "live"})
    with pytest.raises(SettingsError) as caught:
        configure([one, two], folder=tmp_path)
    assert "nothing.yaml" in caught.value.message
    assert "given twice" in caught.value.message
    assert "SCOREBRIDGE_TEST_NOTHING" in caught.value.message


def test_alerts_need_a_channel() -> None:
    with pytest.raises(ValidationError) as caught:
        AlertSettings.model_validate({})
    assert 'alerts = "none"' in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [{"to": "nobody"}, {"to": []}, {"to": "a@b.org\nBcc: c@d.org"}, {"user": "u"}, {"port": 0},
     {"user": "u", "password": "env:A", "starttls": False}],
)  # fmt: skip
def test_a_mail_server_that_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    given = {"host": "mail.example.org", "from": "s@example.org", "to": "a@example.org, b@example.org"}
    assert AlertSettings.model_validate({"smtp": given}).smtp is not None
    with pytest.raises(ValidationError):
        AlertSettings.model_validate({"smtp": given | wrong})
