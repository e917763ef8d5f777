"""`flask escrow …`: for who keeps the keys. Nothing secret is taken as an argument, where others could read it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy.orm import Session

from app.command_group import CommandGroup
from app.escrow import keeping
from app.escrow.keyring_rules import root_by_passphrase
from app.escrow.sealing import open_escrow
from app.escrow.vault import Vault, write_private
from app.kernel import recovery
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.runtime import runtime

escrow_cli = CommandGroup("escrow", help="密码托管 / Escrow of passwords.")
_MIN_CHARS = 16
_KEY_FILE = click.option(
    "--recovery-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="holds the recovery key; without it, it is asked for",
)  # fmt: skip


@escrow_cli.command("init")
@click.option("--passphrase", "ask", is_flag=True, help="unseal by a passphrase; else ROOT stays in its file")
@click.option(
    "--recovery-file", type=click.Path(path_type=Path), help="write the recovery key here, not to the screen"
)
@click.option("--own-key", is_flag=True, help="a recovery key of its own, although backups have one already")
def init_command(ask: bool, recovery_file: Path | None, own_key: bool) -> None:
    """Make the keyring. The recovery key is shown once and kept nowhere: print it, lock it away.

    It opens the backups too. Where these have a key already, that is asked for and serves both.
    """
    passphrase = _new_passphrase() if ask else None
    if recovery_file is not None and recovery_file.exists():
        raise click.ClickException(f"{recovery_file} 已存在 / exists")
    key_dir = runtime().settings.key_dir
    known = _known_key(key_dir) if recovery.adopted(key_dir) and not own_key else None
    with _changing() as (session, vault):
        now = runtime().clock.now()
        ring, text = keeping.set_up(session, vault, passphrase, now, known)
        if known is None:
            # Handed over before it counts: a crash in between leaves no escrow whose recovery key nobody ever saw.
            _hand_over(recovery.sheet(text, ring.installation, now), recovery_file)
        session.commit()
    if not recovery.adopted(key_dir):
        recovery.adopt(key_dir, ring.recovery_public)
    click.echo("已初始化 / set up" + ("，现在是封存状态 / sealed: flask escrow unseal" if ask else ""))


def _known_key(key_dir: Path) -> X25519PrivateKey:
    """The recovery key of the backups, typed by who keeps it."""
    click.echo("备份已有恢复密钥，密码托管用同一把 / the backups' recovery key serves the escrow too")
    try:
        private = recovery.private_half(click.prompt("Recovery key", hide_input=True))
    except DomainError as exc:
        raise click.ClickException(exc.detail) from None
    if private.public_key().public_bytes_raw() != recovery.public_half(key_dir).public_bytes_raw():
        raise click.ClickException("不是备份的那一把 / another key than the backups'")
    return private


def _hand_over(page: str, file: Path | None) -> None:
    if file is not None:
        write_private(file, page.encode(), 0o400)
    click.echo(str(file) if file else page)


@escrow_cli.command("unseal")
def unseal_command() -> None:
    """Open the keyring by its passphrase: ROOT is put into its file, best on a file system in memory."""
    with _writing() as (_, vault):
        ring = vault.ring()
        if ring is None:
            raise click.ClickException("还没有初始化 / not set up")
        vault.put_root(root_by_passphrase(ring, click.prompt("Passphrase", hide_input=True)))
    click.echo("已解封 / unsealed")


@escrow_cli.command("seal")
def seal_command() -> None:
    """Take ROOT's file away: from now on passwords answer 503, all else works."""
    if not runtime().vault.drop_root():
        raise click.ClickException(
            "主密钥不在文件里，或来自环境变量 / ROOT is in no file here, or comes from the environment"
        )
    click.echo("已封存 / sealed")


@escrow_cli.command("status")
def status_command() -> None:
    """The keyring's generation and keys, and whether it is open."""
    with _writing() as (session, vault):
        ring = vault.ring()
        if ring is None:
            raise click.ClickException("还没有初始化 / not set up")
        click.echo(f"generation {ring.generation}")
        for kek_id, state, number in keeping.keys_of(session, ring):
            click.echo(f"key {kek_id}\t{state}\t{number} records")
        open_escrow(session, vault)
        click.echo("已解封 / unsealed")


