"""`token add|list|revoke`: what programs show to the JSON API instead of a password."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from ingest import clock
from ingest.clinic import opened
from ingest.commands.options import AsJson, Config
from ingest.terminal import note, out, print_json, print_table
from records.errors import DecisionRefusedError, SettingsError
from store import tokens, users
from store.users import Role

_USUAL_DAYS = 90


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="Tokens of the JSON API.", no_args_is_help=True)
    for name, command in (("add", token_add), ("list", token_list), ("revoke", token_revoke)):
        group.command(name)(command)
    app.add_typer(group, name="token")


def token_add(
    name: Annotated[str, typer.Argument(help="What it is for, such as the program that will show it.")],
    user: Annotated[str, typer.Option(help="The user it acts for.")],
    role: Annotated[Role | None, typer.Option(help="What it may do; default: what the user may.")] = None,
    site: Annotated[
        list[str] | None, typer.Option(help="A site it sees (repeatable); default: all of the user.")
    ] = None,
    days: Annotated[
        int, typer.Option(help="For how many days it is good.", min=1, max=tokens.LONGEST.days)
    ] = _USUAL_DAYS,
    read_only: Annotated[bool, typer.Option("--read-only", help="It changes nothing, whatever the role.")] = False,
    config: Config = None,
) -> None:
    """Make a token. It stands on standard output this once, and is kept nowhere."""
    now = clock.now()
    with opened(config) as clinic, clinic.database.session() as session:
        unknown = set(site or ()) - {known.id for known in clinic.settings.site}
        if unknown:
            raise SettingsError("There is no such site.", next_step="Name a site of the settings.")
        known = {one.name: one for one in users.list_users(session)}
        if user not in known:
            raise DecisionRefusedError("There is no such user.", next_step="Run: scorebridge user list")
        made, secret = tokens.make(
            session,
            name=name,
            user=user,
            role=role or known[user].role,
            sites=site or None,
            read_only=read_only,
            expires_at=now + timedelta(days=days),
            actor=clinic.actor,
            now=now,
        )
    out.print(secret, markup=False)
    until = made.expires_at.date().isoformat()
    note(f"Token {made.token_id} acts for {user} until {until}. Keep it; it is not shown again.")


def token_list(as_json: AsJson = False, config: Config = None) -> None:
    """Every token, the newest first; never its secret."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found = tokens.list_tokens(session)
    now = clock.now()
    for token in found if as_json else ():
        print_json(
            {
                "token": token.token_id,
                "name": token.name,
                "user": token.user,
                "role": token.role.value,
                "sites": None if token.sites is None else sorted(token.sites),
                "read_only": token.read_only,
                "made_by": token.made_by,
                "made_at": token.made_at.isoformat(),
                "expires_at": token.expires_at.isoformat(),
                "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
                "used_at": token.used_at.isoformat() if token.used_at else None,
            }
        )
    if not as_json:
        rows = [
            (
                token.token_id,
                token.name,
                token.user,
                f"{token.role.value}, reads only" if token.read_only else token.role.value,
                "all" if token.sites is None else " ".join(sorted(token.sites)),
                token.used_at.strftime("%Y-%m-%d %H:%M") if token.used_at else "never",
                token.expires_at.date().isoformat()
                if token.is_good(now)
                else "revoked"
                if token.revoked_at
                else "expired",
            )
            for token in found
        ]
        print_table("", ("token", "name", "acts for", "may do", "sites", "last used", "good until"), rows)


def token_revoke(
    token_id: Annotated[int, typer.Argument(help="Number of the token, as “token list” shows it.")],
    config: Config = None,
) -> None:
    """Make a token good for nothing, from its next request on."""
    with opened(config) as clinic, clinic.database.session() as session:
        token = tokens.revoke(session, token_id, actor=clinic.actor, now=clock.now())
    note(f"Token {token_id}, {token.name}, is revoked.")
