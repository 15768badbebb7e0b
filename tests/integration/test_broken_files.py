"""Files that are damaged, hostile or not what they are called: each ends with its reason, and the next one is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from fixtures.press.broken import with_active_content
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
    "bomb-nested.pdf": {"no-text", "too-complex", "reader-memory", "reader-died"},
    "bomb-forms.pdf": {"too-complex", "reader-timeout", "reader-memory", "reader-died"},
    "bomb-picture.pdf": {"too-complex"},
    "deep-page-tree.pdf": {"damaged"},
    "form-loop.pdf": {"no-template"},
    "huge-page.pdf": {"page-too-large"},
    "thousands-of-pages.pdf": {"too-many-pages"},
    "xref-loop.pdf": {"damaged"},
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


# Files made to take time or memory, and what is allowed to decide one of them.
_HOSTILE = (
    "bomb-flate.pdf", "bomb-forms.pdf", "bomb-glyphs.pdf", "bomb-nested.pdf", "bomb-picture.pdf", "deep-page-tree.pdf",
    "form-loop.pdf", "hang.pdf", "huge-page.pdf", "page-tree-loop.pdf", "thousands-of-pages.pdf", "xref-loop.pdf",
)  # fmt: skip
_DECIDED_SECONDS = 5.0
_GIBIBYTE_IN_MB = 1024


@pytest.fixture(scope="module")
def narrow_pool() -> Iterator[ReaderPool]:
    settings = ReadingSettings(workers=1, timeout_seconds=_DECIDED_SECONDS, memory_mb=_GIBIBYTE_IN_MB)
    pool = ReaderPool(settings)
    yield pool
    pool.close()


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_hostile_file_is_decided_within_five_seconds_and_a_gibibyte(name: str, narrow_pool: ReaderPool) -> None:
    # A good file first: the process runs, and its start does not count.
    assert narrow_pool.read(_a_good_file(), _FILE).assessments
    with pytest.raises(DocumentError) as error:
        narrow_pool.read((_BROKEN / name).read_bytes(), _FILE)
    # Decided by what the file is, not by running into the limit of time.
    assert error.value.code in _REASONS[name] - {"reader-timeout"}


def test_nothing_in_a_report_is_run_and_it_is_read_as_without_it(pool: ReaderPool, tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    report = (_FIXTURES / "forms/nrc_item_sheet_gad7/cases/five_sheets/report.pdf").read_bytes()
    active = with_active_content(report, command=str(program))
    assert all(part in active for part in (b"/OpenAction", b"/JavaScript", b"/Launch", b"/EmbeddedFile"))
    assert pool.read(active, _FILE) == pool.read(report, _FILE)
    assert len(pool.read(active, _FILE).assessments) == 5
    assert pool.render(active, 1, 50).startswith(b"\x89PNG")
    assert not mark.exists()


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
