"""`flask users …`: for the first administrator, and for whoever locked himself out."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from sqlalchemy.orm import Session

from app.command_group import CommandGroup
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.people import listing, user_service
from app.people.listing import Wanted
from app.people.user_service import By, UserInput
from app.people.words import role_words
from app.runtime import runtime

users_cli = CommandGroup("users", help="用户 / Users.")
_MAX_LISTED = 10_000


@users_cli.command("create-admin")
@click.argument("login")
@click.option("--name", required=True, help="the person's name")
def create_admin_command(login: str, name: str) -> None:
    """Make an administrator of the whole company; prints the password for his first sign-in, once."""
    with _writing() as (session, by):
        user, password = user_service.create_user(session, UserInput(login, name), by)
        user_service.grant(session, user.id, "admin", None, by)
    click.echo(password)


@users_cli.command("reset-password")
@click.argument("login")
def reset_password_command(login: str) -> None:
    """Print a new one-time password; his sessions and tokens end."""
    with _writing() as (session, by):
        password = user_service.reset_password(session, user_service.user_by_login(session, login).id, by)
    click.echo(password)


@users_cli.command("reset-totp")
@click.argument("login")
def reset_totp_command(login: str) -> None:
    """Drop his authenticator: he sets one up anew at the next sign-in. Make sure that it is he who asks."""
    with _writing() as (session, by):
        user_service.reset_factor(session, user_service.user_by_login(session, login).id, by)
    click.echo("验证器已重置 / second factor dropped")


@users_cli.command("list")
def list_command() -> None:
    """All users: login, name, roles; inactive ones are marked."""
    session, now = db.session(), runtime().clock.now()
    wanted = Wanted(sort="login", state="any")
    for line in listing.list_users(session, wanted, now, cursor=None, limit=_MAX_LISTED).items:
        mark = "" if line.user.active else "\t已停用"
        click.echo(f"{line.user.login}\t{line.user.name}\t{role_words(g.role for g in line.grants)}{mark}")


@users_cli.command("roles")
def roles_command() -> None:
    """Print docs/roles.md: who may do what, from the declarations of the routes."""
    from app.http.roles import roles_page

    click.echo(roles_page(current_app), nl=False)


@contextmanager
def _writing() -> Iterator[tuple[Session, By]]:
    """One transaction in the name of who is at this terminal; a refusal is one line and exit code 1."""
    session = begin_write(db.session())
    try:
        yield session, By(f"cli:{getpass.getuser()}", runtime().clock.now())
        session.commit()
    except DomainError as exc:
        click.echo(exc.detail, err=True)
        sys.exit(1)
