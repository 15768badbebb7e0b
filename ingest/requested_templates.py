"""Templates tried, published and rolled back for people who asked on the pages."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from ingest.form_folders import check_before_publishing
from ingest.published_templates import publish, roll_back
from ingest.requested_work import Booking, Outcome
from ingest.template_folder import load_templates
from ingest.workers import ReaderPool
from parsers.template import Template
from parsers.template_file import parse_template
from records.errors import TemplateError
from store import template_drafts
from store import templates as template_states
from store.database import Database, Session
from store.templates import TemplateState
from store.work_requests import WorkRequest

# A case that reads differently begins its diff with its name; the lines below it hold what was read.
_CASE: Final = re.compile(r"^--- (\S+): expected$", re.MULTILINE)


class RequestedTemplates:
    """Tries templates on the golden cases that lie beside them, publishes drafts, and rolls back."""

    def __init__(self, database: Database, folder: Path, pool: ReaderPool) -> None:
        self._database = database
        self._folder = folder
        self._pool = pool

    def check(self, request: WorkRequest, _now: datetime) -> Outcome:
        """Read the golden cases of a draft or of a published revision."""
        text, template = self._asked_for(request)
        del text
        return self._tried(template)

    def publish(self, request: WorkRequest, now: datetime) -> Outcome | Booking:
        """Publish a draft, after its golden cases were read without a difference."""
        text, template = self._asked_for(request)
        tried = self._tried(template)
        if not tried.went_well:
            return tried
        state = TemplateState(request.arguments["state"])
        with tempfile.TemporaryDirectory() as scratch:
            written = Path(scratch) / f"{template.id}.yaml"
            written.write_text(text, encoding="utf-8")
            try:
                publish(self._database, self._folder, written, state=state, actor=request.asked_by, now=now)
            except TemplateError as error:
                raise TemplateError(error.message.replace(f"{written}: ", ""), next_step=error.next_step) from None

        def book(session: Session) -> Outcome:
            template_drafts.drop(session, int(request.arguments["draft"]), actor=request.asked_by, now=now)
            said = f"{template.name} is published and {state.value}. {tried.sentence}"
            return Outcome(sentence=said, found=tried.found)

        return book

    def roll_back(self, request: WorkRequest, now: datetime) -> Outcome:
        """Publish the contents of an earlier revision as the next one."""
        to, highest = int(request.arguments["to"]), int(request.arguments["highest"])
        state = TemplateState(request.arguments["state"])
        with self._database.reading() as session:
            known = [revision for name, revision in template_states.states(session) if name == request.subject]
        if max(known, default=0) != highest:
            said = f"Revision {max(known, default=0)} is published by now. Look at the template again."
            return Outcome(sentence=said, went_well=False)
        file = roll_back(
            self._database, self._folder, request.subject, to=to, state=state, actor=request.asked_by, now=now
        )
        said = f"Revision {to} is published again as {file.template.name} and {state.value}."
        return Outcome(sentence=said)

    def _asked_for(self, request: WorkRequest) -> tuple[str, Template]:
        if "draft" in request.arguments:
            with self._database.reading() as session:
                text = template_drafts.get(session, int(request.arguments["draft"])).text
        else:
            template_id, _, revision = request.subject.partition("@")
            text = (self._folder / template_id / f"{int(revision)}.yaml").read_text("utf-8")
        return text, parse_template(text, source=request.subject)

    def _tried(self, template: Template) -> Outcome:
        place = self._folder / template.id / f"{template.revision}.yaml"
        in_use = [file.template for file in load_templates([self._folder])] if self._folder.exists() else []
        try:
            passed = check_before_publishing(place, template, in_use, self._pool, also=self._others(template))
        except TemplateError as error:
            differs = _CASE.findall(error.message)
            # What a case prints stays in its folder: only its name is told.
            said = f"{', '.join(differs)}: reads otherwise than expected." if differs else error.message
            return Outcome(sentence=said, went_well=False, found={"cases": "", "differ": "\n".join(differs)})
        said = "Every golden case was read as expected." if passed else "It has no golden case."
        return Outcome(sentence=said, found={"cases": str(passed)})

    def _others(self, template: Template) -> Sequence[Path]:
        """Folders of other published templates that hold golden cases."""
        return [cases.parent for cases in sorted(self._folder.glob("*/cases")) if cases.parent.name != template.id]
