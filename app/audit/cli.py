from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from app.audit.service import verify
from app.kernel.db import db

audit_cli = AppGroup("audit", help="审计记录 / The audit trail.")


@audit_cli.command("verify")
def verify_command() -> None:
    """Walk the whole chain; exit 1 and name the first break when there is one."""
    result = verify(db.session())
    click.echo(f"{result.size} events, head {result.head}")
    if result.problem:
        click.echo(f"审计链已损坏 / BROKEN: {result.problem}", err=True)
        sys.exit(1)
    click.echo("审计链完整 / whole")
