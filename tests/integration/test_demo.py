"""The first thing anybody runs: the demo, as a command, from an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path


def test_the_demo_shows_a_morning_that_adds_up_and_ends_well(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "scorebridge", "demo"],
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False, env={**os.environ, "COLUMNS": "160"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    sums = re.findall(r"│ (LMH|NRC) *│ (\d+) *│ = │ (\d+) *│ \+ │ (\d+) *│ \+ │ (\d+) *│ \+ │ (\d+)", done.stdout)
    books = {site: [int(number) for number in numbers] for site, *numbers in sums}
    assert "scorebridge demo --serve" in done.stdout
    assert books.keys() == {"LMH", "NRC"}
    assert all(printed == sum(rest) > 0 for printed, *rest in books.values())
