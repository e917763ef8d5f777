"""`agent adopt TARGET`: register the phone in the hand, keep ADB allowed on it, print its label."""

from __future__ import annotations

import argparse
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from agent import wire
from agent.adopt_questions import Given, Proposal, Quit, WrongAnswer, complete
from agent.cli_options import add_transport_arguments, transport_options
from agent.client import Client, ServerAway, ServerRefused
from agent.enrol import EXIT_AWAY, EXIT_REFUSED, EXIT_USAGE, EnrolError
from agent.errors import AgentError, TransportError, Unauthorised
from agent.label import Label, LabelError
from agent.logs import printable, set_up
from agent.parsers import Unreadable
from agent.parsers.identity import parse_identity
from agent.parsers.props import parse_props
from agent.snapshot import EXIT_NO_PROOF, EXIT_UNAUTHORISED, EXIT_UNREACHABLE, read_snapshot
from agent.state import DEFAULT_STATE, Identity, State
from agent.targets import TargetsError, add_target, require_own_phone
from agent.transport import Transport, TransportOptions, open_transport, parse_target

EXIT_DECLINED = 1
_SETTING = "adb_allowed_connection_time"
_KEEP_ALLOWED = f"settings put global {_SETTING} 0; settings get global {_SETTING}"
_SETTING_DEADLINE_S = 20.0
_TRIES, _PAUSE_S = 3, 2.0


class NoIdentity(AgentError):
    """The phone answered but named no serial of its own: whoever reads it could not tell it from another."""


class OtherPhone(AgentError):
    """Another phone answers at the target than the one that was confirmed."""


class NotWritten(AgentError):
    """The phone is registered, but the targets file or the label could not be written."""


@dataclass(frozen=True)
class Adopted:
    """What the server made of the request."""

    answer: wire.AdoptAnswer
    kept_allowed: int | None


def read_identity(target: str, options: TransportOptions) -> dict[str, Any]:
    """The phone's identity section. Raise `TransportError`, `NoIdentity`."""
    with open_transport(target, options) as transport:
        snapshot = read_snapshot(transport, clock=options.clock)
    identity = snapshot.body["identity"]
    if not snapshot.identified:
        raise NoIdentity(
            "手机没有自己的序列号（没有给出，或是 0123456789ABCDEF、全零之类的占位序列号），"
            "这样的序列号不能识别任何手机 · no serial of its own"
        )
    return dict(identity)


def require_same(transport: Transport, serial: str) -> None:
    """Raise `OtherPhone` if the phone there is not the one that was shown and confirmed.

    Minutes may have passed at the keyboard, and an address may be another phone's by now.
    """
    result = transport.run("getprop", _SETTING_DEADLINE_S)
    try:
        found = parse_identity(parse_props(result.stdout.decode("utf-8", "replace"))).serial
    except Unreadable:
        found = None
    if found != serial:
        raise OtherPhone(f"{transport.target}: {found or '?'}，不是 · is not {serial}")


def keep_allowed(transport: Transport) -> int | None:
    """Let the phone never forget this computer's key; what the setting reads afterwards, None if unreadable."""
    result = transport.run(_KEEP_ALLOWED, _SETTING_DEADLINE_S)
    said = result.stdout.decode("utf-8", "replace").split()
    return int(said[-1]) if said and said[-1].isdecimal() and len(said[-1]) < 16 else None


def post(client: Client, target: str, proposal: Proposal, kept_allowed: int | None) -> wire.AdoptAnswer:
    """Register, trying again under the same request id. Raise `ServerAway`, `ServerRefused`."""
    request: wire.AdoptRequest = {
        "schema": wire.SCHEMA,
        "request": str(uuid.uuid4()),
        "target": target,
        "identity": proposal.identity,
        "asset_tag": proposal.asset_tag,
        "imei": list(proposal.imei),
        "way_back": proposal.way_back,
        "adb_allowed_connection_time": kept_allowed,
    }
    body = wire.canonical_json(request)
    for left in reversed(range(_TRIES)):
        try:
            return _checked(client.post(wire.ADOPT_PATH, body))
        except ServerAway:
            if not left:
                raise
            time.sleep(_PAUSE_S)
    raise AssertionError("unreachable")


