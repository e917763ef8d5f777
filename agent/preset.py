"""`agent preset TARGET`: the removable apps in a phone's box, as a patch for the policy `allowlist`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from agent.cli_options import add_transport_arguments, number, transport_options
from agent.errors import BadTarget, KeyFileError, TransportError, Unauthorised
from agent.logs import printable
from agent.parsers import Unreadable
from agent.parsers.evidence import PhoneDate, parse_date
from agent.parsers.first_installs import Installed, parse_first_installs
from agent.parsers.frames import parse_frames
from agent.phone import preset_command
from agent.preset_rules import Found, NotWhole, Preset, known_apps, preset_of
from agent.snapshot import (
    DEADLINE_S,
    EXIT_ARGUMENTS,
    EXIT_NO_PROOF,
    EXIT_READ,
    EXIT_UNAUTHORISED,
    EXIT_UNREACHABLE,
    read_snapshot,
)
from agent.snapshot_parts import Json, SectionReader
from agent.transport import Transport, open_transport

_POLICIES = Path(__file__).parent.parent / "policies"
_LISTS = ("allowlist/v*.yaml", "app_labels/v*.yaml")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The subcommand `preset`."""
    parser = commands.add_parser(
        "preset", help="读一部新手机，列出厂商预装、可以删除的应用（白名单的 presets）"
    )
    parser.add_argument("target", metavar="TARGET", help="tcp:HOST:PORT 或 server:SERIAL")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--yaml", action="store_true", help="输出可直接贴进应用名单的 YAML（默认）")
    shape.add_argument("--json", action="store_true", help="输出 JSON")
    parser.add_argument(
        "--known",
        type=Path,
        action="append",
        metavar="FILE",
        help="已知应用的名单（每行“包名: 名称”），可重复；默认取程序旁 policies 里的名单和应用名称",
    )
    parser.add_argument(
        "--timeout", type=number(0.1, 3600), default=DEADLINE_S, metavar="S", help="每次读取的总时限（秒）"
    )
    add_transport_arguments(parser)
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Print what was found; the exit code is the snapshot's, 5 also where the apps could not be wholly read."""
    try:
        known = known_apps([path.read_text(encoding="utf-8") for path in args.known or _own_lists()])
        with open_transport(args.target, transport_options(args)) as transport:
            preset = _read(transport, args.timeout)
    except BadTarget as exc:
        return _fail(EXIT_ARGUMENTS, f"目标写法不对：{exc}")
    except KeyFileError as exc:
        return _fail(EXIT_ARGUMENTS, f"ADB 密钥不能用：{exc}")
    except (OSError, UnicodeError) as exc:
        return _fail(EXIT_ARGUMENTS, f"名单文件读不了：{exc}")
    except Unauthorised as exc:
        return _fail(EXIT_UNAUTHORISED, f"手机未授权本机，请在手机上点“允许”：{exc}")
    except TransportError as exc:
        return _fail(EXIT_UNREACHABLE, f"读不到手机：{exc}")
    except NotWhole as exc:
        return _fail(
            EXIT_NO_PROOF, "没有读全，不猜：" + "、".join(printable(str(part)) for part in exc.args[:10])
        )
    for doubt in preset.doubts:
        sys.stderr.write(f"注意：{printable(doubt)}\n")
    sys.stdout.write(_json(preset, known) if args.json else _yaml(preset, known))
    return EXIT_READ


def _own_lists() -> list[Path]:
    """The newest version of each list that lies beside the program; a gateway may have none."""
    found = [sorted(_POLICIES.glob(pattern), key=lambda path: int(path.stem[1:])) for pattern in _LISTS]
    return [paths[-1] for paths in found if paths]


def _read(transport: Transport, deadline_s: float) -> Preset:
    """Raise `TransportError`, `NotWhole`."""
    snapshot = read_snapshot(transport, history=False, deadline_s=deadline_s)
    if not (snapshot.identified and snapshot.proves_on):
        raise NotWhole("手机的身份或开机状态")
    if not snapshot.whole:
        raise NotWhole("手机的回答（中途断开）")
    times, date = _times(transport, deadline_s)
    return preset_of(snapshot.body, times, date)


def _times(transport: Transport, deadline_s: float) -> tuple[Mapping[str, Installed], PhoneDate]:
    command, nonce = preset_command()
    reader = SectionReader(parse_frames(transport.run(command, deadline_s).stdout, nonce))
    try:
        date = parse_date(reader.text("date"))
        return parse_first_installs(reader.text("times"), date), date
    except Unreadable as exc:
        raise NotWhole(f"安装时间（{exc}）") from None


def _yaml(preset: Preset, known: Mapping[str, str]) -> str:
    """A fragment of policy `allowlist`; JSON's texts in quotes are YAML's, too."""
    lines = [
        "# 厂商预装、可以删除的应用。贴到“应用名单”页，或并入服务中心的 allowlist。",
        f"# {printable(preset.brand)} {printable(preset.model)}：列入 {len(preset.apps)} 个",
        *(f"# 注意：{printable(doubt)}" for doubt in preset.doubts),
    ]
    unknown = [app.package for app in preset.apps if app.package not in known]
    if unknown:
        lines.append(f"# 其中 {len(unknown)} 个不在任何已知名单里，请核对（下面标“未知”）")
    lines += ["presets:", f"  {_quoted(preset.brand)}:", f"    {_quoted(preset.model)}:"]
    if not preset.apps:
        lines[-1] += " {}"
    lines += [_row(app, known, "") for app in preset.apps]
    lines += [_row(app, known, "# ") for app in preset.others]
    return "\n".join(lines) + "\n"


def _row(app: Found, known: Mapping[str, str], off: str) -> str:
    notes = [
        note for note in (app.why, f"安装者 {app.installer}" if app.why and app.installer else None) if note
    ]
    if app.package not in known:
        notes.append("未知")
    comment = "  # " + "；".join(notes) if notes else ""
    return f"      {off}{app.package}: {_quoted(known.get(app.package, app.package))}{printable(comment)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _json(preset: Preset, known: Mapping[str, str]) -> str:
    body: Json = {
        "presets": {
            preset.brand: {
                preset.model: {app.package: known.get(app.package, app.package) for app in preset.apps}
            }
        },
        "unknown": [app.package for app in preset.apps if app.package not in known],
        "not_taken": [
            {"package": app.package, "installer": app.installer, "why": app.why} for app in preset.others
        ],
        "doubts": list(preset.doubts),
    }
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def _fail(code: int, message: str) -> int:
    sys.stderr.write(message + "\n")
    return code
