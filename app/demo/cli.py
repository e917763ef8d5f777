"""`flask demo …`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from app.demo.seed import read_phones, seed
from app.demo.story import Story
from app.demo.users import seed_users
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.runtime import runtime
from app.settings import ROOT

demo_cli = AppGroup("demo", help="演示数据 / Data to try the product with.")


@demo_cli.command("seed")
@click.option(
    "--phones",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=ROOT / "scripts" / "demo_phones.json",
    help="scenario file of the simulated phones",
)
def seed_command(phones: Path) -> None:
    """Make a demo service centre for the simulated phones; once. Prints the centre's code last."""
    now = runtime().clock.now()
    if runtime().settings.production:
        click.echo("生产环境不建演示数据 / no demo data in production", err=True)
        sys.exit(1)
    session = begin_write(db.session())
    try:
        seeded = seed(session, read_phones(phones), runtime().policies, now)
        users = seed_users(session, seeded.code, now)
        # Only a new demo has a past: what the simulated phones tell later must not meet it twice.
        if seeded.made and users:
            Story(session, seeded.centre, runtime().policies, now, seeded.kits).tell()
    except DomainError as exc:
        click.echo("; ".join([exc.detail, *(f"{f.field}: {f.message}" for f in exc.fields)]), err=True)
        sys.exit(1)
    session.commit()
    made = seeded.made + users
    click.echo(f"新建 {made} 条 / {made} new records")
    click.echo(seeded.code)
