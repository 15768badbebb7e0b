"""`scorebridge`: the command line. Exit status 0 done, 1 findings or something waits, 2 usage, 3 unreachable."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Final

import typer

from ingest.terminal import err
from records.errors import DeliveryError, ScorebridgeError, SettingsError, StoreError, TemplateError

# Which module of `ingest.commands` has a command, in the order of the help. Whoever asks for one waits for its module
# only: all of them, with everything that reads, draws and serves, take several times as long to load.
COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "service": ("demo", "run", "doctor"),
    "state": ("init", "status"),
    "reading": ("read", "match"),
    "authoring": ("template",),
    "queue": ("queue",),
    "reviewing": ("review",),
    "learning": ("alias", "blind-audit", "matching"),
    "delivery": ("submission", "destination"),
    "shadow": ("shadow",),
    "patients": ("patient",),
    "rosters": ("roster",),
    "administration": ("alert", "backlog", "report", "user"),
    "auditing": ("audit",),
    "day": ("day",),
    "tokens": ("token",),
}


def application(modules: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with the commands of these modules; with all of them if none are named."""
    app = typer.Typer(
        name="scorebridge",
        help="Brings symptom scores printed as PDF into the patient portal: read, matched, checked, delivered once.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_nothing_else)
    for name in modules:
        import_module(f"ingest.commands.{name}").register(app)
    return app


def main() -> None:
    """Run the command line; every error ends with the next thing to try."""
    try:
        application(_asked(sys.argv[1:]))(standalone_mode=True)
    except ScorebridgeError as error:
        err.print(error.message, markup=False, style="red")
        if error.next_step:
            err.print(error.next_step, markup=False)
        sys.exit(_status(error))
    except KeyboardInterrupt:
        err.print("Stopped.")
        sys.exit(130)


def _asked(arguments: list[str]) -> tuple[str, ...]:
    """The module of the command that was given; all of them for the help and for a command that is none."""
    asked = tuple(name for name, commands in COMMANDS.items() if arguments[:1] and arguments[0] in commands)
    return asked or tuple(COMMANDS)


def _nothing_else() -> None:
    # Without this, typer takes the only command of a module for the whole program.
    return


def _status(error: ScorebridgeError) -> int:
    if isinstance(error, SettingsError | TemplateError):
        return 2
    return 3 if isinstance(error, StoreError | DeliveryError) else 1


if __name__ == "__main__":
    main()
