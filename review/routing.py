"""A route: what is asked, who answers it, and who may ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from fastapi import Response

from review.access import Policy

MOST_FORM_BYTES: Final = 64 * 1024
"""Length of a form without files."""


class Route(NamedTuple):
    """One address of the application.

    Attributes:
        method: "GET" or "POST".
        path: Address with its parameters in braces.
        answer: What answers it.
        policy: Who may take it.
        file_bytes: Most bytes of a form with files; 0 for a form without.
    """

    method: str
    path: str
    answer: Callable[..., Response]
    policy: Policy
    file_bytes: int = 0
