"""How right the readers are on public tables, alone and where they agree; and whether the fast feed is pdfplumber's.

    python -m bench.accuracy [--pdfs FOLDER] [--json]

Part one, ICDAR 2013 (FOLDER/icdar2013, 158 tables with published cell structure). Cells are compared by page as
multisets of texts, without case, spaces and kinds of dashes; precision, recall and F1 are over all cells. (The
competition itself scored pairs of neighbouring cells; whole cells are stricter and tell more about values.) A row is
its filled cells from left to right, three at least; it is right if the truth has exactly that row on that page.
Coverage is the share of the truth's rows that are agreed and right.

The agreement rule is the one reading uses: camelot's cells between printed lines (reader B) hold the same as the words
of reader A on one line, parted by gaps, and pdfium sees the digits (reader C). Two engines that look for printed lines
fail together, and so do two that look for aligned gaps; a border that is both printed and an empty gap is one.

Part two, the first pages of every public PDF: words and straight lines of the fast feed against pdfplumber's own, and
tables that pdfplumber's table finder makes of both. Words are identical if texts, their order and their boxes are,
boxes to one point: playa and pdfminer take the depth of some standard fonts from different places, up to half a point
apart. Pages that are not fed but interpreted by pdfminer are counted apart; they cannot differ.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import logging
import warnings
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pdfplumber
from camelot.parsers.lattice import Lattice
from camelot.parsers.network import Network
from camelot.utils import get_image_char_and_text_objects
from playa.miner import LAParams

from bench.reading import REAL_PDFS
from parsers.lines import folded, lines_of
from parsers.readers import fast_plumber, pdfium, plumber, text_layer
from parsers.readers.limits import ReadingLimits
from parsers.readers.text_layer import Marks
from records.document import Page, Rule, Word
from records.errors import DocumentError

Row = tuple[str, ...]
_LEAST_CELLS = 3
_PAGES = 6  # of each document
_A, _B, _NETWORK = "reader A, runs of words", "camelot vector", "camelot network"
_LAYOUT = LAParams(char_margin=1.0, boxes_flow=None, detect_vertical=True, all_texts=True)


@dataclass(slots=True)
class PageTables:
    """The tables of one page: the truth's and each engine's, as rows of filled cells."""

    truth: list[Row]
    characters: str
    engines: dict[str, list[Row]] = field(default_factory=dict)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pdfs", type=Path, default=REAL_PDFS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    figures: dict[str, float] = {}
    if (given.pdfs / "icdar2013").is_dir():
        figures |= _icdar(list(icdar_pages(given.pdfs / "icdar2013")))
        figures |= _feed(given.pdfs)
    else:
        print(f"skipped: no PDFs in {given.pdfs}")
    goals = {"agreed_right": 0.998, "agreed_coverage": 0.26, "identical_words": 0.99, "numeric_differences": 0}
    if given.json:
        print(json.dumps({"bench": "accuracy", "figures": figures, "goals": goals}))
    return 0


def icdar_pages(folder: Path) -> Iterator[PageTables]:
    """Every page of the set."""
    for path in sorted(folder.glob("*.pdf")):
        truth = _truth(path.with_name(f"{path.stem}-str.xml"))
        content = path.read_bytes()
        decoded = pdfium.read(content, ReadingLimits())
        with text_layer.opened(content) as layer:
            first = fast_plumber.read(content, layer, decoded)
        with text_layer.opened(content) as layer, pdfplumber.open(io.BytesIO(content)) as pdf:
            for page, seen in zip(pdf.pages, decoded.pages, strict=True):
                found = PageTables(truth.get(seen.number, []), folded(seen.characters))
                found.engines[_A] = _runs(first.pages[seen.number - 1])
                found.engines["pdfplumber lines"] = _rows(chain.from_iterable(page.extract_tables()))
                page.close()
                found.engines |= _camelot(layer.take(seen.number), seen.number)
                yield found


def _truth(path: Path) -> dict[int, list[Row]]:
    """The rows of each page; a cell over several rows belongs to its first, as the truth has it."""
    rows: dict[int, list[Row]] = {}
    for region in ET.parse(path).getroot().iter("region"):
        cells: dict[int, list[tuple[int, str]]] = {}
        for cell in region.iter("cell"):
            text = cell.findtext("content") or ""
            cells.setdefault(int(cell.attrib["start-row"]), []).append((int(cell.attrib["start-col"]), text))
        page = int(region.attrib["page"])
        rows.setdefault(page, []).extend(_rows([text for _, text in sorted(cells[row])] for row in sorted(cells)))
    return rows


def _camelot(marks: Marks, number: int) -> dict[str, list[Row]]:
    layout = marks.layout
    layout.analyze(_LAYOUT)
    images, _, across, upright = get_image_char_and_text_objects(layout)
    found: dict[str, list[Row]] = {}
    for name, parser in ((_B, Lattice(engine="vector")), (_NETWORK, Network())):
        parser.prepare_page_parse(
            "", layout, layout.bbox[2:], number, images, list(across), list(upright), "", layout_kwargs={}
        )
        found[name] = _rows(row for table in parser.extract_tables() for row in table.data)
    return found


def _rows(tables: Iterator[Sequence[str | None]]) -> list[Row]:
    rows = (tuple(text for text in (folded(cell or "") for cell in row) if text) for row in tables)
    return [row for row in rows if row]


def _runs(page: Page) -> list[Row]:
    """Words on one line, parted by gaps: where no printed line is asked."""
    return _rows(["".join(word.text for word in run) for run in line.runs()] for line in lines_of(page.words))


def _icdar(pages: list[PageTables]) -> dict[str, float]:
    figures: dict[str, float] = {}
    print(f"ICDAR 2013, {len(pages)} pages, {sum(_long(page.truth).total() for page in pages)} rows of the truth")
    print(f"{'cells of':44}{'precision':>10}{'recall':>10}{'F1':>10}")
    for name in ("pdfplumber lines", _B, _NETWORK):
        precision, recall = _cells(pages, name)
        f1 = 2 * precision * recall / (precision + recall)
        print(f"{name:44}{precision:10.3f}{recall:10.3f}{f1:10.3f}")
        figures[f"{name.replace(' ', '_')}_f1"] = round(f1, 4)
    print(f"{'rows of':44}{'rows':>10}{'right':>10}{'coverage':>10}")
    for names in (("pdfplumber lines",), (_B,), (_NETWORK,), ("pdfplumber lines", _B), (_B, _NETWORK), (_A, _NETWORK)):
        _print_rows(" + ".join(names), [(page, _agreed(page, names)) for page in pages])
    agreed = [(page, _confirmed(page)) for page in pages]
    right, coverage = _print_rows("reader A + camelot vector, digits by pdfium", agreed)
    for number, (page, rows) in enumerate(agreed):
        for row in (rows - _long(page.truth)).elements():
            print(f"  agreed and not in the truth, page {number + 1} of the set: {row}")
    return figures | {"agreed_right": round(right, 4), "agreed_coverage": round(coverage, 4)}


def _cells(pages: list[PageTables], name: str) -> tuple[float, float]:
    shared = found = wanted = 0
    for page in pages:
        ours, truth = (Counter(chain.from_iterable(rows)) for rows in (page.engines[name], page.truth))
        shared, found, wanted = shared + (ours & truth).total(), found + ours.total(), wanted + truth.total()
    return shared / found, shared / wanted


def _agreed(page: PageTables, names: Sequence[str]) -> Counter[Row]:
    first, *others = [_long(page.engines[name]) for name in names]
    for other in others:
        first &= other
    return first


def _confirmed(page: PageTables) -> Counter[Row]:
    seen = Counter(filter(str.isdigit, page.characters))
    rows = _agreed(page, (_A, _B))
    return Counter({row: n for row, n in rows.items() if Counter(filter(str.isdigit, "".join(row))) <= seen})


def _long(rows: list[Row]) -> Counter[Row]:
    return Counter(row for row in rows if len(row) >= _LEAST_CELLS)


def _print_rows(name: str, found: list[tuple[PageTables, Counter[Row]]]) -> tuple[float, float]:
    rows = sum(agreed.total() for _, agreed in found)
    right = sum((agreed & _long(page.truth)).total() for page, agreed in found)
    wanted = sum(_long(page.truth).total() for page, _ in found)
    print(f"{name:44}{rows:10}{right / max(1, rows):10.4f}{right / wanted:10.4f}")
    return right / max(1, rows), right / wanted


def _feed(folder: Path) -> dict[str, float]:
    counts: Counter[str] = Counter()
    known: set[bytes] = set()
    for path in sorted(folder.rglob("*.pdf")):
        content = path.read_bytes()
        digest = hashlib.sha256(content).digest()
        if digest not in known:
            known.add(digest)
            counts.update(_differences(path.name, content))
    fed = counts["fed"]
    print(
        f"\nfast feed: {counts['pages']} pages read, {fed} fed by playa, {counts['pages'] - fed} by pdfminer;", end=" "
    )
    print(f"{counts['refused']} documents refused")
    for what in ("identical words", "identical lines", "identical tables", "identical marks"):
        print(f"{what:44}{counts[what]:10} of {fed}{counts[what] / fed:10.4f}")
    print(f"{'pages on which a number differs':44}{counts['numeric']:10}")
    return {
        "fed_share": round(fed / counts["pages"], 4),
        "identical_words": round(counts["identical words"] / fed, 4),
        "identical_tables": round(counts["identical tables"] / fed, 4),
        "identical_marks": round(counts["identical marks"] / fed, 4),
        "numeric_differences": counts["numeric"],
    }


def _differences(name: str, content: bytes) -> Iterator[str]:
    try:
        decoded = pdfium.read(content, ReadingLimits())
        with text_layer.opened(content) as layer, pdfplumber.open(io.BytesIO(content)) as pdf:
            for page, seen in zip(pdf.pages[:_PAGES], decoded.pages, strict=False):
                yield from _page_differences(f"{name} page {seen.number}", layer.take(seen.number), seen, page)
    except DocumentError:
        yield "refused"


def _page_differences(name: str, marks: Marks, seen: Page, page: pdfplumber.page.Page) -> Iterator[str]:
    yield "pages"
    if not (fast_plumber.is_placed(marks, page) and fast_plumber.is_confirmed(marks, seen)):
        page.close()
        return
    yield "fed"
    ours = fast_plumber.fed_page(marks, seen.number)
    theirs = plumber.drawn_page(
        seen.number,
        plumber.words_of(page.chars),
        page.edges,
        (*page.curves, *page.lines, *page.rects),
        crop=page.cropbox,
    )
    tables = page.extract_tables()
    page.close()
    page._objects = plumber.described([*marks.curves, *marks.glyphs], marks.frame)  # what the table finder looks at
    same_words = _same(ours.words, theirs.words)
    same_tables = page.extract_tables() == tables
    page.close()
    same_lines = _same(ours.rules, theirs.rules)
    yield from (["identical words"] if same_words else []) + (["identical lines"] if same_lines else [])
    same_marks = [(m.kind, m.region.box) for m in ours.marks] == [(m.kind, m.region.box) for m in theirs.marks]
    yield from (["identical tables"] if same_tables else []) + (["identical marks"] if same_marks else [])
    if list(_numbers(ours)) != list(_numbers(theirs)):
        yield "numeric"
    if not (same_words and same_lines and same_tables and same_marks):
        print(f"  {name}: words {same_words}, lines {same_lines}, tables {same_tables}, marks {same_marks}")


def _same(ours: Sequence[Word | Rule], theirs: Sequence[Word | Rule]) -> bool:
    if [getattr(found, "text", "") for found in ours] != [getattr(found, "text", "") for found in theirs]:
        return False
    edges = [(found.region.box, other.region.box) for found, other in zip(ours, theirs, strict=True)]
    return all(abs(a - b) <= 1 for one, other in edges for a, b in zip(one, other, strict=True))


def _numbers(page: Page) -> Iterator[str]:
    return (word.text for word in page.words if any(map(str.isdigit, word.text)))


if __name__ == "__main__":
    raise SystemExit(main())
