"""Files that are damaged, hostile or not what they are called: each ends with its reason, and the next one is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ingest.settings import ReadingSettings
from ingest.template_folder import load_templates
from ingest.workers import FileToRead, ReaderPool
from parsers.template import Kind
from records.errors import DocumentError

_FIXTURES = Path(__file__).parents[2] / "fixtures"
_BROKEN = _FIXTURES / "broken"
_GOOD = _FIXTURES / "forms" / "nrc_outcome_register" / "cases"
_TIMEOUT_SECONDS = 20.0
_TEMPLATES = tuple(found.template for found in load_templates([_FIXTURES / "forms"]))
_FILE = FileToRead(kind=Kind.PDF, templates=_TEMPLATES, site="NRC", today=date(2026, 11, 23))

# What each file is about, and every reason that tells a person so.
_REASONS = {
    "zero-byte.pdf": {"empty-file"},
    "html-named.pdf": {"not-a-pdf"},
    "truncated.pdf": {"incomplete"},
    "tail-missing.pdf": {"incomplete"},
    "encrypted.pdf": {"encrypted"},
    "page-tree-loop.pdf": {"damaged", "no-text"},
    "bomb-glyphs.pdf": {"too-complex"},
    "bomb-flate.pdf": {"no-text", "too-complex", "reader-timeout", "reader-memory", "reader-died"},
    "hang.pdf": {"too-complex"},
    "bad-xref.pdf": {"damaged"},
    "pages-missing.pdf": {"pages-missing"},
    "scan.pdf": {"no-text"},
    "invisible-text.pdf": {"invisible-text", "no-template"},
    "cid.pdf": {"text-quality", "no-text", "no-template"},
    "private-use.pdf": {"text-quality", "no-text", "no-template"},
}


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(ReadingSettings(workers=1, timeout_seconds=_TIMEOUT_SECONDS, memory_mb=1200))
    yield pool
    pool.close()


def _a_good_file() -> bytes:
    return sorted(_GOOD.glob("*/report.pdf"))[0].read_bytes()


def test_every_broken_file_has_its_expectation() -> None:
    assert {path.name for path in _BROKEN.glob("*.pdf")} == set(_REASONS)


@pytest.mark.parametrize("name", sorted(_REASONS))
def test_a_broken_file_ends_with_its_reason_within_its_limits_and_the_next_is_read(name: str, pool: ReaderPool) -> None:
    content = (_BROKEN / name).read_bytes()
    began = time.monotonic()
    reasons: set[str | None]
    try:
        reading = pool.read(content, _FILE)
    except DocumentError as error:
        reasons = {error.code}
    else:
        assert not [record for record in reading.assessments if not record.findings and not reading.findings]
        reasons = {finding.code for finding in reading.findings if finding.blocking}
    # The limit, and what starting another process may take on a busy machine.
    assert time.monotonic() - began < _TIMEOUT_SECONDS + 40
    assert reasons & _REASONS[name]
    assert pool.read(_a_good_file(), _FILE).assessments