@escrow_cli.command("rotate")
@click.option(
    "--destroy", type=int, help="instead: destroy this key, which no record and no backup needs any more"
)
@click.option(
    "--anyway", is_flag=True, help="begin a new key though damaged records are left under an older one"
)
def rotate_command(destroy: int | None, anyway: bool) -> None:
    """Wrap every record under a new key while all is served. Stopped anywhere, it is run again and goes on."""
    now = runtime().clock.now()
    with _changing() as (session, vault):
        if destroy:
            keeping.destroy(session, vault, destroy, now)
            session.commit()
            click.echo(f"密钥 {destroy} 已销毁 / destroyed")
            return
        ring = keeping.begin_rotation(session, vault, now, anyway=anyway)
        session.commit()
        number, refused = _rewrap_all(vault)
    click.echo(f"generation {ring.generation}, key {ring.active.kek_id}: {number} records")
    if refused:
        click.echo("\n".join(["这些记录打不开，没有动 / left as they are:", *refused]), err=True)
        sys.exit(1)


def _rewrap_all(vault: Vault) -> tuple[int, list[str]]:
    number, refused, after = 0, [], None
    while True:
        session = begin_write(db.session())
        after, done, bad = keeping.rotate_batch(session, vault, after)
        session.commit()
        number += done
        refused += bad
        if after is None:
            return number, refused


@escrow_cli.command("passphrase")
def passphrase_command() -> None:
    """Set another passphrase; the escrow must be open."""
    passphrase = _new_passphrase()
    with _changing() as (session, vault):
        keeping.change_passphrase(session, vault, vault.root(), passphrase, runtime().clock.now())
        session.commit()
    click.echo("口令已更换 / changed")


@escrow_cli.command("verify")
def verify_command() -> None:
    """Open every record in memory; exit 1 and name each that is not what was filed."""
    with _writing(reads=True) as (session, vault):
        _report(session, keeping.verify(session, open_escrow(session, vault)))


@escrow_cli.command("recover")
@_KEY_FILE
def recover_command(recovery_file: Path | None) -> None:
    """Unseal by the recovery key, after ROOT or its passphrase was lost; then set a passphrase or keep ROOT's file."""
    with _writing() as (_, vault):
        vault.put_root(keeping.recovered_root(vault, _typed(recovery_file)))
    click.echo("已用恢复密钥解封 / unsealed by the recovery key")


@escrow_cli.command("drill")
@_KEY_FILE
def drill_command(recovery_file: Path | None) -> None:
    """Prove that the recovery key alone opens every record; nothing is written."""
    with _writing(reads=True) as (session, vault):
        _report(session, keeping.drill(session, vault, _typed(recovery_file)))


@escrow_cli.command("export")
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
def export_command(target: Path) -> None:
    """Copy the keyring to an empty folder apart from database and backups; it opens only with the recovery key."""
    settings = runtime().settings
    apart = [settings.var_dir, settings.blob_dir, settings.escrow_dir]
    url = settings.database_url
    if url.startswith("sqlite:///"):
        apart.append(Path(url.removeprefix("sqlite:///")).parent)
    with _writing() as (session, vault):
        copied = keeping.export(session, vault, target, apart, runtime().clock.now())
        session.commit()
    click.echo(str(copied))


def _report(session: Session, result: keeping.Verified) -> None:
    click.echo(f"{result.opened} records open")
    for secret_id, version, what in result.broken:
        click.echo(f"secret {secret_id} v{version}: {what}", err=True)
    if result.broken:
        session.rollback()
        begin_write(session)
        keeping.broken_events(session, result, runtime().clock.now())
        session.commit()
        sys.exit(1)


def _typed(recovery_file: Path | None) -> str:
    if recovery_file is not None:
        return recovery_file.read_text("utf-8")
    return str(click.prompt("Recovery key", hide_input=True))


def _new_passphrase() -> str:
    text: str = click.prompt("New passphrase", hide_input=True, confirmation_prompt=True)
    if len(text) < _MIN_CHARS:
        raise click.ClickException(f"口令至少 {_MIN_CHARS} 个字符 / at least {_MIN_CHARS} characters")
    return text


@contextmanager
def _writing(*, reads: bool = False) -> Iterator[tuple[Session, Vault]]:
    """A refusal is one line and exit code 1; what is not committed inside is undone.

    `reads`: it takes long and nobody may have to wait for it.
    """
    session = db.session() if reads else begin_write(db.session())
    try:
        yield session, runtime().vault
    except DomainError as exc:
        session.rollback()
        click.echo(f"{exc.code}: {exc.detail}", err=True)
        sys.exit(1)
    finally:
        session.rollback()


@contextmanager
def _changing() -> Iterator[tuple[Session, Vault]]:
    """As `_writing`, by one process at a time; its turn comes first, or it would wait with the database locked."""
    with runtime().vault.changing(), _writing() as found:
        yield found
