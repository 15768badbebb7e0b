"""Forms with files, read into memory and nowhere else: a file of patients never lies on a disk as it came."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from records.errors import DecisionRefusedError
from review.access import ForgedFormError, check_token, token_of
from review.office import Office, office_of
from review.routing import MOST_FORM_BYTES

MOST_FILES: Final = 50
MOST_REPORT_BYTES: Final = 64 * 1024 * 1024
MOST_LIST_BYTES: Final = 64 * 1024 * 1024
MOST_TEMPLATE_BYTES: Final = 512 * 1024
_MOST_FIELDS: Final = 60
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f/\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """One file of a form.

    Attributes:
        field: Name of its field.
        name: Without any folder, as the browser says it.
    """

    field: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadForm:
    """A form with files; a file field that was left empty is not among them."""

    fields: Mapping[str, str]
    files: tuple[UploadedFile, ...]


class _InMemory(MultiPartParser):
    # Larger parts would otherwise go to a temporary file, unencrypted; how long a form may be is checked before.
    spool_max_size = 1 << 40


def form_bytes(files: int) -> int:
    """How long a form with so many bytes of files may be: it says a little more than its files."""
    return files + MOST_FORM_BYTES


class NoUploadError(Exception):
    """The body is no form with files."""


async def read_upload(request: Request) -> AsyncIterator[UploadForm]:
    """The fields and files of a form that one of our own pages sent.

    Runs after the route's policy and behind the guard, which has checked the length.

    Raises:
        ForgedFormError: It is no such form, or its token is missing or belongs to another session.
        DecisionRefusedError: Too many forms with files are being read at this moment.
    """
    with turn(office_of(request)):
        try:
            form = await _read(request)
        except NoUploadError:
            raise ForgedFormError from None
        fields = dict(form.fields)
        check_token(token_of(request), fields.pop("form_token", ""))
        yield UploadForm(fields=fields, files=form.files)


async def read_sent_files(request: Request) -> AsyncIterator[UploadForm]:
    """The fields and files of a form that a program sent; runs once its token has been let in.

    Raises:
        NoUploadError: It is no such form.
        DecisionRefusedError: Too many forms with files are being read at this moment.
    """
    with turn(office_of(request)):
        yield await _read(request)


Upload = Annotated[UploadForm, Depends(read_upload)]
SentFiles = Annotated[UploadForm, Depends(read_sent_files)]


@contextmanager
def turn(office: Office) -> Iterator[None]:
    """One of the few turns in which a large file is held in memory.

    Raises:
        DecisionRefusedError: All of them are taken.
    """
    turns = office.uploads
    if not turns.acquire(blocking=False):
        raise DecisionRefusedError(
            "Other people are uploading files at this moment.", next_step="Nothing was saved. Upload again in a minute."
        )
    try:
        yield
    finally:
        turns.release()


async def _read(request: Request) -> UploadForm:
    parser = _InMemory(
        request.headers, request.stream(), max_files=MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=MOST_FORM_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise NoUploadError from None
    try:
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        given = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
        files = [
            UploadedFile(field=name, name=_bare(one.filename or ""), content=await one.read()) for name, one in given
        ]
        return UploadForm(fields=fields, files=tuple(file for file in files if file.name or file.content))
    finally:
        await form.close()


def _bare(name: str) -> str:
    """A file name that leads nowhere: no folder, no control characters, not endless."""
    return _UNSAFE.sub(" ", name.replace("\\", "/").rpartition("/")[2]).strip()[-150:]
