"""What a request of the API must look like before anybody asks who sent it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response

from review.api.problems import problem

PREFIX: Final = "/api/v1"
MOST_BYTES: Final = 64 * 1024
_READING: Final = ("GET", "HEAD")


def refused_request(method: str, path: str, headers: Headers, *, file_bytes: int) -> Response | None:
    """The refusal of a request with an address or a body that is none; None lets it through.

    Args:
        file_bytes: Most bytes of a form with files at this address; 0 where JSON is read.

    Where a request comes from does not matter here, for no cookie is looked at: a foreign page has no token.
    """
    # No route matches a line break, so that such an address would end among the pages.
    if any(ord(character) < ord(" ") for character in path):
        return problem(HTTPStatus.BAD_REQUEST, "The address holds characters that no address holds.")
    if method in _READING:
        return None
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdecimal()):
        return problem(HTTPStatus.LENGTH_REQUIRED, "The length of the body is missing.")
    most = file_bytes or MOST_BYTES
    if int(length) > most:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has at most {most} bytes here.")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if file_bytes and kind != "multipart/form-data":
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only a form with files (multipart/form-data) is read here.")
    if int(length) and not file_bytes and kind != "application/json":
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only JSON is read here.")
    return None
