from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from app.policy.files import PolicyError, PolicyFiles
from app.runtime import runtime

policies_cli = AppGroup("policies", help="制度参数 / The policies.")


@policies_cli.command("check")
def check_command() -> None:
    """Read every policy file against its schema; exit 1 naming all that is wrong."""
    try:
        files = PolicyFiles(runtime().settings.policy_dir)
    except PolicyError as exc:
        for line in exc.problems:
            click.echo(line, err=True)
        sys.exit(1)
    for subject in files.subjects:
        policy = files.latest(subject)
        click.echo(f"{subject} v{policy.version} sha256:{policy.sha256}")
