"""Canned mode's answer to the on-phone snapshot script: its lines are followed here, with no process.

The script's own text is what is followed, so a section that is added there appears here, too; a line of a
form that is not known here is refused aloud. A test compares this with what the machine's mksh makes of the
same script.
"""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from agent.phone import asks_history, collected_of, nonce_of
from agent.simulator import android
from agent.simulator.android.system import SU, proc_files
from agent.simulator.output import Output, failed
from agent.simulator.state import PhoneState

_SECTION = re.compile(r"[sf] \S")
_ERRORS = re.compile(r"^E='(.*)'$", re.MULTILINE)
_PROC = re.compile(r"^o=\$\(<\$P/(\S+)\) && put (\w+) 0$")
_MEDIA = re.compile(r"^o=\$\(\$T find /sdcard/ .*\) && put (\w+) 0$")
_SU = re.compile(r"^o=; for w in (.+); do .*; done; put (\w+) 0$")
_UNLESS = re.compile(r"^\[\[ \$o = \*(\S+)\* \]\] \|\| ")
_JOURNAL = "[[ -r $J ]] && s journal sh $J contact $A"
_HISTORY = "[[ -n $H ]] && "
_LOOP = "for u in ${us:-0}; do"
_USER = re.compile(r"UserInfo\{([0-9]+):")


@dataclass(frozen=True, slots=True)
class Step:
    """One command: `kind` is the script's function (`s`, `f`), `proc`, `media`, `su` or `journal`; `f` has a filter.

    `unless` stands for words that make it needless where the command before printed them.
    """

    kind: str
    section: str
    argv: tuple[str, ...]
    wanted: Callable[[str], object] | None = None
    errors: "_Errors | None" = None
    optional: bool = False
    unless: bytes = b""

    @property
    def lists_packages(self) -> bool:
        """Whether what it prints follows from `Installed` alone."""
        return self.argv[:3] in {("pm", "list", "packages"), ("dumpsys", "package", "packages")}


class _Errors:
    """The pattern of a failed service's words. Nearly every text has none, which single literals tell at
    once.
    """

    def __init__(self, pattern: str) -> None:
        self.search = re.compile(pattern).search
        self._hints = [re.compile(part.strip("^$")) for part in pattern.split("|")]

    def may_be_in(self, text: str) -> bool:
        return any(hint.search(text) for hint in self._hints)


def render(command: str, phone: PhoneState) -> Output:
    """What the script prints on this phone. Exit code 127 and a message when the command is no such script."""
    nonce = nonce_of(command)
    if nonce is None:
        return failed("sh: canned phone: not the snapshot script\n", 127)
    steps, per_user = _steps(command.partition("\n")[2].partition("\n")[2])
    lists = _lists(Installed(phone))
    pieces: list[bytes] = []
    users: list[str] = []
    frame: list[bytes] = []
    for alternatives in steps:
        if alternatives is None:
            for user in users or ["0"]:
                for each in per_user:
                    pieces += _frames(nonce, user, each, phone, lists)
            continue
        if alternatives[0].optional and not asks_history(command):
            continue
        if alternatives[0].section == "journal":
            pieces += _journal_frame(nonce, command, phone)
            continue
        if alternatives[0].unless and alternatives[0].unless in frame[1]:
            continue
        frame = _frames(nonce, "", alternatives, phone, lists)
        pieces += frame
        if alternatives[0].section == "users":
            users = _USER.findall(b"".join(frame).decode("utf-8", "replace"))
    pieces.append(f"{nonce} done\n".encode())
    return Output(b"".join(pieces))


def _journal_frame(nonce: str, command: str, phone: PhoneState) -> list[bytes]:
    if not phone.journal.installed:
        return []
    text = phone.journal.contact(phone, collected_of(command)).rstrip("\n")
    return [f"{nonce} b journal\n{text}\n{nonce} e journal 0\n".encode()]


class Installed:
    """A phone as far as its packages go: equal for as long as none of them was replaced (they are frozen)."""

    __slots__ = ("_hash", "_key", "_packages", "phone")

    def __init__(self, phone: PhoneState) -> None:
        self.phone = phone
        self._packages = tuple(phone.packages)  # kept alive: the key holds their ids
        self._key = (
            phone.identity.sdk,
            tuple(user.id for user in phone.users),
            frozenset(phone.unreadable_users),
            (*phone.ways, *phone.refused),
            tuple(map(id, self._packages)),
        )
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Installed) and self._key == other._key


