"""Which template a document was printed with. None and two are errors; never does the first one win."""

from __future__ import annotations

from collections.abc import Sequence

from parsers.lines import find_wrapped, folded, lines_of
from parsers.template import Kind, Template
from records.document import Document, TableFile, Word
from records.errors import AmbiguousTemplateError, NoTemplateFitsError


def fitting_template(document: Document | TableFile, templates: Sequence[Template]) -> Template:
    """The one template whose anchors are all printed.

    Raises:
        NoTemplateFitsError: None fits; the message names the nearest and what it misses.
        AmbiguousTemplateError: More than one fits.
    """
    kind = Kind.CSV if isinstance(document, TableFile) else Kind.PDF
    tried = [(t, missing_anchors(document, t)) for t in templates if t.kind is kind]
    fits = [template for template, lacking in tried if not lacking]
    if len(fits) == 1:
        return fits[0]
    if fits:
        names = ", ".join(sorted(template.name for template in fits))
        raise AmbiguousTemplateError(
            f"Several templates fit this document: {names}.",
            code="ambiguous-template",
            next_step="Give one of them an anchor that the other layout does not print.",
        )
    nearest, missing = min(
        tried, key=lambda pair: (len(pair[1]) / len(pair[0].anchors), pair[0].name), default=(None, ())
    )
    if nearest is None or len(missing) == len(nearest.anchors):
        raise NoTemplateFitsError(
            "No template recognises this document: none of their anchors is printed.",
            code="no-template",
            next_step="Draft a template from it with “scorebridge template draft”.",
        )
    # Anchors come from the template, so they are no patient data.
    lacking = ", ".join(f"“{anchor}”" for anchor in missing)
    raise NoTemplateFitsError(
        f"No template recognises this document. The nearest, {nearest.name}, misses {lacking}.",
        code="no-template",
        next_step=f"If the layout has changed, make a new revision of {nearest.id}; else draft a new template.",
    )


def missing_anchors(document: Document | TableFile, template: Template) -> tuple[str, ...]:
    """The anchors of the template that the first page (or the table file) does not print."""
    if isinstance(document, TableFile):
        cells = {folded(cell) for row in document.rows for cell in row.cells}
        return tuple(anchor for anchor in template.anchors if folded(anchor) not in cells)
    lines = lines_of(_bare(word) for word in document.pages[0].words) if document.pages else ()
    wanted = {anchor: " ".join(_without_stop(word) for word in anchor.split()) for anchor in template.anchors}
    return tuple(anchor for anchor in template.anchors if not find_wrapped(lines, wanted[anchor]))


def _bare(word: Word) -> Word:
    return Word(_without_stop(word.text), word.region)


def _without_stop(text: str) -> str:
    """A word without the colon of a label or the comma of a sentence: an anchor need not repeat them."""
    return text.rstrip(".,:;") or text
