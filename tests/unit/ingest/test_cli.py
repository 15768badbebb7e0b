"""The commands of `scorebridge`, each found in the module that is loaded for it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from ingest import cli

EVERY = [(module, command) for module, commands in cli.COMMANDS.items() for command in commands]


@pytest.mark.parametrize("module", cli.COMMANDS)
def test_every_command_of_a_module_is_found_by_its_name(module: str) -> None:
    commands = typer.main.get_group(cli.application((module,))).commands
    assert tuple(commands) == cli.COMMANDS[module]


def test_the_help_names_every_command_once() -> None:
    commands = typer.main.get_group(cli.application()).commands
    assert sorted(commands) == sorted(command for _, command in EVERY)


def test_a_command_loads_nothing_that_only_others_need() -> None:
    asked = "import sys; from ingest import cli; cli.application(cli._asked(['token', 'list'])); "
    told = "print(*(name for name in ('camelot', 'fastapi', 'pandas', 'watchdog') if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked + told], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_is_no_command_is_answered_by_the_whole_program() -> None:
    assert cli._asked(["toekn"]) == cli._asked([]) == cli._asked(["--help"]) == tuple(cli.COMMANDS)
