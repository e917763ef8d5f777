"""The recovery key: its public half seals backups and the escrow's root here, its private half is on paper."""

from __future__ import annotations

import base64
import datetime as dt
import os
import uuid
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from app.kernel.errors import Conflict, Invalid, Unavailable

_NAME = "recovery.pub"
_PREFIX = "BUTLER-RECOVERY-1-"


def text_of(private: X25519PrivateKey) -> str:
    """As people keep it."""
    return _PREFIX + base64.b32encode(private.private_bytes_raw()).decode().rstrip("=")


def sheet(key: str, installation: uuid.UUID, now: dt.datetime) -> str:
    """The page to be printed. The key stands last, so that the whole page can be given where the key is asked for."""
    return (
        "恢复密钥 / Recovery key\n\n"
        "有了它，再有密钥环或备份，就能打开全部托管的密码和全部备份；没有它，主密钥丢了就谁也打不开。\n"
        "打印或抄写两份，锁在两处；不要拍照，不要留在电脑里；打印以后删除这个文件。\n"
        "Whoever has it, with the keyring or a backup, opens every password and every backup.\n"
        "Print it twice, lock both copies away in two places, keep none on a computer.\n\n"
        f"安装 / installation  {installation}\n"
        f"日期 / date          {now.date().isoformat()}\n\n"
        f"{key}\n"
    )


def adopt(key_dir: Path, public: bytes) -> None:
    """Seal to this public half from now on.

    Raise `Conflict` when there is another one here, `Invalid` for no public key.
    """
    if len(public) != 32:
        raise Invalid("公钥应为 32 字节 / a public key has 32 bytes")
    key_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with (key_dir / _NAME).open("x", encoding="ascii") as out:
            out.write(public.hex() + "\n")
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        raise Conflict(
            f"恢复公钥已存在：{key_dir / _NAME}；确实要换，先把它移走 / there is one already: move it away first"
        ) from None


def adopted(key_dir: Path) -> bool:
    return (key_dir / _NAME).exists()


def public_half(key_dir: Path) -> X25519PublicKey:
    """Raise `Unavailable` when there is none, or it is damaged."""
    try:
        return X25519PublicKey.from_public_bytes(bytes.fromhex((key_dir / _NAME).read_text("ascii")))
    except FileNotFoundError:
        raise Unavailable(
            "还没有恢复公钥，请先运行 flask escrow init / there is no recovery key: run `flask escrow init`, "
            "or, without an escrow, `flask backup init-key`"
        ) from None
    except ValueError:
        raise Unavailable(f"{_NAME} 已损坏 / is damaged") from None


def private_half(text: str) -> X25519PrivateKey:
    """What people kept, or the whole sheet. Blanks and small letters do not matter. Raise `Invalid`."""
    typed = "".join(text.split()).upper()
    _, prefix, letters = typed.rpartition(_PREFIX)
    try:
        raw = base64.b32decode(letters + "====")
    except ValueError:
        raw = b""
    if not prefix or len(raw) != 32:
        raise Invalid("这不是恢复密钥 / this is no recovery key")
    return X25519PrivateKey.from_private_bytes(raw)
