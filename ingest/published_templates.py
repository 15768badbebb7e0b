"""The templates in use, and whether the records they read may go out."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ingest.template_folder import TemplateFile, load_template, load_templates
from parsers.instrument_library import load_instruments
from parsers.template import Template
from parsers.template_file import parse_template
from records.errors import TemplateError
from store import notices
from store import templates as template_states
from store.database import Database, Session
from store.signatures import DRIFTED
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
        TemplateError: The file is wrong, this revision was published with other contents, or it would never be
            used because a higher one is published.
    """
    file = load_template(path)
    template = file.template
    with database.reading() as session:
        hashes = template_states.hashes(session)
    published = hashes.get((template.id, template.revision))
    highest = max((revision for name, revision in hashes if name == template.id), default=0)
    if published is not None and published != file.sha256:
        raise TemplateError(
            f"{path}: revision {template.revision} of {template.id} was published with other contents.",
            next_step=f"Set revision: {highest + 1} and publish again.",
        )
    if published is None and template.revision < highest:
        raise TemplateError(
            f"{path}: revision {highest} of {template.id} is published, so {template.revision} would not be used.",
            next_step=f"Set revision: {highest + 1} and publish again.",
        )
    target = _place(folder, template.id, template.revision)
    if path.resolve() != target.resolve():
        _write(target, path.read_bytes())
    with database.session() as session:
        if published is None:
            template_states.register(
                session, template.id, template.revision, sha256=file.sha256, state=state, actor=actor, now=now
            )
        else:
            template_states.set_state(session, template.id, template.revision, state, actor=actor, now=now)
        _end_notices(session, template.id, now=now)
    return file


def roll_back(
    database: Database, folder: Path, template_id: str, *, to: int, state: TemplateState, actor: str, now: datetime
) -> TemplateFile:
    """Publish the contents of an earlier revision as the next one: revisions only rise, so that each means one thing.

    Raises:
        TemplateError: There is no such revision, it is the highest one, or its file is not the one that was published.
    """
    with database.reading() as session:
        hashes = template_states.hashes(session)
    highest = max((revision for name, revision in hashes if name == template_id), default=0)
    if (template_id, to) not in hashes or to == highest:
        raise TemplateError(
            f"There is no earlier revision {to} of {template_id} to go back to.",
            next_step="Run: scorebridge template list",
        )
    old = load_template(_place(folder, template_id, to))
    if old.sha256 != hashes[template_id, to]:
        raise TemplateError(
            f"{old.path} is not the file that was published as revision {to}.",
            next_step="Restore the file from the backup.",
        )
    target = _place(folder, template_id, highest + 1)
    text = old.path.read_text("utf-8")
    written, changed = _REVISION.subn(rf"\g<1>{highest + 1}", text, count=1)
    again = parse_template(written, source=str(target))
    if changed != 1 or replace(again, revision=to) != old.template:
        raise TemplateError(
            f"{old.path}: the line with its revision was not found.",
            next_step=f"Copy it, set revision: {highest + 1} and publish that.",
        )
    _write(target, written.encode())
    file = load_template(target)
    with database.session() as session:
        template_states.register(
            session, template_id, highest + 1, sha256=file.sha256, state=state, actor=actor, now=now
        )
        template_states.rolled_back(
            session, template_id, highest, to=to, published_as=highest + 1, actor=actor, now=now
        )
        _end_notices(session, template_id, now=now)
    return file


_REVISION = re.compile(r"^(revision[ \t]*:[ \t]*)\d+", re.MULTILINE)


def _place(folder: Path, template_id: str, revision: int) -> Path:
    return folder / template_id / f"{revision}.yaml"


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(target)


def _end_notices(session: Session, template_id: str, *, now: datetime) -> None:
    """What was told about a template's revisions is over when another one is in use."""
    for name, revision in template_states.states(session):
        if name == template_id:
            notices.resolve(session, DRIFTED, f"{name}@{revision}", now=now)