def _checked(answer: dict[str, Any]) -> wire.AdoptAnswer:
    handset, tag, status, url = (answer.get(k) for k in ("handset_id", "asset_tag", "status", "label_url"))
    if not isinstance(handset, str) or not isinstance(tag, str) or not isinstance(url, str | None):
        raise ServerAway("the server's answer is not what docs/wire.md says")
    if status not in {"created", "known"}:
        raise ServerAway("the server's answer is not what docs/wire.md says")
    return cast(wire.AdoptAnswer, answer)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("adopt", help="登记手中的手机，保持 ADB 授权，打印标签")
    parser.add_argument("target", metavar="TARGET", help="tcp:HOST:PORT 或 server:SERIAL")
    parser.add_argument("--asset-tag", metavar="TAG", help="资产编号")
    parser.add_argument(
        "--imei", action="append", default=[], metavar="IMEI", help="可重复；没有 IMEI 用 none"
    )
    parser.add_argument("--way-back", choices=["usb_dock", "tap", "none"], help="重启后怎样恢复连接")
    parser.add_argument("--yes", action="store_true", help="不再询问确认")
    parser.add_argument("--state", type=Path, default=Path(DEFAULT_STATE), metavar="DIR", help="状态目录")
    parser.add_argument("--targets-file", type=Path, metavar="F", help="默认：状态目录/targets.txt")
    parser.add_argument("--label-dir", type=Path, metavar="DIR", help="默认：状态目录/labels")
    add_transport_arguments(parser)
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Exit codes: 0 registered, 1 declined, 2 arguments or state, 3, 4, 5 as `snapshot`, 6 server away, 7 refused."""
    set_up(verbose=False)
    try:
        _adopt(args)
    except (AgentError, WrongAnswer, Quit, wire.WireError) as exc:
        code, line = next((code, line) for kind, code, line in _ENDINGS if isinstance(exc, kind))
        detail = _fields(exc.problem) if isinstance(exc, ServerRefused) else ""
        sys.stderr.write(f"{line}{': ' if str(exc) else ''}{exc}{detail}\n")
        return code
    return 0


_ENDINGS: tuple[tuple[type[Exception], int, str], ...] = (
    (Quit, EXIT_DECLINED, "已取消，没有登记，手机未改动 · cancelled, nothing was changed"),
    (NoIdentity, EXIT_NO_PROOF, "拒绝登记 · refused"),
    (Unauthorised, EXIT_UNAUTHORISED, "手机未授权本机，请在手机上点“允许” · not authorised"),
    (
        OtherPhone,
        EXIT_UNREACHABLE,
        "手机已换成另一部，没有登记，手机未改动 · another phone, nothing was changed",
    ),
    (NotWritten, EXIT_USAGE, "手机已登记，但本机文件没有写成 · registered, but not written here"),
    (TransportError, EXIT_UNREACHABLE, "读不到手机 · cannot read the phone"),
    (ServerAway, EXIT_AWAY, "连不上服务器，尚未登记，请稍后重试 · not registered, try again"),
    (ServerRefused, EXIT_REFUSED, "服务器拒绝登记 · refused by the server"),
    (Exception, EXIT_USAGE, "无法登记 · cannot adopt"),
)
"""The first that fits: how a failure ends, and what it is called."""


def _adopt(args: argparse.Namespace) -> None:
    state = State(args.state.expanduser())
    identity = state.identity()
    if identity is None:
        raise EnrolError("本代理尚未登记，先运行 agent enrol CODE · this agent is not enrolled")
    target = parse_target(args.target).text
    if identity.kind == "self":
        require_own_phone([target])
    options = transport_options(args)
    given = Given(args.asset_tag, tuple(args.imei), args.way_back, assume_yes=args.yes)
    proposal = complete(read_identity(target, options), given)
    adopted = _register(state, identity, target, proposal, options)
    _tell(adopted)
    try:
        _remember(args.targets_file or state.targets, target, proposal)
        _print_label(args.label_dir or state.labels, adopted.answer, proposal)
    except (TargetsError, LabelError) as exc:
        raise NotWritten(str(exc)) from exc


def _register(
    state: State, identity: Identity, target: str, proposal: Proposal, options: TransportOptions
) -> Adopted:
    client = Client(identity.server_url, state.keys().ed25519, identity.agent_id)
    try:
        with open_transport(target, options) as transport:
            require_same(transport, str(proposal.identity["serial"]))
            kept_allowed = keep_allowed(transport)
        return Adopted(post(client, target, proposal, kept_allowed), kept_allowed)
    finally:
        client.close()


def _tell(adopted: Adopted) -> None:
    known = "（此前已登记，资料一致）" if adopted.answer["status"] == "known" else ""
    _say(f"✓ 已登记 {adopted.answer['asset_tag']} {known}· registered")
    if adopted.kept_allowed == 0:
        _say("✓ ADB 授权永不过期（已写入并读回 0） · ADB stays allowed")
        return
    read = "读不出来" if adopted.kept_allowed is None else f"读回的是 {adopted.kept_allowed}"
    _say(
        f"✗ ADB 授权有效期没有设置成功（{read}）：7 天不连接后需在手机上重新点“允许” · the setting did not stick"
    )


def _remember(path: Path, target: str, proposal: Proposal) -> None:
    if target.startswith("server:"):
        _say("本机 adb server 会自动列出这部手机，无需写入目标文件 · found through the adb server")
    elif add_target(path, target, proposal.asset_tag):
        _say(f"✓ 已加入 {path} · added to the targets file")
    else:
        _say(f"目标文件中已有 · already in {path}")


def _print_label(folder: Path, answer: wire.AdoptAnswer, proposal: Proposal) -> None:
    model = printable(str(proposal.identity.get("model") or "?"))
    serial = printable(str(proposal.identity["serial"]))
    label = Label(printable(answer["asset_tag"]), model, serial, answer["label_url"])
    sys.stdout.write(label.text())
    for path in label.write(folder):
        _say(f"标签 · label: {path}")


def _fields(problem: dict[str, Any]) -> str:
    """The names of the fields that clash, as the server's problem document lists them."""
    listed = problem.get("errors")
    if not isinstance(listed, list):
        return ""
    lines = [f"{e.get('field')}: {e.get('message')}" for e in listed if isinstance(e, dict)]
    return "".join(f"\n  {printable(line)}" for line in lines)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
