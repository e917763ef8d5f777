from __future__ import annotations

import sys
from typing import NoReturn

import click

from app.command_group import CommandGroup
from app.fleet.rules import DEFAULT_HOURS, MAX_HOURS
from app.fleet.service import centre_by_code, handset_by_tag, make_code
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.kernel.tenancy import Principal
from app.runtime import runtime

agents_cli = CommandGroup("agents", help="网关与代理 / Agents.")
_OPERATOR = Principal(user="command-line", roles=frozenset({"admin"}), centres=None)


@agents_cli.command("enrol-code")
@click.option("--centre", required=True, help="服务中心编号 / code of the service centre")
@click.option("--name", help="网关名称 / name that the agent will have")
@click.option("--phone", help="资产编号：代理运行在这台手机上 / asset tag: the agent runs on this phone")
@click.option("--hours", type=click.IntRange(1, MAX_HOURS), default=DEFAULT_HOURS, show_default=True)
@click.option("--url", help="服务器地址，默认 PUBLIC_URL / the server's address as the agent reaches it")
def enrol_code_command(centre: str, name: str | None, phone: str | None, hours: int, url: str | None) -> None:
    """Make an enrolment code, good once; prints the code alone."""
    address = url or runtime().settings.public_url
    if address is None:
        _fail("没有设置 PUBLIC_URL，请用 --url 给出地址 / set PUBLIC_URL or give --url")
    session = begin_write(db.session())
    try:
        made = make_code(
            session,
            _OPERATOR,
            centre_by_code(session, centre),
            url=address,
            command_key=runtime().keys.public_key("agent-reads"),
            name=name,
            handset_id=None if phone is None else handset_by_tag(session, phone),
            hours=hours,
            now=runtime().clock.now(),
        )
    except DomainError as exc:
        _fail("; ".join([exc.detail, *(f"{f.field}: {f.message}" for f in exc.fields)]))
    session.commit()
    click.echo(str(made.code))


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)
