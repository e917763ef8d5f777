from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from flask.cli import with_appcontext

from app.audit import AuditEvent, read_checkpoint_files, record, verify
from app.backup import making, restoring
from app.backup.manifest import Manifest
from app.command_group import CommandGroup
from app.kernel import recovery
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.kernel.installation import check_keys, installation_id
from app.runtime import runtime

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_KEY_FILE = click.option(
    "--recovery-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="holds the recovery key; without it, it is asked for",
)  # fmt: skip


class _Group(CommandGroup):
    """`flask backup DIR` is short for `flask backup make DIR`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["make", *args]
        return super().resolve_command(ctx, args)


def _told(act: Callable[..., None]) -> Callable[..., None]:
    """What is refused is told in one line, exit code 1."""

    @wraps(act)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            act(*args, **kwargs)
        except DomainError as exc:
            raise click.ClickException(exc.detail) from None

    return run


@click.group("backup", cls=_Group)
def backup_cli() -> None:
    """备份 / Backups."""


@backup_cli.command("init-key")
@click.option(
    "--public", help="seal to a recovery key made elsewhere: its public half, 64 hexadecimal digits"
)
@click.option("--own-key", is_flag=True, help="a key of its own, although the escrow has one")
@_told
def init_key_command(public: str | None, own_key: bool) -> None:
    """Seal backups to the escrow's recovery key; without an escrow, make a key.

    Its private half is printed once and kept nowhere: write it down, lock it away.
    """
    key_dir, ring = runtime().settings.key_dir, runtime().vault.ring()
    if public is not None:
        recovery.adopt(key_dir, _public(public))
    elif ring is not None and not own_key:
        recovery.adopt(key_dir, ring.recovery_public)
        click.echo("与密码托管用同一把恢复密钥 / the escrow's recovery key opens the backups too")
    else:
        private = X25519PrivateKey.generate()
        recovery.adopt(key_dir, private.public_key().public_bytes_raw())
        click.echo(recovery.text_of(private))


def _public(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise click.ClickException("公钥应为 64 个十六进制字符 / 64 hexadecimal digits") from None


@backup_cli.command("make")
@click.argument("place", type=click.Path(file_okay=False, path_type=Path))
@_told
def make_command(place: Path) -> None:
    """Back up database and blobs into a new folder in PLACE, sealed to the recovery key, and read it back."""
    here = runtime()
    installation, now = installation_id(db.session()), here.clock.now()
    db.session.remove()
    folder, manifest = making.make_backup(here.settings, here.keys, installation, place, now)
    _note("backup.made", {"events": manifest.events, "head": manifest.head, "folder": folder.name})
    click.echo(f"{folder}：{manifest.events} 个审计事件，已核对 / {manifest.events} audit events, read back")


@backup_cli.command("keys")
@click.argument("place", type=click.Path(file_okay=False, path_type=Path))
@_told
def keys_command(place: Path) -> None:
    """Back up the key files, sealed to the recovery key; refused where backups of the data lie."""
    here = runtime()
    installation, now = installation_id(db.session()), here.clock.now()
    db.session.remove()
    folder = making.make_key_backup(here.settings, here.keys, installation, place, now)
    _note("backup.keys_made", {"folder": folder.name})
    click.echo(f"{folder}：请与数据备份分开保管 / keep it apart from the data")


@backup_cli.command("check")
@click.argument("folder", type=_FOLDER)
@_KEY_FILE
@_told
def check_command(folder: Path, recovery_file: Path | None) -> None:
    """Check a backup without restoring it; with the recovery key, every piece is opened."""
    private = recovery.private_half(recovery_file.read_text("utf-8")) if recovery_file else None
    manifest = restoring.check_backup(folder, runtime().keys, private)
    click.echo(_words(manifest) + ("，可以打开 / opens" if private else "，未试开 / not opened"))


@backup_cli.command("restore-keys")
@click.argument("folder", type=_FOLDER)
@_KEY_FILE
@_told
def restore_keys_command(folder: Path, recovery_file: Path | None) -> None:
    """Put backed up key files in place; the first step of a restore on a new machine."""
    key_dir = runtime().settings.key_dir
    names = restoring.restore_keys(folder, key_dir, _private(recovery_file))
    click.echo(f"{key_dir}: {', '.join(names)}")


@click.command("restore")
@click.argument("folder", type=_FOLDER)
@_KEY_FILE
@click.option(
    "--checkpoint", "places", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="an audit checkpoint kept elsewhere; an older backup is refused; may be given again",
)  # fmt: skip
@click.option("--replace", is_flag=True, help="replace a database that is not empty")
@click.option("--accept-older", is_flag=True, help="although more is known to have happened since")
@with_appcontext
@_told
def restore_command(
    folder: Path, recovery_file: Path | None, places: tuple[Path, ...], replace: bool, accept_older: bool
) -> None:
    """Restore a backup into an empty database. Stop the server first; run `flask db upgrade` afterwards."""
    here = runtime()
    plan = restoring.Plan(replace, accept_older, tuple(read_checkpoint_files(places)))
    db.session.remove()
    db.engine.dispose()
    done = restoring.restore(here.settings, here.keys, folder, _private(recovery_file), plan)
    click.echo(_words(done.manifest) + "，已恢复 / restored")
    check_keys(db.session(), here.keys)
    result = verify(db.session(), here.keys)
    db.session.remove()
    if result.problem:
        click.echo(f"审计链已损坏 / the audit trail is BROKEN: {result.problem}", err=True)
        sys.exit(1)
    details = {"at": done.manifest.at, "events": done.manifest.events, "lost": done.lost}
    _note("backup.restored", details)
    click.echo("审计链完整 / the audit trail is whole。下一步 / next: flask db upgrade")


def _words(manifest: Manifest) -> str:
    return f"{manifest.at}：{manifest.events} 个审计事件 / audit events"


def _private(recovery_file: Path | None) -> X25519PrivateKey:
    if recovery_file:
        return recovery.private_half(recovery_file.read_text("utf-8"))
    return recovery.private_half(click.prompt("恢复密钥 / recovery key", hide_input=True))


def _note(action: str, details: dict[str, Any]) -> None:
    session = begin_write(db.session())
    entry = AuditEvent(
        at=runtime().clock.now(), actor="system", action=action, object="backup:data", details=details
    )
    record(session, entry)
    session.commit()
    db.session.remove()
