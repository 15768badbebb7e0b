"""Templates on disk: YAML files, the highest revision of each id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parsers.template import Template
from parsers.template_file import parse_template
from records.errors import TemplateError


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """A template and where it is written.

    Attributes:
        sha256: Of the file's bytes: a published revision never changes.
    """

    template: Template
    path: Path
    sha256: str


def load_templates(folders: Sequence[Path]) -> tuple[TemplateFile, ...]:
    """The highest revision of every template under the folders, by id.

    Raises:
        TemplateError: A folder is missing, a file is wrong, or two files hold one revision; all faults at once.
    """
    faults: list[str] = []
    found: dict[tuple[str, int], TemplateFile] = {}
    for folder in folders:
        if not folder.exists():
            faults.append(f"{folder}: there is no such folder.")
            continue
        files = [folder] if folder.is_file() else sorted(folder.rglob("*.yaml"))
        for path in files:
            try:
                file = load_template(path)
            except TemplateError as error:
                faults.append(error.message)
                continue
            key = (file.template.id, file.template.revision)
            if key in found and found[key].sha256 != file.sha256:
                faults.append(f"{path}: holds {file.template.name}, and so does {found[key].path}.")
            found[key] = file
    if faults:
        raise TemplateError("\n".join(faults), next_step="Mend these files and try again.")
    newest: dict[str, TemplateFile] = {}
    for (name, revision), file in sorted(found.items()):
        if name not in newest or newest[name].template.revision < revision:
            newest[name] = file
    return tuple(newest.values())


def load_template(path: Path) -> TemplateFile:
    """The template in one file.

    Raises:
        TemplateError: The file cannot be read or holds faults.
    """
    try:
        written = path.read_bytes()
        text = written.decode("utf-8")
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}.", next_step="Check the path.") from None
    except UnicodeDecodeError:
        raise TemplateError(f"{path}: is not UTF-8.", next_step="Save it as UTF-8.") from None
    return TemplateFile(
        template=parse_template(text, source=str(path)), path=path, sha256=hashlib.sha256(written).hexdigest()
    )
