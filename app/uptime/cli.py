"""`flask uptime …`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

import click
import orjson

from app.command_group import CommandGroup
from app.policy import make_policy
from app.runtime import runtime
from app.uptime.dossier import TraceError, read_trace
from app.uptime.limits import limits_of
from app.uptime.replay import replay
from app.uptime.service import SUBJECT

uptime_cli = CommandGroup("uptime", help="开关机 / On and off (R02).")


@uptime_cli.command("replay")
@click.argument("trace", type=click.File("rb"))
def replay_command(trace: BinaryIO) -> None:
    """Decide on-time from a trace, without a database: one JSON object a line in TRACE (`-`: standard input).

    Prints one JSON document. A line that is not understood ends it with exit 2 and the line's number.
    """
    files = runtime().policies
    company = files.latest(SUBJECT)

    def problems(overrides: Mapping[str, Any]) -> list[str]:
        return files.problems_over(SUBJECT, [overrides])

    try:
        gathered = read_trace(trace, problems)
    except TraceError as exc:
        click.echo(f"第 {exc.line} 行无法理解 / line {exc.line} is not understood: {exc.why}", err=True)
        sys.exit(2)
    overrides = gathered.override.body() if gathered.override else {}
    policy = make_policy(SUBJECT, company.version, {**company.body, **overrides})
    ruled_by = {"version": company.version, "sha256": policy.sha256, "overrides": overrides}
    told = replay(gathered, limits_of(policy.body), ruled_by)
    click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
