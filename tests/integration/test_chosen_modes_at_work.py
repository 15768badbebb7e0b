"""A mode that somebody chooses while the service runs: taken up by itself, once, and not against the settings file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from delivery_cases import MORNING, assessment, confirm, new_store, states, wait_until
from typer.testing import CliRunner

from ingest.cli import application
from ingest.deliveries import Deliveries
from ingest.mode_faults import mode_faults
from ingest.modes_in_force import give_up_fixed, served, with_chosen_modes
from ingest.settings import Settings
from portal.sandbox import RunningSandbox, running_sandbox
from records.errors import DecisionRefusedError
from records.submission import DeliveryState, DestinationMode
from store import audit, chosen_modes, destination_modes
from store.database import Database

app = application()

D, M = DeliveryState, DestinationMode


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


def settings(folder: Path, url: str, **more: object) -> Settings:
    (folder / "token").write_text("secret-token-of-the-test")
    portal = {"id": "portal", "file": "generic-json.yaml", "base_url": url, "token": f"file:{folder / 'token'}"}
    return Settings.model_validate({"home": str(folder / "home"), "destination": [portal | more]})


def choose(database: Database, mode: DestinationMode, *, before: DestinationMode = M.SHADOW) -> None:
    with database.session() as session:
        chosen_modes.choose(session, "portal", mode, before=before, faults=(), sites=(), actor="ada", now=MORNING)


def mode_at_work(database: Database) -> DestinationMode | None:
    with database.reading() as session:
        found = destination_modes.current(session, "portal")
    return found and found.mode


@contextmanager
def running(deliveries: Deliveries) -> Iterator[threading.Thread]:
    stop = threading.Event()
    thread = threading.Thread(target=deliveries.run, args=(stop,))
    thread.start()
    yield thread
    stop.set()
    deliveries.wake.set()
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_a_chosen_mode_is_taken_up_by_the_running_service_and_each_value_is_sent_once(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    confirm(database, [("P1", assessment("P1"))])
    with running(Deliveries(database, settings(tmp_path, sandbox.url), folder=tmp_path)):
        wait_until(lambda: states(database) == {D.HELD: 1})
        assert mode_at_work(database) is M.SHADOW
        choose(database, M.LIVE)
        wait_until(lambda: mode_at_work(database) is M.LIVE)
        confirm(database, [(f"P{n}", assessment(f"P{n}")) for n in range(2, 12)])
        wait_until(lambda: states(database) == {D.HELD: 1, D.DELIVERED: 10})
        choose(database, M.OFF, before=M.LIVE)
        wait_until(lambda: mode_at_work(database) is M.OFF)
        confirm(database, [("P12", assessment("P12"))])
        choose(database, M.LIVE, before=M.OFF)
        wait_until(lambda: states(database) == {D.HELD: 1, D.DELIVERED: 11})
    assert sorted(one.patientId for one in sandbox.values.all()) == sorted(f"P{n}" for n in range(2, 13))
    with database.reading() as session:
        told = [one.event for one in audit.events(session, object_kind="destination", limit=100)]
    assert [(one.actor, dict(one.detail)["mode"]) for one in told] == [
        ("service", "shadow"), ("ada", "live"), ("service", "live"), ("ada", "off"), ("service", "off"),
        ("ada", "live"), ("service", "live"),
    ]  # fmt: skip


def test_a_choice_that_the_settings_no_longer_allow_leaves_the_mode_as_it_was(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    with running(Deliveries(database, settings(tmp_path, sandbox.url), folder=tmp_path)) as thread:
        wait_until(lambda: mode_at_work(database) is M.SHADOW)
        (tmp_path / "token").unlink()
        choose(database, M.LIVE)
        confirm(database, [("P1", assessment("P1"))])
        wait_until(lambda: states(database) == {D.HELD: 1})
        assert thread.is_alive()
        assert mode_at_work(database) is M.SHADOW
    assert sandbox.values.all() == []


def test_the_settings_file_wins_and_what_was_chosen_is_forgotten(database: Database, tmp_path: Path) -> None:
    choose(database, M.LIVE)
    fixed, free = (settings(tmp_path, "http://127.0.0.1:9", **more) for more in ({"mode": "off"}, {}))
    with database.session() as session:
        assert with_chosen_modes(session, fixed).destination[0].mode is M.OFF
        assert served(session, fixed) == ()
        assert with_chosen_modes(session, free).destination[0].mode is M.LIVE
        assert served(session, free) == ("portal",)
        give_up_fixed(session, free, now=MORNING)
        assert chosen_modes.chosen(session, "portal") is not None
        give_up_fixed(session, fixed, now=MORNING)
        assert with_chosen_modes(session, free).destination[0].mode is M.SHADOW


def test_what_the_settings_lack_for_a_mode_is_told(tmp_path: Path) -> None:
    free = settings(tmp_path, "https://portal.example.org")
    assert [mode_faults(free, "portal", mode, folder=tmp_path) for mode in (M.OFF, M.SHADOW, M.LIVE)] == [()] * 3
    assert "allow_list" in mode_faults(free, "portal", M.STAGING, folder=tmp_path)[0]
    listed = settings(tmp_path, "https://portal.example.org", allow_list=["P1"])
    assert mode_faults(listed, "portal", M.STAGING, folder=tmp_path) == ()
    fixed = settings(tmp_path, "https://portal.example.org", mode="shadow")
    assert "take it out there" in mode_faults(fixed, "portal", M.OFF, folder=tmp_path)[0]
    assert "no destination" in mode_faults(free, "other", M.OFF, folder=tmp_path)[0]
    (tmp_path / "token").unlink()
    assert mode_faults(free, "portal", M.SHADOW, folder=tmp_path) == ()
    assert mode_faults(free, "portal", M.LIVE, folder=tmp_path)


def test_the_command_chooses_as_the_page_does(tmp_path: Path) -> None:
    config = ["--config", str(tmp_path / "scorebridge.toml")]
    (tmp_path / "token").write_text("secret")
    text = (
        'home = "home"\nalerts = "none"\n[[site]]\nid = "WCP"\n[[destination]]\nid = "portal"\n'
        f'file = "generic-json.yaml"\nbase_url = "https://portal.example.org"\ntoken = "file:{tmp_path / "token"}"\n'
    )
    (tmp_path / "scorebridge.toml").write_text(text, "utf-8")
    run = CliRunner().invoke
    assert run(app, ["init", *config]).exit_code == 0
    refused = run(app, ["destination", "mode", "portal", "live", *config])
    assert isinstance(refused.exception, DecisionRefusedError)
    assert "No comparison with what staff typed is signed for WCP." in refused.exception.message
    assert run(app, ["destination", "mode", "portal", "off", *config]).exit_code == 0
    listed = run(app, ["destination", "list", "--json", *config])
    assert '"mode": "off"' in listed.stdout
    (tmp_path / "scorebridge.toml").write_text(f'{text}mode = "shadow"\n', "utf-8")
    assert isinstance(run(app, ["destination", "mode", "portal", "off", *config]).exception, DecisionRefusedError)
    assert '"mode": "shadow"' in run(app, ["destination", "list", "--json", *config]).stdout
    assert run(app, ["destination", "mode", "nothing", "off", *config]).exit_code != 0
