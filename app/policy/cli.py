from __future__ import annotations

import sys

import click

from app.command_group import CommandGroup
from app.kernel.db import db
from app.policy.service import layer_problems
from app.runtime import runtime

policies_cli = CommandGroup("policies", help="制度参数 / The policies.")


@policies_cli.command("check")
def check_command() -> None:
    """Check every policy file and every stored layer against its schema; exit 1 naming all that is wrong.

    Faulty files stop the start already, in `wsgi.py`, with the same exit code and all their faults.
    """
    files = runtime().policies
    for subject in files.subjects:
        policy = files.latest(subject)
        click.echo(f"{subject} v{policy.version} sha256:{policy.sha256}")
    problems = layer_problems(db.session(), files)
    for line in problems:
        click.echo(line, err=True)
    if problems:
        sys.exit(1)
