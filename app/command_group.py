"""Command groups that say plainly when the database has another shape than they need, instead of a traceback."""

from __future__ import annotations

from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.shape import fault_at_start


class CommandGroup(AppGroup):
    """As Flask's; a command that fails for want of a table or column ends with what to run."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError):
            fault = ctx.invoke(_fault)
            if fault is None:
                raise
            raise click.ClickException(fault) from None


@with_appcontext
def _fault() -> str | None:
    return fault_at_start(current_app._get_current_object())  # type: ignore[attr-defined]
