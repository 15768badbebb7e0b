"""The house rules that no linter knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("records", "parsers", "matching", "store", "portal", "review", "ingest")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_imports_go_down_only_and_every_contract_is_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in modules() if path.stem in FORBIDDEN_NAMES] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [path for path in modules() if not path.read_text("utf-8").lstrip().startswith('"""')] == []


def test_a_module_can_be_read_in_a_sitting() -> None:
    long = {path.name: n for path in modules() if (n := len(path.read_text("utf-8").splitlines())) > 450}
    assert long == {}


def test_locks_pin_hashes_and_name_no_registry() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text("utf-8")
        assert "://" not in text
        pinned = re.findall(r"^[a-z0-9][\w.\-\[\]]*==\S+", text, re.MULTILINE)
        assert len(pinned) > 40
        assert text.count("--hash=sha256:") >= len(pinned)


def test_every_declared_package_ships() -> None:
    declared = (ROOT / "pyproject.toml").read_text("utf-8")
    folders = {
        ".".join(p.parent.relative_to(ROOT).parts) for package in PACKAGES for p in (ROOT / package).rglob("*.py")
    }
    missing = [folder for folder in sorted(folders) if f'"{folder}"' not in declared]
    assert missing == []


def test_nothing_carries_a_path_of_one_machine() -> None:
    # Wherever the checkout and the home folder are: nothing tracked may name them.
    places = sorted({f"{ROOT}/", f"{Path.home()}/"})
    marks = re.compile("|".join(re.escape(place) for place in places))
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    texts = [
        ROOT / name for name in tracked if name.endswith((".py", ".md", ".toml", ".yaml", ".html", ".css", "Makefile"))
    ]
    assert [t.relative_to(ROOT) for t in texts if t.is_file() and marks.search(t.read_text("utf-8"))] == []
