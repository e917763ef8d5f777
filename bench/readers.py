"""Every parser of what phones print, given texts that were never printed: pieces of dumps cut, mixed, repeated, spoilt.

A parser may answer or raise `Unreadable`; anything else is a failure, and so is one that takes more than its share of
time: a text four times as long, made by repeating a piece, must not take ten times as long. Time is the processor's, so
that a neighbour's work does not count, and what looks slow is measured again before it is held against a parser.
"""

from __future__ import annotations

import random
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from agent.parsers import (
    Unreadable,
    device,
    device_policy,
    evidence,
    identity,
    packages,
    power,
    power_history,
    props,
    users,
)
from agent.parsers.common import complaint
from agent.parsers.components import parse_component, parse_components, parse_default_app, parse_resolved
from agent.parsers.dumps import read_dump
from agent.parsers.frames import parse_frames
from agent.parsers.journal import parse_journal
from agent.parsers.removal import parse_app, said_code
from agent.parsers.roles import parse_role_holders, parse_roles
from agent.parsers.security import (
    parse_build_tags,
    parse_debuggable,
    parse_loader_locked,
    parse_selinux,
    parse_su,
    parse_verified_boot,
)

_TESTS = Path(__file__).resolve().parent.parent / "tests"
_KEPT = (_TESTS / "agent" / "parsers" / "corpus", _TESTS / "fixtures" / "android")
_NONCE = "butler7f3a"
_DATE = evidence.PhoneDate(1_714_600_000, 28_800)
_SHORT, _TIMES, _LONGER = 24_000, 4, 10
_HANG_S, _FLOOR_S = 20, 0.02
_STRETCHED = 5
_WORD = re.compile(r"\w+[^\w\s]?")
_SEEDS = (
    "  level: 57\n  scale: 100\n  status: 2\nmWakefulness=Awake\n210923.55 1180021.90\n",
    'user=0\n  time="2026-05-03 19:40:51" type=DEVICE_SHUTDOWN package=android flags=0x0\n',
    "Result: Parcel(\n  0x00000000: 00000000 0000000f 00390034 00310030 '........4.9.0.1.'\n",
    "public:179,1 mounted 1A2B-3C4D\nprivate mounted null\n4096:1000:500\n1714600000 +0800\n",
    f"{_NONCE} b getprop\n[a]: [1]\n{_NONCE} e getprop 0\n{_NONCE} done\n",
    "v 3\nr 1\nf a\n1 SERIAL 6e8bc430-9c3a-11d9-9669-0800200c9a66 4 1.5 60.25 1 80 1 0 LOADED open 77\ne a\n",
    'User 0\n  CredentialType: PIN\n User "机主" (id=0, flags=0x13): deviceLocked=1\n',
    "priority=0 preferredOrder=0 isDefault=true\ncom.miui.home/.Launcher\nEnforcing\n/sbin/su\n",
    "java.lang.SecurityException: Permission Denial\nDUMP TIMEOUT\nCan't find service: role\n",
    "No operations.\nandroid.app.role.SMS;com.a.b\ncom.a/.B:c.d/e.F\n",
)
_ODD = (
    "\0",
    "\r",
    "\r\n",
    "\u2028",
    "\ufffd",
    "\t",
    "]",
    "[",
    "{",
    "}",
    "=",
    "==",
    ":",
    ": ",
    "/",
    ",",
    " ",
    "  ",
)
_ODD_WORDS = (
    "null",
    "-1",
    "9" * 30,
    "0x",
    "用户",
    "Ꮪ",
    "é",
    "Package [",
    "DUMP OF SERVICE ",
    "]: [",
    "signatures:[",
)


@dataclass(slots=True)
class Found:
    """`texts` were given to all parsers, `stretched` to one each at two lengths; `failures` say what went wrong."""

    texts: int = 0
    answers: int = 0
    refusals: int = 0
    stretched: int = 0
    growth: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def figures(self) -> Mapping[str, int]:
        return {
            "texts": self.texts,
            "answers": self.answers,
            "refusals": self.refusals,
            "stretched": self.stretched,
            "most_times_longer_for_four_times_the_text_percent": round(100 * self.growth),
        }


def run(seconds: float, seed: int, texts: int | None = None) -> Found:
    """Try for so many seconds, or until so many `texts`, or until ten failures; the same seed, the same texts."""
    draw = random.Random(seed)
    kept = [path for folder in _KEPT for path in sorted(folder.iterdir())]
    corpus = [*_SEEDS, *(path.read_text(encoding="utf-8") for path in kept)]
    found, end = Found(), time.monotonic() + seconds
    with _alarm():
        while time.monotonic() < end and len(found.failures) < 10 and found.texts != texts:
            text = _mutate(draw, corpus)
            found.texts += 1
            for name, parse in PARSERS.items():
                _try(found, name, parse, text)
            for _ in range(0 if texts else _STRETCHED):
                _stretch(found, draw, draw.choice(corpus))
    return found


def _mutate(draw: random.Random, corpus: list[str]) -> str:
    text = draw.choice(corpus)
    for _ in range(draw.randint(0, 6)):
        text = draw.choice(_MUTATIONS)(draw, text, draw.choice(corpus))
    return text


def _lines_mixed(draw: random.Random, text: str, other: str) -> str:
    lines, more = text.split("\n"), other.split("\n")
    at, start = draw.randint(0, len(lines)), draw.randrange(len(more))
    lines[at : at + draw.randint(0, 3)] = more[start : start + draw.randint(0, 8)]
    return "\n".join(lines)


