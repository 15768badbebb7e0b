"""What a person can do about the comparison with what staff typed; the pages and the command line call these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from records.comparison import TypedEntry, Verdict
from store import shadow_findings, shadow_report, shadow_signing, shadow_values
from store.database import Database
from store.shadow_report import Scope
from store.shadow_signing import SignOff
from store.shadow_values import TypedImport, Whole


def keep_typed(
    database: Database,
    site: str,
    entries: Sequence[TypedEntry],
    *,
    source: str,
    sha256: str,
    actor: str,
    now: datetime,
    whole: Whole | None = None,
) -> TypedImport:
    """Take over what staff typed; taking the same over again changes nothing.

    Args:
        whole: What a portal was asked for, or None for a file.

    Raises:
        DecisionRefusedError: The site's values came another way before.
    """
    with database.session() as session:
        return shadow_values.keep(
            session, site, entries, source=source, sha256=sha256, actor=actor, now=now, whole=whole
        )


def settle(
    database: Database,
    scope: Scope,
    key: tuple[int, int],
    verdicts: Mapping[str, Verdict],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Say who was right about the differences of one value, field by field.

    Raises:
        DecisionRefusedError: There is no such difference (any more), or the answer does not fit it.
    """
    with database.session() as session:
        shadow_report.settle(session, scope, key, verdicts, actor=actor, now=now)


def take_back(database: Database, key: tuple[int, int], *, actor: str, now: datetime) -> None:
    """Forget what was found of a record and a typed value, so that they are compared anew.

    Raises:
        DecisionRefusedError: Nothing was found of them.
    """
    with database.session() as session:
        shadow_findings.take_back(session, key, actor=actor, now=now)


def sign(database: Database, scope: Scope, *, name: str, sha256_seen: str, actor: str, now: datetime) -> SignOff:
    """Freeze the comparison under a person's name.

    Raises:
        DecisionRefusedError: The name is missing, a difference is not settled, nothing was compared, or what is signed
            is not what was shown.
    """
    with database.session() as session:
        return shadow_signing.sign(session, scope, name=name, sha256_seen=sha256_seen, actor=actor, now=now)


def delete_typed(database: Database, site: str, *, import_id: int | None, actor: str, now: datetime) -> int:
    """Delete one import, or with None everything typed of a signed site; return how many values.

    Raises:
        DecisionRefusedError: Differences of the import are settled already, or the site is not signed.
    """
    with database.session() as session:
        if import_id is not None:
            return shadow_values.delete_import(session, import_id, actor=actor, now=now)
        return shadow_values.delete_site(session, site, actor=actor, now=now)
