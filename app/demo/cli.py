"""`flask demo …`."""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path

import click

from app.command_group import CommandGroup
from app.credchecks import Tools as RoundTools
from app.demo.contract_story import tell_contracts
from app.demo.ending_story import Ending
from app.demo.exemption_story import tell_exemptions
from app.demo.handover_story import Handovers
from app.demo.later_story import Present
from app.demo.people import COMPANY
from app.demo.secrets import HEADER, seed_secrets
from app.demo.seed import SINCE, read_phones, seed
from app.demo.story import Story
from app.demo.users import seed_users
from app.handover import AtHand
from app.hardware import Tools as CaseTools
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.runtime import runtime
from app.settings import ROOT
from app.transfer import Tools as TransferTools
from app.wipe import Tools as WipeTools

demo_cli = CommandGroup("demo", help="演示数据 / Data to try the product with.")


@demo_cli.command("seed")
@click.option(
    "--phones",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=ROOT / "scripts" / "demo_phones.json",
    help="scenario file of the simulated phones",
)
@click.option(
    "--secrets",
    "secrets_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="file passwords for the kits too, the escrow being set up, and write them here",
)
def seed_command(phones: Path, secrets_file: Path | None) -> None:
    """Make a demo service centre for the simulated phones; once. Prints the centre's code last."""
    here = runtime()
    now = here.clock.now()
    if here.settings.production:
        click.echo("生产环境不建演示数据 / no demo data in production", err=True)
        sys.exit(1)
    session = begin_write(db.session())
    try:
        seeded = seed(session, read_phones(phones), here.policies, now)
        users = seed_users(session, seeded.code, now - SINCE)
        # Only a new demo has a past: what the simulated phones tell later must not meet it twice.
        if seeded.made and users:
            Story(session, seeded.centre, here.policies, now, seeded.kits).tell()
            tell_contracts(
                session, seeded.centre, seeded.kits, company=COMPANY, policies=here.policies, blobs=here.blobs,
                now=now,
            )  # fmt: skip
            tell_exemptions(session, seeded.centre, seeded.kits, policies=here.policies, now=now)
        if secrets_file is not None:
            posts = [post for _, post in seeded.kits]
            filed = now - SINCE + dt.timedelta(hours=1)
            _write_secrets(
                secrets_file,
                seed_secrets(session, posts, vault=here.vault, policies=here.policies, now=filed),
            )
            # Nothing is issued before its passwords are filed.
            if seeded.made and users:
                at_hand = AtHand(here.policies, here.keys, here.blobs)
                Handovers(session, seeded.centre, at_hand, now, seeded.kits).tell()
                present = Present(session, seeded.centre, now, seeded.kits)
                present.begin_round(RoundTools(here.policies, here.vault, here.keys))
                present.damage(CaseTools(here.policies, here.blobs, here.keys))
                if seeded.ending is not None:
                    Ending(session, seeded.centre, now, *seeded.ending).tell(
                        TransferTools(here.policies, here.blobs, here.keys),
                        WipeTools(here.policies, here.blobs, here.keys, here.settings.checkpoint_dir),
                    )
    except DomainError as exc:
        click.echo("; ".join([exc.detail, *(f"{f.field}: {f.message}" for f in exc.fields)]), err=True)
        sys.exit(1)
    session.commit()
    made = seeded.made + users
    click.echo(f"新建 {made} 条 / {made} new records")
    click.echo(seeded.code)


def _write_secrets(file: Path, lines: list[str]) -> None:
    """Before they count: a password that is filed and stands nowhere could be tried by nobody."""
    new = not file.exists()
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write((HEADER if new else "") + "".join(f"{line}\n" for line in lines))
