"""`scorebridge`: the command line. Exit status 0 done, 1 findings or something waits, 2 usage, 3 unreachable."""

from __future__ import annotations

import sys

import typer

from ingest.commands import (
    administration,
    auditing,
    authoring,
    day,
    delivery,
    learning,
    patients,
    queue,
    reading,
    reviewing,
    rosters,
    service,
    shadow,
    tokens,
)
from ingest.terminal import err
from records.errors import DeliveryError, ScorebridgeError, SettingsError, StoreError, TemplateError

app = typer.Typer(
    name="scorebridge",
    help="Brings symptom scores printed as PDF into the patient portal: read, matched, checked, delivered once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
service.register(app)
reading.register(app)
authoring.register(app)
queue.register(app)
reviewing.register(app)
learning.register(app)
delivery.register(app)
shadow.register(app)
patients.register(app)
rosters.register(app)
administration.register(app)
auditing.register(app)
day.register(app)
tokens.register(app)


def main() -> None:
    """Run the command line; every error ends with the next thing to try."""
    try:
        app(standalone_mode=True)
    except ScorebridgeError as error:
        err.print(error.message, markup=False, style="red")
        if error.next_step:
            err.print(error.next_step, markup=False)
        sys.exit(_status(error))
    except KeyboardInterrupt:
        err.print("Stopped.")
        sys.exit(130)


def _status(error: ScorebridgeError) -> int:
    if isinstance(error, SettingsError | TemplateError):
        return 2
    return 3 if isinstance(error, StoreError | DeliveryError) else 1


if __name__ == "__main__":
    main()
