from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from app.audit.bundle import begin_bundle, refuse_taken, write_bundle
from app.audit.checkpoint_files import read_checkpoint_files
from app.audit.erase_service import erase
from app.audit.verify_service import last_checkpoint, sign_checkpoint, verify
from app.command_group import CommandGroup
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.runtime import runtime

audit_cli = CommandGroup("audit", help="审计记录 / The audit trail.")
_SYSTEM = "system"
_SHOWN = 20


@audit_cli.command("verify")
@click.option(
    "--checkpoint", "places", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="a checkpoint kept elsewhere, or a folder of them; may be given again",
)  # fmt: skip
def verify_command(places: tuple[Path, ...]) -> None:
    """Walk the whole chain, against all checkpoints; exit 1 and name the first break when there is one."""
    try:
        result = verify(db.session(), runtime().keys, read_checkpoint_files(places))
    except DomainError as exc:
        raise click.ClickException(exc.detail) from None
    click.echo(f"{result.size} events, head {result.head}")
    click.echo(f"{result.checkpoints} checkpoints, the last at event {result.signed_size}")
    if result.problem:
        click.echo(f"审计链已损坏 / BROKEN: {result.problem}", err=True)
        sys.exit(1)
    click.echo("审计链完整 / whole")
    _verify_records()
    if not places:
        click.echo(
            "只与本机留存的检查点核对过；要排除整体被替换，请用 --checkpoint 给出别处留存的检查点 / "
            "held only against checkpoints kept here: one kept elsewhere rules out that all was replaced"
        )


def _verify_records() -> None:
    """The rows and files that the trail vouches for; exit 1 and name the first problems."""
    from app.rooms import record_checks

    here, session = runtime(), db.session()
    problems = [line for check in record_checks() for line in check(session, here.blobs, here.keys)]
    for line in problems[:_SHOWN]:
        click.echo(line, err=True)
    if problems:
        click.echo(f"记录与审计不符，共 {len(problems)} 处 / records BROKEN", err=True)
        sys.exit(1)
    click.echo("签字的记录、图片和 PDF 都没有改动 / signed records are whole")


@audit_cli.command("checkpoint")
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="also write it here")
def checkpoint_command(target: Path | None) -> None:
    """Sign what stands now; nothing new is signed when nothing has happened since the last."""
    session = begin_write(db.session())
    try:
        sign_checkpoint(session, runtime().keys, runtime().clock.now())
        found = last_checkpoint(session, runtime().keys)
    except DomainError as exc:
        raise click.ClickException(exc.detail) from None
    session.commit()
    if found is None:
        raise click.ClickException("还没有任何事件 / there is no event yet")
    text = orjson.dumps(found.document(), option=orjson.OPT_INDENT_2).decode()
    if target:
        target.write_text(text + "\n", encoding="utf-8")
    click.echo(text)


@audit_cli.command("export")
@click.argument("target", type=click.Path(path_type=Path))
def export_command(target: Path) -> None:
    """Write the whole trail with its verifier to a new folder, or to a FILE.zip."""
    session = begin_write(db.session())
    try:
        refuse_taken(target)
        info = begin_bundle(session, runtime().keys, actor=_SYSTEM, now=runtime().clock.now())
        session.commit()
        write_bundle(session, runtime().keys, target, info)
    except DomainError as exc:
        raise click.ClickException(exc.detail) from None
    click.echo(f"{info.size} events, head {info.head} -> {target}")


@audit_cli.command("erase")
@click.option("--object", "subject", required=True, help="kind:id, as the trail names it")
@click.option("--reason", required=True)
def erase_command(subject: str, reason: str) -> None:
    """Erase the details of all events of one object; the chain stays whole, and the erasure is an event."""
    session = begin_write(db.session())
    try:
        number = erase(session, subject, actor=_SYSTEM, reason=reason, now=runtime().clock.now())
    except DomainError as exc:
        raise click.ClickException(exc.detail) from None
    session.commit()
    click.echo(f"已删除 {number} 个事件的详情 / the details of {number} events are gone")
