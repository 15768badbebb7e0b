"""The program talks to portals the same way on httpx2, so that a change to it is one import line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TALKING = ("test_portal_client.py", "test_certificates.py")


def test_the_tests_of_talking_to_portals_pass_on_httpx2() -> None:
    if find_spec("httpx2") is None:
        (pytest.fail if os.environ.get("SCOREBRIDGE_NO_SKIP") else pytest.skip)("httpx2 is not installed")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.portals.httpx2_in_place",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, *(f"tests/unit/portal/{name}" for name in TALKING)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_one_module_imports_the_library() -> None:
    packages = ("records", "parsers", "matching", "store", "portal", "review", "ingest")
    importing = re.compile(r"^\s*(import|from) httpx", re.MULTILINE)
    modules = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    found = [path.relative_to(ROOT).as_posix() for path in modules if importing.search(path.read_text("utf-8"))]
    assert found == ["portal/http.py"]
    assert len(importing.findall((ROOT / "portal" / "http.py").read_text("utf-8"))) == 1
