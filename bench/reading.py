"""What verified reading costs beside pdfplumber and camelot reading once: CPU time, pages a second, peak memory.

    python -m bench.reading [--pdfs FOLDER] [--pages N] [--rounds N] [--json]

Every contender reads in a process of its own, after a warm-up that is not counted, in rounds one after the other;
figures are medians of the rounds. CPU time is user and system time of that process, memory its largest resident size.

The dense report (`bench.dense_report`) is read by `parsers.reading.read_report` with its template: readers A, B and C,
extraction, comparison and validation. No template fits the public PDFs in FOLDER, so there the three readers read every
page (B looks for ruled cells on the whole page wherever lines run both ways, and gives its words in any case), and each
word of reader A is compared with the other two as a cell of a record would be. Whole documents are taken from the
sub-folders in turn until 200 pages are together; documents that the program refuses (no text, damaged, protected by a
password, too complex) are left out, duplicates too.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import io
import json
import multiprocessing
import os
import resource
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

import camelot
import pdfplumber

from bench.dense_report import ROWS, SITE, TEMPLATE, TODAY, dense_report
from parsers.agreement import Witnesses
from parsers.areas import TableArea
from parsers.instrument_library import load_instruments
from parsers.readers import camelot_grid, fast_plumber, pdfium, text_layer
from parsers.readers.garbage import seldom_collected
from parsers.readers.limits import ReadingLimits
from parsers.reading import ReadingRequest, read_report
from parsers.template import Kind
from records.document import Page
from records.errors import DocumentError
from records.geometry import Region
from records.report import Cell, ExtractedRow

REAL_PDFS = Path(__file__).parents[1] / ".." / "shared" / "real-pdfs"
_REAL_PAGES = 200
_CAMELOT_PAGES = 4  # its defaults take most of a second for a dense page
_LIMITS = ReadingLimits()


class Spent(NamedTuple):
    """What one contender took for one go."""

    cpu_seconds: float
    pages: int
    peak_mb: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pdfs", type=Path, default=REAL_PDFS)
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    # As `ingest.workers` does, before the contenders' processes load numpy.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    dense = [dense_report(given.pages)]
    figures = _compare(
        "dense", {"verified": (_verified, dense), "pdfplumber": (_tables, dense), "camelot": (_camelot, dense)}, given
    )
    real = real_documents(given.pdfs)
    if real:
        figures |= _compare("real", {"verified": (_readers, real), "pdfplumber": (_tables, real)}, given)
    else:
        print(f"real pages: skipped, no PDFs in {given.pdfs}")
    goals = {"dense_speed_to_pdfplumber": 2.0, "real_speed_to_pdfplumber": 1.0, "peak_mb": 300}
    if given.json:
        print(json.dumps({"bench": "reading", "figures": figures, "goals": goals}))
    return 0


Work = Callable[[Sequence[bytes]], int]


def _compare(name: str, contenders: dict[str, tuple[Work, list[bytes]]], given: argparse.Namespace) -> dict[str, float]:
    spent: dict[str, list[Spent]] = {contender: [] for contender in contenders}
    for _ in range(given.rounds):
        for contender, (work, documents) in contenders.items():
            spent[contender].append(_alone(work, documents))
    figures: dict[str, float] = {}
    print(f"\n{name + ', CPU time':28}{'pages':>8}{'ms/page':>10}{'pages/s':>10}{'peak MB':>10}{'to pdfplumber':>15}")
    middle = {c: statistics.median([s.cpu_seconds / s.pages for s in goes]) for c, goes in spent.items()}
    for contender, goes in spent.items():
        seconds, peak = middle[contender], max(s.peak_mb for s in goes)
        speed = middle["pdfplumber"] / seconds
        print(f"{contender:28}{goes[0].pages:8}{1000 * seconds:10.1f}{1 / seconds:10.1f}{peak:10.0f}{speed:14.2f}x")
        key = f"{name}_{contender}"
        figures |= {f"{key}_ms_per_page": round(1000 * seconds, 2), f"{key}_peak_mb": round(peak)}
        figures |= {f"{key}_pages_per_second": round(1 / seconds, 1), f"{key}_pages": goes[0].pages}
    figures[f"{name}_speed_to_pdfplumber"] = round(middle["pdfplumber"] / middle["verified"], 3)
    if name == "dense":
        figures["peak_mb"] = figures["dense_verified_peak_mb"]
    return figures


def _alone(work: Work, documents: list[bytes]) -> Spent:
    context = multiprocessing.get_context("spawn")
    answer, question = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(question, work, documents))
    process.start()
    question.close()
    try:
        return Spent(*answer.recv())
    except EOFError:
        raise SystemExit("a contender died") from None
    finally:
        process.join()


def _measured(question: multiprocessing.connection.Connection, work: Work, documents: list[bytes]) -> None:
    work([dense_report(1)])
    gc.freeze()  # what the bench itself has loaded is nobody's burden
    before = time.process_time()
    pages = work(documents)
    spent = time.process_time() - before
    question.send((spent, pages, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _verified(documents: Sequence[bytes]) -> int:
    request = ReadingRequest(
        kind=Kind.PDF, templates=(TEMPLATE,), instruments=load_instruments(), site=SITE, today=TODAY
    )
    pages = 0
    for content in documents:
        reading = read_report(content, request)
        clean = [a for a in reading.assessments if not a.findings]
        if len(clean) != ROWS * reading.pages or reading.findings:
            raise SystemExit(f"{len(clean)} of {ROWS * reading.pages} records were read without a finding")
        pages += reading.pages
    return pages


def _readers(documents: Sequence[bytes]) -> int:
    pages = 0
    for content in documents:
        with seldom_collected():
            pages += len(words_in_doubt(content))
    return pages


def words_in_doubt(content: bytes) -> list[int]:
    """On how many words of each page the three readers differ."""
    third = pdfium.read(content, _LIMITS)
    with text_layer.opened(content) as layer:
        first = fast_plumber.read(content, layer, third)
        areas = [area for page in first.pages for area in _whole_page(page)]
        second = camelot_grid.read(layer, areas=areas, pages=len(first.pages), all_words=True)
    witnesses = Witnesses(second, third)
    return [len(witnesses.findings(row)) for row in map(_as_record, first.pages)]


def _whole_page(page: Page) -> Iterator[TableArea]:
    flat = [rule for rule in page.rules if rule.is_horizontal]
    if len(flat) > 1 and len(page.rules) - len(flat) > 1:
        yield TableArea(region=Region(page.number, 0, 0, page.width, page.height), separators=(), ruled=True)


def _as_record(page: Page) -> ExtractedRow:
    cells = tuple(
        (f"word {n}", Cell(text=word.text, region=word.region, area=None)) for n, word in enumerate(page.words)
    )
    return ExtractedRow(page=page.number, region=None, cells=cells)


def _tables(documents: Sequence[bytes]) -> int:
    pages = 0
    for content in documents:
        with pdfplumber.open(io.BytesIO(content)) as pdf:
            for page in pdf.pages:
                page.extract_tables()
                pages += 1
    return pages


def _camelot(documents: Sequence[bytes]) -> int:
    for content in documents:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            few = min(_CAMELOT_PAGES, len(pdfplumber.open(io.BytesIO(content)).pages))
            camelot.read_pdf(io.BytesIO(content), pages=f"1-{few}")
    return few * len(documents)


def real_documents(folder: Path, *, pages: int = _REAL_PAGES) -> list[bytes]:
    """Whole documents with that many pages together, out of each sub-folder in turn; none if there is no folder."""
    folders = sorted(found for found in folder.glob("*") if found.is_dir())
    turns = zip_longest(*[sorted(found.rglob("*.pdf")) for found in folders])
    documents: list[bytes] = []
    known: set[bytes] = set()
    missing = pages
    for path in chain.from_iterable(turns):
        if path is None or missing <= 0:
            continue
        content = path.read_bytes()
        digest = hashlib.sha256(content).digest()
        count = _page_count(content) if digest not in known else 0
        known.add(digest)
        if 0 < count <= missing:
            documents.append(content)
            missing -= count
    return documents


def _page_count(content: bytes) -> int:
    try:
        return pdfium.preflight(content, _LIMITS)
    except DocumentError:
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
