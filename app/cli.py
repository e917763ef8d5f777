"""Commands that belong to no room."""

from __future__ import annotations

import sys

import click
from flask import current_app

from app.command_group import CommandGroup
from app.kernel.db import begin_write, db
from app.kernel.errors import Unavailable
from app.kernel.installation import initialise
from app.kernel.keys import KeyStore
from app.runtime import runtime

installation_cli = CommandGroup("installation", help="本系统的安装 / This installation.")
scheduler_cli = CommandGroup("scheduler", help="定时任务 / Scheduled jobs.")


@installation_cli.command("init")
def init_command() -> None:
    """Make the keys of a new, migrated database. The second time it only checks that the keys belong to it."""
    now = runtime().clock.now()
    session = begin_write(db.session())
    try:
        made = initialise(session, KeyStore(runtime().settings.key_dir, may_create=True), now)
    except Unavailable as exc:
        click.echo(exc.detail, err=True)
        sys.exit(1)
    session.commit()
    click.echo("已初始化 / set up" if made else "已存在，密钥无误 / exists already, its keys are in place")


@installation_cli.command("access-token")
def access_token_command() -> None:
    """Print the access token, for the person at this terminal only."""
    click.echo(runtime().access_token)


@scheduler_cli.command("run")
def scheduler_command() -> None:
    """Run the scheduled jobs until SIGTERM. Of several such processes one works, the others wait to take over."""
    from app.scheduler import run_scheduler
    from app.shape import fault_at_start

    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if fault := fault_at_start(app):
        click.echo(fault, err=True)
        sys.exit(1)
    run_scheduler(app)