@lru_cache(maxsize=4)
def _steps(body: str) -> tuple[list[tuple[Step, ...] | None], list[tuple[Step, ...]]]:
    """The script's steps in order, each with its alternatives (`a || b`); None stands for the loop over the
    users.
    """
    found = _ERRORS.search(body)
    errors = _Errors(found[1] if found else "$^")
    main: list[tuple[Step, ...] | None] = []
    per_user: list[tuple[Step, ...]] = []
    in_loop = False
    for line in body.split("\n"):
        if line == _LOOP:
            in_loop = True
            main.append(None)
        elif line == "done":
            in_loop = False
        elif (known := _known_line(line, errors)) is not None:
            main.append((known,))
        elif _SECTION.match(line) and "()" not in line:
            alternatives = tuple(_step(part, errors) for part in line.split(" || "))
            (per_user if in_loop else main).append(alternatives)
    return main, per_user


def _known_line(line: str, errors: _Errors) -> Step | None:
    """The step of a line that is no plain section; None for every other line."""
    if proc := _PROC.match(line):
        return Step("proc", proc[2], (proc[1],))
    if media := _MEDIA.match(line):
        return Step("media", media[1], ())
    if su := _SU.match(line):
        return Step("su", su[2], tuple(su[1].split()))
    if line == _JOURNAL:
        return Step("journal", "journal", ())
    if line.startswith(_HISTORY):
        return replace(_step(line.removeprefix(_HISTORY), errors), optional=True)
    if unless := _UNLESS.match(line):
        return replace(_step(line[unless.end() :], errors), unless=unless[1].encode())
    return None


def _step(text: str, errors: _Errors) -> Step:
    kind, name, *argv = shlex.split(text)
    if kind == "s":
        return Step(kind, name, tuple(argv))
    return Step(kind, name, tuple(argv[1:]), _line_filter(argv[0]), errors)


def _line_filter(pattern: str) -> Callable[[str], object]:
    """`grep -E PATTERN` for one line. A search at every place of a line would take most of the whole
    answer's time.
    """
    if all(part.startswith("^") for part in pattern.split("|") if "(" not in pattern.partition(part)[0]):
        return re.compile(pattern).match
    return re.compile(pattern).search


_Lists = dict[tuple[str, tuple[str, ...]], tuple[bytes, int]]


@lru_cache(maxsize=2048)
def _lists(installed: Installed) -> _Lists:  # noqa: ARG001 - it is the cache's key
    """What the lists of packages print, by section and command, filled as they are asked for.

    They are most of a snapshot; made anew for every answer they would be most of a load test's time.
    """
    return {}


def _frames(
    nonce: str, user: str, alternatives: tuple[Step, ...], phone: PhoneState, lists: _Lists
) -> list[bytes]:
    """One frame for each alternative up to the first that succeeds, as the shell's `||` runs them."""
    pieces: list[bytes] = []
    for step in alternatives:
        section = step.section.replace("$u", user)
        if step.lists_packages:
            known = lists.get((section, step.argv))
            text, code = known or lists.setdefault((section, step.argv), _run(step, user, phone))
        else:
            text, code = _run(step, user, phone)
        begin, end = f"{nonce} b {section}\n", f"\n{nonce} e {section} {code}\n"
        pieces += (begin.encode(), text, end.encode())
        if code == 0:
            break
    return pieces


def _run(step: Step, user: str, phone: PhoneState) -> tuple[bytes, int]:
    if step.kind == "proc":
        return proc_files(phone)[step.argv[0]].rstrip("\n").encode(), 0
    if step.kind == "media":
        return str(phone.tree.media_count() if phone.tree is not None else 0).encode(), 0
    if step.kind == "su":
        return (f" {SU}" if phone.su else "").encode(), 0
    output = android.run([word.replace("$u", user) for word in step.argv], phone)
    printed = output.stdout + output.stderr
    if step.wanted is None or step.errors is None:
        return printed.rstrip(b"\n"), output.exit_code
    text = printed.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    if step.errors.may_be_in(text):
        kept = [line for line in lines if step.wanted(line) or step.errors.search(line)]
    else:
        kept = [line for line in lines if step.wanted(line)]
    shown = "\n".join(kept).rstrip("\n").encode("utf-8", "surrogateescape")
    return shown, output.exit_code if kept else 1
