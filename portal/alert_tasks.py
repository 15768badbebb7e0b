"""Alerts as tasks at a FHIR R4 server: created once, kept up to date, never with a guessed patient.

`POST Task` with `If-None-Exist` creates; a search by identifier and a `PUT` with `If-Match` update, so that nothing is
overwritten that somebody changed at the server meanwhile, nor another task by a server that does not understand the
condition (http://hl7.org/fhir/R4/http.html, "conditional create" and "managing resource contention"). The words are
those of http://hl7.org/fhir/R4/task.html: status `requested`, intent `order`, priority `stat`; `completed` with its
owner when somebody took the alert; `entered-in-error` when its patient was ruled out. What kind of task it is says a
text: no published code was found that means just this.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from pydantic import JsonValue

from portal.access import open_access
from portal.alert_messages import (
    ChannelReceipt,
    CriticalMessage,
    DayLetterMessage,
    Message,
    OperatorMessage,
    TaskMessage,
    TestMessage,
)
from portal.alert_settings import TaskServerSettings
from portal.answers import read_json
from portal.http import Answer, Client, MaybeSentError, NeverSentError, exchange
from records.errors import DeliveryDeferredError
from store.alert_tasks import AlertTask, TaskStatus

_ANSWER_SECONDS: Final = 10.0
_FHIR_ID: Final = re.compile(r"[A-Za-z0-9.\-]{1,64}")  # http://hl7.org/fhir/R4/datatypes.html#id
_HEADERS: Final = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}

JsonObject = dict[str, JsonValue]


class TaskServer:
    """A FHIR server that holds one task for each round of each alert."""

    takes_notices = False
    keeps_tasks = True

    def __init__(self, name: str, settings: TaskServerSettings, *, folder: Path) -> None:
        self.name = name
        self.patients_of = settings.patients_of
        self._settings = settings
        # A secret that is missing today may be at its place when it is needed, and must not keep the service down.
        self._access = open_access(settings, folder=folder, look_at_secrets=False)

    def send(self, message: Message) -> ChannelReceipt:
        """Create a task, or bring it up to date; known as "Task/…"."""
        try:
            with self._access.client(read_seconds=_ANSWER_SECONDS) as client:
                return ChannelReceipt(known_as=self._sent(client, message))
        except (NeverSentError, MaybeSentError) as error:
            # Whatever arrived is found by its identifier the next time.
            raise DeliveryDeferredError(f"The FHIR server does not answer ({error}).", code="unreachable") from None

    def _sent(self, client: Client, message: Message) -> str:
        match message:
            case CriticalMessage(task=AlertTask() as task):
                return self._create(client, task)
            case TaskMessage(task=task):
                return self._update(client, task)
            case TestMessage():
                self._exchange(client, "GET", "Task?_count=1")
                return "searched"
            case CriticalMessage() | OperatorMessage() | DayLetterMessage():
                raise TypeError("a FHIR server is told of tasks only")

    def _create(self, client: Client, task: AlertTask) -> str:
        headers = {"If-None-Exist": _search(task)}
        answer = self._exchange(client, "POST", "Task", self._resource(task), headers)
        if answer.status == 201:
            return _place(answer)
        # An earlier try arrived after all, and may tell of an earlier state; or the server did not understand the
        # condition and took another task for ours.
        found = self._find(client, task)
        if found is None:
            raise DeliveryDeferredError("The FHIR server takes another task for this one.", code="refused")
        return self._put(client, found, task)

    def _update(self, client: Client, task: AlertTask) -> str:
        found = self._find(client, task)
        return self._create(client, task) if found is None else self._put(client, found, task)

    def _put(self, client: Client, found: JsonObject, task: AlertTask) -> str:
        """Change what we know better; what people added at the server stays, also what they add meanwhile."""
        task_id, meta = found.get("id"), found.get("meta")
        if not isinstance(task_id, str) or not _FHIR_ID.fullmatch(task_id):
            raise DeliveryDeferredError("The FHIR server's task has no id.", code="refused")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        known = isinstance(version, str) and _FHIR_ID.fullmatch(version)
        headers = {"If-Match": f'W/"{version}"'} if known else {}
        self._exchange(client, "PUT", f"Task/{task_id}", _merged(found, self._resource(task), task), headers)
        return f"Task/{task_id}"

    def _find(self, client: Client, task: AlertTask) -> JsonObject | None:
        content = read_json(self._exchange(client, "GET", f"Task?{_search(task)}"))
        entries = content.get("entry", []) if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise DeliveryDeferredError("The FHIR server's answer is no list of tasks.", code="refused")
        resources = [entry.get("resource") for entry in entries if isinstance(entry, dict)]
        # A server that does not know the parameter may list everything: only what bears our identifier is ours.
        tasks = [one for one in resources if isinstance(one, dict) and _bears(one, task)]
        if len(tasks) > 1:
            raise DeliveryDeferredError("The FHIR server has this task more than once.", code="refused")
        return tasks[0] if tasks else None

    def _exchange(
        self,
        client: Client,
        method: str,
        place: str,
        content: JsonObject | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        answer = exchange(
            client,
            method,
            f"{self._settings.base_url}/{place}",
            headers=_HEADERS | (headers or {}),
            content=None if content is None else json.dumps(content, ensure_ascii=False).encode(),
            deadline_seconds=_ANSWER_SECONDS,
        )
        if answer.status not in (200, 201):
            raise DeliveryDeferredError(f"The FHIR server answers {answer.status}.", code="refused")
        return answer

    def _resource(self, task: AlertTask) -> JsonObject:
        resource: JsonObject = {
            "resourceType": "Task",
            "identifier": [{"system": task.system, "value": task.reference}],
            "status": task.status.value,
            "intent": "order",
            "priority": "stat",
            "code": {"text": "Critical answer in a questionnaire: see to the patient"},
            "description": f"Alert {task.alert_id} of site {task.site}. Acknowledge it in Scorebridge.",
            "authoredOn": _instant(task.raised_at),
            "lastModified": _instant(task.note_at or task.raised_at),
        }
        if task.patient_id is not None and _FHIR_ID.fullmatch(task.patient_id):
            resource["for"] = {"reference": self._settings.patient_reference.replace("{patient_id}", task.patient_id)}
        if task.external_id is not None:
            known_by: JsonObject = {"system": task.system, "value": task.external_id}
            resource["focus"] = {"type": "Observation", "identifier": known_by}
        if task.owner is not None:
            resource["owner"] = {"display": task.owner}
        return resource


def _merged(found: JsonObject, wanted: JsonObject, task: AlertTask) -> JsonObject:
    """What the server has, with what this program knows better put over it."""
    merged = found | {name: wanted[name] for name in ("lastModified", "identifier") if name in wanted}
    ours: tuple[str, ...] = ("owner",) if task.owner is not None else ()
    if task.status is not TaskStatus.ENTERED_IN_ERROR:  # what is taken back stays in the chart it was in, as an error
        ours += ("for", "focus")
    for name in ours:
        merged.pop(name, None)
        if name in wanted:
            merged[name] = wanted[name]
    if task.status is not TaskStatus.REQUESTED:  # somebody at the server may have begun with it
        merged["status"] = wanted["status"]
    return merged


def _search(task: AlertTask) -> str:
    return f"identifier={quote(f'{task.system}|{task.reference}', safe=':')}"


def _bears(resource: JsonObject, task: AlertTask) -> bool:
    identifiers = resource.get("identifier")
    return isinstance(identifiers, list) and any(
        isinstance(one, dict) and one.get("system") == task.system and one.get("value") == task.reference
        for one in identifiers
    )


def _place(answer: Answer) -> str:
    content = read_json(answer)
    found = content.get("id") if isinstance(content, dict) else None
    if not isinstance(found, str):
        found = answer.headers.get("location", "").partition("Task/")[2].partition("/")[0]
    return f"Task/{found}" if _FHIR_ID.fullmatch(found) else "Task"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