def _cut(draw: random.Random, text: str, _other: str) -> str:
    at = draw.randint(0, len(text))
    return text[:at] if draw.random() < 0.7 else text[at:]


def _spoilt(draw: random.Random, text: str, _other: str) -> str:
    at = draw.randint(0, len(text))
    return text[:at] + draw.choice(_ODD + _ODD_WORDS) + text[at + draw.randint(0, 3) :]


def _repeated(draw: random.Random, text: str, _other: str) -> str:
    at = draw.randint(0, len(text))
    return text[:at] + text[at : at + draw.randint(1, 30)] * draw.choice((2, 10, 300)) + text[at:]


def _windows(_draw: random.Random, text: str, _other: str) -> str:
    return text.replace("\n", "\r\n")


_MUTATIONS = (_lines_mixed, _lines_mixed, _cut, _spoilt, _spoilt, _repeated, _windows)


def _try(found: Found, name: str, parse: Callable[[str], object], text: str) -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, _HANG_S)
    try:
        parse(text)
        found.answers += 1
    except Unreadable:
        found.refusals += 1
    except Exception as exc:  # noqa: BLE001 - the proof's very question
        found.failures.append(f"{name}: {exc!r} at {text[:300]!r} ({len(text)} characters)")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _stretch(found: Found, draw: random.Random, text: str) -> None:
    """One piece of a text repeated where it stands, behind what stands before it, and an end that fits nothing."""
    at = draw.randrange(len(text))
    word = _WORD.match(text, at)
    piece = draw.choice((text[at], word[0] if word else text[at], text[at : at + draw.randint(2, 40)]))
    head, tail = draw.choice((text[:at], text[:at], "")), draw.choice(("!", "!", "", "\n", "]"))
    # It has more expressions than all others together.
    name = "read_dump" if draw.random() < 0.5 else draw.choice(list(PARSERS))
    found.stretched += 1
    failed = len(found.failures)
    growth = _growth(found, name, head, piece, tail)
    if growth > _LONGER and len(found.failures) == failed:
        growth = min([growth, *(_growth(found, name, head, piece, tail) for _ in range(4))])
    found.growth = max(found.growth, growth)
    if growth > _LONGER:
        found.failures.append(
            f"{name}: {growth:.1f} times as long at {_TIMES} × {piece!r} behind {head[-80:]!r}, {tail!r}"
        )


def _growth(found: Found, name: str, head: str, piece: str, tail: str) -> float:
    often = _SHORT // len(piece)
    short, long = (f"{head}{piece * (often * times)}{tail}" for times in (1, _TIMES))
    first, second = _seconds(found, name, short), _seconds(found, name, long)
    return second / max(first, _FLOOR_S / _TIMES) if second > _FLOOR_S else 0.0


def _seconds(found: Found, name: str, text: str) -> float:
    begin = time.process_time()
    _try(found, name, PARSERS[name], text)
    return time.process_time() - begin


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError("a parser hangs")

    former = signal.signal(signal.SIGVTALRM, ring)
    try:
        yield
    finally:
        signal.signal(signal.SIGVTALRM, former)


def _account(text: str) -> None:
    dump = read_dump(text)
    counted = [part.tally for part in dump.parts]
    if dump.lines != text.count("\n") + (text != "" and not text.endswith("\n")):
        raise AssertionError("a line was lost between the parts")
    if any(one.lines != one.understood + one.skipped + len(one.unread) for one in counted):
        raise AssertionError("a line was lost in a part")


def _of_props(parse: Callable[[Mapping[str, str]], object]) -> Callable[[str], object]:
    return lambda text: parse(props.parse_props(text))


def _details(text: str) -> None:
    for block in packages.parse_details(text).values():
        packages.suspended(block[4], packages.user_head(0))


PARSERS: dict[str, Callable[[str], object]] = {
    "read_dump": _account,
    "parse_props": props.parse_props,
    "parse_boot_reasons": props.parse_boot_reasons,
    **{
        parse.__name__: _of_props(parse)
        for parse in (
            identity.parse_identity,
            identity.imeis_from_props,
            device.parse_sims,
            evidence.parse_encryption,
            parse_verified_boot,
            parse_loader_locked,
            parse_debuggable,
            parse_build_tags,
        )
    },
    **{
        parse.__name__: parse
        for parse in (
            identity.parse_imei_parcel,
            device.parse_storage,
            device.parse_settings,
            device.parse_unknown_sources,
            device_policy.parse_device_owner,
            device_policy.parse_profile_owners,
            device_policy.parse_admins,
            evidence.parse_date,
            evidence.parse_volumes,
            evidence.parse_count,
            packages.parse_listing,
            packages.parse_names,
            power.parse_uptime,
            power.parse_boot_id,
            power.parse_battery,
            power.parse_screen_on,
            power_history.parse_usagestats,
            power_history.parse_batterystats,
            users.parse_users,
            users.parse_accounts,
            parse_component,
            parse_components,
            parse_default_app,
            parse_resolved,
            parse_role_holders,
            parse_roles,
            parse_selinux,
            parse_su,
            said_code,
            complaint,
        )
    },
    "parse_details": _details,
    "parse_lock": lambda text: device.parse_lock(text, text),
    "parse_installs": lambda text: evidence.parse_installs(text, _DATE),
    "parse_journal": lambda text: parse_journal(text, "SERIAL"),
    "parse_frames": lambda text: parse_frames(text.encode("utf-8", "surrogatepass"), _NONCE),
    "parse_app": lambda text: parse_app(text, "com.example.notes", 0, None),
}
