"""What holds for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from store import users

# How long an example takes is the machine's affair, which other tests keep busy: times are measured in `bench/`.
settings.register_profile("scorebridge", deadline=None)
settings.load_profile("scorebridge")

# What passwords are really kept with; tests/unit/store/test_store_accounts.py looks at it.
REAL_HASHER = users._hasher


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Argon2id as ever, but not made to be slow: a thousand tests sign somebody in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield
