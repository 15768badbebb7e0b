"""Write docs/features.md from fixtures/features/features.yaml and the prints; `--check` only compares.

Run as `python -m tools.features_table [--check]`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pypdfium2
import yaml

_ROOT: Final = Path(__file__).parent.parent
DOCUMENT: Final = _ROOT / "docs" / "features.md"
FEATURES: Final = _ROOT / "fixtures" / "features"
_FORMS: Final = _ROOT / "fixtures" / "forms"
# How producers name themselves in a file, to how people call them.
_PRODUCERS: Final = {"ReportLab": "ReportLab", "WeasyPrint": "WeasyPrint", "Skia": "Chromium", "fpdf2": "fpdf2"}

_HEAD: Final = """\
<!-- Written by tools/features_table.py; edit fixtures/features/features.yaml. -->

# What the reader covers

Every feature of the [template language](reference-template-language.md) is proved by golden cases of two PDF producers
or more: small prints in `fixtures/features`, where one description says what a page holds and what must be read,
whoever prints it, and the forms in `fixtures/forms`. `tests/golden` reads them and compares every field of every
record, what has no score, and that no word is left over.

| feature | in a template | cases | printed by |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One thing that reports print.

    Attributes:
        said: How a template says it, in Markdown.
        layouts: Folders of `fixtures/features`.
        forms: Folders of `fixtures/forms`.
    """

    name: str
    said: str
    layouts: tuple[str, ...]
    forms: tuple[str, ...]

    @property
    def prints(self) -> tuple[Path, ...]:
        """Every PDF that shows it."""
        own = [path for layout in self.layouts for path in sorted((FEATURES / layout).glob("*.pdf"))]
        return (*own, *(path for form in self.forms for path in sorted((_FORMS / form).glob("cases/*/report.pdf"))))

    @property
    def producers(self) -> tuple[str, ...]:
        """Who printed them, by what the files say themselves."""
        return tuple(sorted({producer_of(path) for path in self.prints}, key=str.casefold))


def features() -> tuple[Feature, ...]:
    """The features in the order of the list."""
    listed = yaml.safe_load((FEATURES / "features.yaml").read_text("utf-8"))
    return tuple(
        Feature(name=one["feature"], said=one["said"], layouts=tuple(one["layouts"]), forms=tuple(one.get("forms", ())))
        for one in listed
    )


@cache
def producer_of(path: Path) -> str:
    """The producer that a PDF names.

    Raises:
        ValueError: It is none of the known ones.
    """
    document = pypdfium2.PdfDocument(path)
    try:
        named = document.get_metadata_value("Producer")
    finally:
        document.close()
    for sign, name in _PRODUCERS.items():
        if sign in named:
            return name
    raise ValueError(f"{path.name} is printed by {named!r}")


def page() -> str:
    """The document."""
    return _HEAD + "".join(_row(feature) for feature in features())


def _row(feature: Feature) -> str:
    cases = ", ".join(f"`{name}`" for name in (*feature.layouts, *feature.forms))
    return f"| {feature.name} | {feature.said} | {cases} | {', '.join(feature.producers)} |\n"


def main() -> int:
    """Exit status 1 when `--check` finds the document out of date."""
    wanted = page()
    if "--check" in sys.argv[1:]:
        current = DOCUMENT.exists() and DOCUMENT.read_text("utf-8") == wanted
        if not current:
            print("docs/features.md is out of date: run python -m tools.features_table", file=sys.stderr)
        return int(not current)
    DOCUMENT.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
