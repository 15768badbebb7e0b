"""Forms on disk: folders with a `template.yaml` and golden cases, and the check before a template is published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ingest.golden import GoldenCase, differences, fits, golden_cases
from ingest.template_folder import load_template
from ingest.workers import ReaderPool
from parsers.template import Template
from records.errors import DocumentError, TemplateError

FORM_FILE = "template.yaml"


def form_folders(given: Sequence[Path]) -> tuple[Path, ...]:
    """The forms among the folders: each is a form, or holds forms.

    Raises:
        TemplateError: One of them is neither.
    """
    found: list[Path] = []
    for folder in given:
        here = [folder] if (folder / FORM_FILE).is_file() else sorted(p.parent for p in folder.glob(f"*/{FORM_FILE}"))
        if not here:
            raise TemplateError(
                f"{folder}: holds no {FORM_FILE}, nor does a folder in it.",
                next_step=f"Name a folder with a {FORM_FILE} and a cases folder beside it.",
            )
        found += here
    return tuple(dict.fromkeys(found))


def neighbours(form: Path) -> tuple[Template, ...]:
    """The templates of the forms beside this one; those with faults are left out, they are tested on their own."""
    found: list[Template] = []
    for path in sorted(form.resolve().parent.glob(f"*/{FORM_FILE}")):
        if path.parent != form.resolve():
            try:
                found.append(load_template(path).template)
            except TemplateError:
                continue
    return tuple(found)


def check_before_publishing(
    path: Path, template: Template, others: Sequence[Template], pool: ReaderPool, *, also: Sequence[Path] = ()
) -> int:
    """Try a template on its own golden cases and on those of the forms beside it.

    Args:
        path: The template's file; its cases are in the folder `cases` beside it.
        template: What the file holds.
        others: Templates in use.
        pool: Reads the reports.
        also: Folders of further forms.

    Returns:
        How many cases of its own the template has passed.

    Raises:
        TemplateError: A case of its own reads differently, or it fits a report of another form.
    """
    rivals = [other for other in others if other.id != template.id]
    own = golden_cases(path.parent)
    for case in own:
        found = differences(case, [*rivals, template], pool.read)
        if found:
            raise TemplateError(
                "\n".join(found), next_step=f"Mend {path} until “scorebridge template test {path.parent}” passes."
            )
    fits_too = [
        f"{template.name} also fits the case “{case.name}” of {owner} ({case.report})."
        for owner, case in _foreign_cases(path, template, also)
        if _fits(case, template, pool)
    ]
    if fits_too:
        raise TemplateError("\n".join(fits_too), next_step="Give it an anchor that only its own layout prints.")
    return len(own)


def _foreign_cases(path: Path, template: Template, also: Sequence[Path]) -> list[tuple[str, GoldenCase]]:
    """The golden cases of other forms, each with its template's name, or its folder's where that holds no template."""
    here = path.resolve().parent
    beside = (p.parent for p in here.parent.glob(f"*/{FORM_FILE}"))
    cases: list[tuple[str, GoldenCase]] = []
    for form in sorted({*beside, *(folder.resolve() for folder in also)} - {here}):
        try:
            owner = load_template(form / FORM_FILE).template
        except TemplateError:
            cases += [(form.name, case) for case in golden_cases(form)]
        else:
            cases += [(owner.name, case) for case in golden_cases(form) if owner.id != template.id]
    return cases


def _fits(case: GoldenCase, template: Template, pool: ReaderPool) -> bool:
    try:
        return pool.call(fits, case.report.read_bytes(), case.kind, template)
    except DocumentError:
        return False
