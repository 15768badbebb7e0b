"""A role that another one includes may do nothing that the other may not."""

from __future__ import annotations

import pytest

from review import policies
from review.access import Policy
from store.tokens import includes
from store.users import Role

NAMED = {name: one for name, one in vars(policies).items() if isinstance(one, Policy) and not one.is_open}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_whoever_includes_a_role_may_do_all_that_it_may(name: str) -> None:
    for role in Role:
        for other in NAMED[name].roles:
            if includes(role, other):
                assert role in NAMED[name].roles, f"{role} makes tokens for {other}, which may do more"
