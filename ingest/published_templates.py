"""The templates in use, and whether the records they read may go out."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.template_folder import TemplateFile, load_template, load_templates
from parsers.instrument_library import load_instruments
from parsers.template import Template
from records.errors import TemplateError
from store import templates as template_states
from store.database import Database
from store.templates import TemplateState

# What keeps the records of a template with a person, by the template's state.
_REASONS = {
    TemplateState.HELD: ("template-held",),
    TemplateState.SHADOW: ("template-shadow",),
    TemplateState.DRAFT: ("template-shadow",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatesInUse:
    """The templates of this moment."""

    templates: tuple[Template, ...]
    states: Mapping[str, TemplateState]

    def reasons(self, name: str) -> tuple[str, ...]:
        """Codes that keep records read with "id@revision" from going out; empty for a live template."""
        return _REASONS.get(self.states.get(name, TemplateState.DRAFT), ())


class PublishedTemplates:
    """The folder of published revisions, and their states in the store. Reads the folder again when it changed."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._lock = threading.Lock()
        self._mark: tuple[tuple[str, int, int], ...] | None = None
        self._files: tuple[TemplateFile, ...] = ()

    def current(self) -> TemplatesInUse:
        """The highest revision of every template with its state.

        A file that is not the one that was published is held: a published revision never changes. A folder that
        became wrong keeps the templates last read; `doctor` says what is wrong with it.
        """
        files = self._read()
        with self._database.reading() as session:
            states = template_states.states(session)
            hashes = template_states.hashes(session)
        by_name: dict[str, TemplateState] = {}
        for file in files:
            key = (file.template.id, file.template.revision)
            state = states.get(key, TemplateState.DRAFT)
            altered = key in hashes and hashes[key] != file.sha256
            by_name[file.template.name] = TemplateState.HELD if altered else state
        return TemplatesInUse(templates=tuple(file.template for file in files), states=by_name)

    def critical_items(self, instrument: str | None) -> Sequence[str]:
        """Item ids of an instrument whose answers a person must see at once."""
        known = load_instruments().get(instrument or "")
        return tuple(rule.link_id for rule in known.critical) if known else ()

    def _read(self) -> tuple[TemplateFile, ...]:
        with self._lock:
            mark = tuple(
                (str(path), seen.st_mtime_ns, seen.st_size)
                for path in sorted(self._folder.rglob("*.yaml"))
                if (seen := path.stat())
            )
            if mark != self._mark:
                try:
                    self._files = load_templates([self._folder]) if self._folder.exists() else ()
                except TemplateError:
                    if self._mark is None:
                        raise
                self._mark = mark
            return self._files


def publish(
    database: Database, folder: Path, path: Path, *, state: TemplateState, actor: str, now: datetime
) -> TemplateFile:
    """Make a template file an immutable revision in the folder of published templates.

    Raises:
        TemplateError: The file is wrong, or this revision was published with other contents.
    """
    file = load_template(path)
    template = file.template
    target = folder / template.id / f"{template.revision}.yaml"
    key = (template.id, template.revision)
    with database.reading() as session:
        published = template_states.hashes(session).get(key)
    if published is not None and published != file.sha256:
        raise TemplateError(
            f"{path}: revision {template.revision} of {template.id} was published with other contents.",
            next_step=f"Set revision: {template.revision + 1} and publish again.",
        )
    if path.resolve() != target.resolve():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        shutil.copyfile(path, partial)
        partial.replace(target)
    with database.session() as session:
        if published is None:
            template_states.register(
                session, template.id, template.revision, sha256=file.sha256, state=state, actor=actor, now=now
            )
        else:
            template_states.set_state(session, template.id, template.revision, state, actor=actor, now=now)
    return file
