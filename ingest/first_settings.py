"""The settings file that `init` writes for a new clinic."""

from __future__ import annotations

from pathlib import Path

_FIRST = """# Settings of Scorebridge. Relative paths start at the folder of this file.
home = "scorebridge-data"                 # encrypted database, archive, templates and key

[[site]]
id = "MAIN"                               # as in the roster's clinic column
time_zone = "America/Chicago"
roster = "roster.csv"                     # imported again whenever it changes

[[source]]
site = "MAIN"
folder = "print"                          # where the EHR prints; may be read-only
# patterns = ["*.pdf", "*.csv"]
# quiet_seconds = 2
# expected_by = "06:30"                   # a notice if no report came by then
# after = "leave"                         # leave | move:<folder> | delete

[[destination]]
id = "portal"
file = "generic-json.yaml"                # one that comes with the program, or your own beside this file
base_url = "https://portal.example.org"
# mode = "shadow"                         # off | shadow | staging | live. Without this line the mode is chosen on the
                                          # page of the destination; it begins with shadow: everything but sending
token = "env:PORTAL_TOKEN"                # env:NAME | file:PATH | keyring:SERVICE/USER

[matching]
threshold = 0.999

# Where answers about self-harm are told. alerts = "none" (above the first section) is a decision to do without.
[alerts]
webhook = "https://pager.example.org/hook"
escalate_after_minutes = 15
"""


def write_first_settings(path: Path) -> None:
    """Write a commented settings file; never over an existing one.

    Raises:
        FileExistsError: There is one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(_FIRST)
