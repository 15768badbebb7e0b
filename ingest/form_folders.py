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


def check_before_publishing(path: Path, template: Template, others: Sequence[Template], pool: ReaderPool) -> int:
    """Try a template on its own golden cases and on those of the forms beside it.

    Args:
        path: The template's file; its cases are in the folder `cases` beside it.
        template: What the file holds.
        others: Templates in use.
        pool: Reads the reports.

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
    for case in _foreign_cases(path, template):
        if _fits(case, template, pool):
            raise TemplateError(
                f"{template.name} also fits {case.report}, a report of another form.",
                next_step="Give it an anchor that only its own layout prints.",
            )
    return len(own)


def _foreign_cases(path: Path, template: Template) -> list[GoldenCase]:
    here = path.resolve().parent
    cases: list[GoldenCase] = []
    for form in sorted(p.parent for p in here.parent.glob(f"*/{FORM_FILE}") if p.parent != here):
        try:
            same = load_template(form / FORM_FILE).template.id == template.id
        except TemplateError:
            same = False
        cases += [] if same else golden_cases(form)
    return cases


def _fits(case: GoldenCase, template: Template, pool: ReaderPool) -> bool:
    try:
        return pool.call(fits, case.report.read_bytes(), case.kind, template)
    except DocumentError:
        return False
