"""Command-line options that subcommands share."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
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
    parser.add_argument(
        "--connect-timeout", type=number(0.1, 600), default=10.0, metavar="S", help="连接时限（秒）"
    )
    parser.add_argument(
        "--auth-wait", type=number(0, 600), default=10.0, metavar="S", help="等待手机上点“允许”的时间（秒）"
    )


def number(least: float, most: float, *, whole: bool = False) -> Callable[[str], float]:
    """An argparse type: a number between two limits, both allowed. It says which, in one line."""

    def parse(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            kind = "整数 · a whole number" if whole else "数字 · a number"
            raise argparse.ArgumentTypeError(f"{text!r}：须为 {least:g} 到 {most:g} 的{kind}")
        return value

    return parse


def _env_port() -> str:
    return os.environ.get("ANDROID_ADB_SERVER_PORT", str(_ADB_PORT))


def server_address(text: str) -> tuple[str, int]:
    """`tcp:HOST:PORT` or `tcp:PORT`, as adb itself takes it. An argparse type."""
    kind, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    if kind != "tcp" or not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} 不是 tcp:HOST:PORT（选项或 ADB_SERVER_SOCKET）")
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
