"""`agent enrol CODE`: make this agent known to a server, once."""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent import __version__, wire
from agent.client import Client, ServerAway, ServerRefused, check_url
from agent.errors import AgentError
from agent.state import DEFAULT_STATE, Identity, Kind, State

_MAX_ID = 100
EXIT_USAGE = 2
EXIT_AWAY = 6
EXIT_REFUSED = 7


class EnrolError(AgentError):
    """The code and this state directory, or the code and the server's answer, do not belong together."""


def enrol(state: State, code: wire.EnrolmentCode, *, name: str, kind: Kind) -> Identity:
    """Enrol and store who we are now; a second call with the same server and key only returns that.

    Raise `EnrolError`, `ServerRefused`, `ServerAway` (try again with the same code: it harms nothing).
    """
    url = check_url(code.url)
    known = state.identity()
    if known is not None:
        return _same(known, url, code.key_sha256)
    keys = state.keys()
    client = Client(url, keys.ed25519, wire.ENROL_KEY_ID)
    request: wire.EnrolRequest = {
        "schema": wire.SCHEMA,
        "token": code.token,
        "name": name,
        "ed25519": wire.b64(keys.ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
        "x25519": wire.b64(keys.x25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
        "version": __version__,
        "kind": kind,
    }
    try:
        answer = client.post(wire.ENROL_PATH, wire.canonical_json(request))
    finally:
        client.close()
    identity = _identity(answer, code, url, name, kind)
    state.save_identity(identity)
    return identity


def renew(state: State, code: wire.EnrolmentCode, *, name: str, kind: Kind) -> Identity:
    """Enrol with new keys and only then give the old identity up: a wrong code must not silence a working agent.

    Raise as `enrol`; whatever failed, try again with the same code.
    """
    successor = state.successor()
    identity = enrol(successor, code, name=name, kind=kind)
    state.take_over(successor)
    return identity


def _same(known: Identity, url: str, key_sha256: str) -> Identity:
    if known.server_url == url and wire.key_fingerprint(wire.unb64(known.command_key)) == key_sha256:
        return known
    raise EnrolError(
        f"enrolled already at {known.server_url} as {known.agent_id}; "
        "use another --state directory, or --renew to give that identity up"
    )


def _identity(answer: dict[str, Any], code: wire.EnrolmentCode, url: str, name: str, kind: Kind) -> Identity:
    agent_id, command_key, interval_s = (answer.get(k) for k in ("agent_id", "command_key", "interval_s"))
    if not isinstance(agent_id, str) or not isinstance(command_key, str) or type(interval_s) is not int:
        raise ServerAway("the server's answer to the enrolment is not what docs/wire.md says")
    try:
        raw = wire.unb64(command_key, 32)
    except wire.WireError as exc:
        raise EnrolError("the server's command key is no Ed25519 key; nothing was stored") from exc
    if wire.key_fingerprint(raw) != code.key_sha256:
        raise EnrolError("the server's command key is not the one that the code names; nothing was stored")
    if not 0 < len(agent_id) <= _MAX_ID or not agent_id.isprintable():
        raise ServerAway("the server's answer to the enrolment is not what docs/wire.md says")
    return Identity(url, agent_id, command_key, name, kind, interval_s)


def read_code(source: str) -> wire.EnrolmentCode:
    """The code in a file, or on standard input for `-`. Raise `EnrolError`, `wire.WireError`."""
    try:
        text = _typed() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise EnrolError(f"cannot read the enrolment code from {source}") from exc
    return wire.EnrolmentCode.parse(text)


def _typed() -> str:
    """The code from standard input. At a terminal one line is all: waiting for the end of the input looks hung."""
    if not sys.stdin.isatty():
        return sys.stdin.read(4096)
    sys.stderr.write("请粘贴登记码，然后按回车 · paste the code, then Enter: ")
    sys.stderr.flush()
    return sys.stdin.readline(4096)


def default_name() -> str:
    return platform.node() or "gateway"


def add_parser(subparsers: Any) -> None:
    parser = cast(
        argparse.ArgumentParser,
        subparsers.add_parser("enrol", help="登记本代理 · make this agent known to a server"),
    )
    parser.add_argument("code", metavar="CODE", help="登记码 URL#token#指纹；- 表示从标准输入读取")
    parser.add_argument("--name", default=default_name(), help="这台网关的名称（默认：主机名）")
    parser.add_argument(
        "--kind", choices=["gateway", "self"], default="gateway", help="self：代理运行在手机自身（Termux）"
    )
    parser.add_argument("--state", type=Path, default=Path(DEFAULT_STATE), metavar="DIR", help="状态目录")
    parser.add_argument("--renew", action="store_true", help="放弃现有身份，用新密钥重新登记")
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    try:
        code = read_code("-") if args.code == "-" else wire.EnrolmentCode.parse(args.code)
        state = State(args.state.expanduser())
        with state.only_one():
            enrolled = renew if args.renew else enrol
            identity = enrolled(state, code, name=args.name, kind=args.kind)
    except ServerAway as exc:
        return _fail(EXIT_AWAY, f"登记未完成，请用同一登记码重试 · try again with the same code: {exc}")
    except ServerRefused as exc:
        return _fail(EXIT_REFUSED, f"服务器拒绝登记 · refused by the server: {exc}")
    except (AgentError, wire.WireError) as exc:
        return _fail(EXIT_USAGE, f"无法登记 · cannot enrol: {exc}")
    sys.stdout.write(f"已登记 · enrolled: {identity.agent_id} ({identity.name}) at {identity.server_url}\n")
    return 0


def _fail(code: int, line: str) -> int:
    sys.stderr.write(line + "\n")
    return code
