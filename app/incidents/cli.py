"""`flask incidents …`."""

from __future__ import annotations

import sys
import uuid

import click

from app.command_group import CommandGroup
from app.incidents.pending import queue_changed
from app.incidents.settling import PHONES_AT_ONCE, settle_due
from app.incidents.tracing import export_trace
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.runtime import runtime

incidents_cli = CommandGroup("incidents", help="关机事件 / Incidents (R02).")


@incidents_cli.command("settle")
def settle_command() -> None:
    """Rule all phones that are due, a bounded number a transaction, until none is left."""
    policies, now = runtime().policies, runtime().clock.now()
    session = begin_write(db.session())
    queue_changed(session, now, policies)
    session.commit()
    total = 0
    while done := settle_due(begin_write(db.session()), now, policies, PHONES_AT_ONCE):
        db.session().commit()
        total += done
    db.session().commit()
    click.echo(f"已重新裁定 {total} 部手机 / {total} phones ruled")


@incidents_cli.command("export")
@click.argument("handsets", nargs=-1, type=click.UUID, required=True)
def export_command(handsets: tuple[uuid.UUID, ...]) -> None:
    """Write the trace of HANDSETS (ids) to standard output, for `flask uptime replay`."""
    try:
        trace = export_trace(db.session(), runtime().policies, handsets, runtime().clock.now())
    except DomainError as exc:
        click.echo(exc.detail, err=True)
        sys.exit(2)
    click.echo(trace, nl=False)
