"""Command-line options that every subcommand which talks to phones shares."""

from __future__ import annotations

import argparse
import os
from functools import cache, partial
from pathlib import Path

from agent.adbkey import AdbKey, default_key_path, load_or_create
from agent.transport import TransportOptions

_ADB_PORT = 5037


def add_transport_arguments(parser: argparse.ArgumentParser) -> None:
    """`--adb-key`, `--adb-server`, `--connect-timeout`, `--auth-wait`."""
    parser.add_argument(
        "--adb-key", type=Path, default=default_key_path(), help="ADB 私钥文件，没有则生成（AGENT_ADB_KEY）"
    )
    parser.add_argument(
        "--adb-server",
        type=server_address,
        default=os.environ.get("ADB_SERVER_SOCKET") or f"tcp:127.0.0.1:{_env_port()}",
        help="本机 adb server，默认 tcp:127.0.0.1:5037（ADB_SERVER_SOCKET）",
    )
    parser.add_argument("--connect-timeout", type=float, default=10.0, help="连接时限（秒）")
    parser.add_argument("--auth-wait", type=float, default=10.0, help="等待手机上点“允许”的时间（秒）")


def _env_port() -> str:
    return os.environ.get("ANDROID_ADB_SERVER_PORT", str(_ADB_PORT))


def server_address(text: str) -> tuple[str, int]:
    """`tcp:HOST:PORT` or `tcp:PORT`, as adb itself takes it. Raise `ValueError`, which argparse reports."""
    kind, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    if kind != "tcp" or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not tcp:HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


@cache
def _key(path: Path) -> AdbKey:
    return load_or_create(path)


def transport_options(args: argparse.Namespace) -> TransportOptions:
    """The options of a parsed command line; the key is loaded once, when a phone first asks for it."""
    return TransportOptions(
        connect_s=args.connect_timeout,
        auth_wait_s=args.auth_wait,
        key=partial(_key, args.adb_key),
        adb_server=args.adb_server,
    )
