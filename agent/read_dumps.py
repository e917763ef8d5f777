"""`agent read FILE…`: what a phone printed, saved in files: how many lines of it the agent understands, and which not.

For IT, to send what a new vendor prints: the unread lines are shown cut and without what looks personal.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.parsers.dumps import Dump, Fact, Part, decode, read_dump, title

EXIT_UNDERSTOOD, EXIT_ARGUMENTS, EXIT_UNREAD = 0, 2, 8
_SHOWN = 20
_LARGEST = 256 * 2**20
_WORDS = {
    "brand": "品牌",
    "model": "型号",
    "android_release": "Android",
    "sdk": "SDK",
    "security_patch": "安全补丁",
    "build_type": "系统版本类型",
    "verified_boot": "启动校验",
    "bootloader_locked": "引导程序已锁",
    "debuggable": "可调试系统",
    "build_tags": "系统签名",
    "packages": "应用数",
    "signed": "有签名摘要的应用数",
    "users": "用户",
    "device_owner": "设备所有者",
    "profile_owners": "用户所有者",
    "device_admins": "设备管理员",
    "roles": "默认应用",
    "accounts": "账号（类型@用户）",
    "accessibility": "已启用的无障碍服务",
    "unknown_sources": "可安装其他应用的应用",
    "keys": "已授权的调试密钥数",
    "power_events": "开关机记录数",
    "battery_percent": "电量（%）",
}


_REASONS = {
    "the phone does not say": "手机没有说明",
    "the phone's properties contradict each other": "手机的属性互相矛盾",
    "not understood": "看不懂",
    "the dump ends too early": "输出不完整",
    "permission denied": "没有权限",
    "timed out on the phone": "手机上超时",
    "not available on this phone": "这部手机没有此功能",
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The subcommand `read`."""
    parser = commands.add_parser(
        "read", help="读取保存下来的手机输出（getprop、dumpsys 等），报告读懂和未读懂的行"
    )
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="文件，或文件夹（读其中所有文件）"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON")
    parser.add_argument("--all", action="store_true", help=f"列出全部未读懂的行（默认每份前 {_SHOWN} 行）")
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Read the files one by one; the exit code says whether every line of them was understood."""
    told: list[dict[str, Any]] = []
    lines = unread = 0
    for path in _files(args.files):
        try:
            dump = _read(path)
        except OSError as exc:
            sys.stderr.write(f"读不了文件：{exc.filename}：{exc.strerror}\n")
            return EXIT_ARGUMENTS
        lines, unread = lines + dump.lines, unread + dump.unread
        if args.json:
            told.append(_as_json(path, dump))
        else:
            sys.stdout.write(_as_text(path, dump, None if args.all else _SHOWN))
    if args.json:
        whole = {"lines": lines, "unread": unread, "files": told}
        sys.stdout.write(json.dumps(whole, ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.write(f"合计 {lines} 行，未读懂 {unread} 行\n")
    return EXIT_UNREAD if unread else EXIT_UNDERSTOOD


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(inner for inner in path.rglob("*") if inner.is_file())
        else:
            yield path


def _read(path: Path) -> Dump:
    if path.stat().st_size > _LARGEST:
        raise OSError(27, f"超过 {_LARGEST >> 20} MB", str(path))
    return read_dump(decode(path.read_bytes()))


def _as_json(path: Path, dump: Dump) -> dict[str, Any]:
    return {
        "file": str(path),
        "lines": dump.lines,
        "parts": [
            {
                "kind": part.tally.kind,
                "lines": part.tally.lines,
                "read": part.tally.read,
                "noise": part.tally.noise,
                "unread": [{"line": row.line, "text": row.text} for row in part.tally.unread],
                "facts": {
                    fact.name: {"value": fact.value} if fact.unread is None else {"unread": fact.unread}
                    for fact in part.facts
                },
            }
            for part in dump.parts
        ],
    }


def _as_text(path: Path, dump: Dump, most: int | None) -> str:
    return "\n".join([f"{path}（{dump.lines} 行）", *(_part(part, most) for part in dump.parts)]) + "\n\n"


def _part(part: Part, most: int | None) -> str:
    counted = part.tally
    figures = (
        f"{counted.lines} 行，读懂 {counted.understood}，"
        f"已知无用 {counted.skipped}，未读懂 {len(counted.unread)}"
    )
    said = [f"  {title(counted.kind)}：{figures}"]
    said += [f"    {_WORDS.get(fact.name, fact.name)}：{_value(fact)}" for fact in part.facts]
    said += [f"    第 {row.line} 行未读懂：{row.text}" for row in counted.unread[:most]]
    if most is not None and len(counted.unread) > most:
        said.append(f"    …… 还有 {len(counted.unread) - most} 行未读懂（--all 全部列出）")
    return "\n".join(said)


def _value(fact: Fact) -> str:
    value = fact.value
    if fact.unread is not None:
        return f"未能读取：{_REASONS.get(fact.unread, fact.unread)}"
    if value is None or value in ([], {}):
        return "无"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(value)
    if isinstance(value, dict):
        return "，".join(f"{name} {_inner(inner)}" for name, inner in value.items())
    return " ".join(str(value).split())


def _inner(value: int | list[str]) -> str:
    return str(value) if isinstance(value, int) else "、".join(value) or "无"
