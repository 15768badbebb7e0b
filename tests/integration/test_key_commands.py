"""`destination new-key` and `destination jwks`: what a portal is given so that it knows this program."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import cli
from portal.secret_places import read_secret_text
from records.errors import SettingsError

SETTINGS = """home = "home"
alerts = "none"
[[site]]
id = "WCP"
[site.roster_fhir]
base_url = "https://fhir.example.org"
smart = {{ token_url = "https://fhir.example.org/t", client_id = "b", key = "file:{key}", scope = "s" }}
[[destination]]
id = "portal"
file = "generic-json.yaml"
base_url = "https://portal.example.org"
smart = {{ token_url = "https://a.example.org/t", client_id = "a", key = "file:{key}", key_id = "spring", scope = "s" }}
[[destination]]
id = "plain"
file = "generic-json.yaml"
base_url = "https://plain.example.org"
"""
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    monkeypatch.delenv("SCOREBRIDGE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scorebridge.toml").write_text(SETTINGS.format(key=tmp_path / "key.pem"))

    def go(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["scorebridge", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return go


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_new_key_is_its_owners_only_and_its_public_half_can_be_printed(
    command: Command, tmp_path: Path, algorithm: str
) -> None:
    assert command("destination", "new-key", "key.pem", "--algorithm", algorithm)[:2] == (0, "")
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    status, out, _ = command("destination", "jwks", "portal")
    (key,) = json.loads(out)["keys"]
    assert (status, key["alg"], key["kid"], key["use"]) == (0, algorithm, "spring", "sig")
    assert not {"d", "p", "q", "dp", "dq", "qi"} & key.keys()


def test_a_key_is_never_overwritten(command: Command, tmp_path: Path) -> None:
    command("destination", "new-key", "key.pem")
    before = (tmp_path / "key.pem").read_bytes()
    status, _, err = command("destination", "new-key", "key.pem")
    assert (status, (tmp_path / "key.pem").read_bytes()) == (2, before)
    assert "exists already" in err


def test_both_keys_are_listed_while_one_replaces_the_other(command: Command) -> None:
    command("destination", "new-key", "key.pem")
    command("destination", "new-key", "next.pem")
    _, out, _ = command("destination", "jwks", "portal", "--also", "next.pem")
    assert len({key["kid"] for key in json.loads(out)["keys"]}) == 2


def test_a_sites_roster_has_keys_as_well(command: Command) -> None:
    command("destination", "new-key", "key.pem")
    _, out, _ = command("destination", "jwks", "WCP")
    assert len(json.loads(out)["keys"]) == 1


@pytest.mark.parametrize("name", ["plain", "nothing"])
def test_what_signs_nothing_says_so_and_names_what_does(command: Command, name: str) -> None:
    status, out, err = command("destination", "jwks", name)
    assert (status, out) == (2, "")
    assert "portal, WCP" in err


def test_a_missing_key_names_its_place(command: Command, tmp_path: Path) -> None:
    status, out, err = command("destination", "jwks", "portal")
    assert (status, out) == (2, "")
    assert "key.pem" in err.replace("\n", "")


def test_a_secret_that_is_named_by_a_relative_path_is_told_where_the_path_starts() -> None:
    with pytest.raises(SettingsError) as caught:
        read_secret_text("file:key-that-is-not-there.pem")
    assert "name the file in full" in str(caught.value.next_step)
