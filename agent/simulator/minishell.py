"""The little of a shell that canned mode understands: simple commands, `;`, newlines, `&&`, `||`, `$?`,
`2>&1`, `[ A = B ]`, and `"$(command)"` as a whole word.

Anything else is refused aloud: a wrong answer would be worse than none.
"""

import contextlib
import re
import shlex

from agent.simulator import android
from agent.simulator.files import FileError
from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

_TOKEN = re.compile(
    r"""[ \t]*(?:
        (?P<operator> ; | \n | && | \|\| ) |
        (?P<redirect> 2>&1 | [12]?>[ ]?/dev/null ) |
        (?P<word> (?: [^\s;&|<>()'"\\`*?{}$] | \$\? | \\. | '[^']*' | "(?:[^"\\$`]|\\.|\$\?)*" |
                     "\$\([^()"'`$\\]*\)" )+ )
    )""",
    re.VERBOSE,
)
_NOT_FOUND = 127


class NotUnderstood(Exception):
    """The command needs a real shell."""


def execute(command: str, phone: PhoneState, stdin: bytes = b"") -> Output:
    """Run a command line; exit code 127 and a message when canned mode does not understand it. `stdin` is every
    command's.
    """
    try:
        steps = _parse(command)
    except NotUnderstood as error:
        return failed(f"sh: canned phone: {error}\n", _NOT_FOUND)
    stdout, stderr, code = b"", b"", 0
    gone = silent = False
    for operator, words, redirects in steps:
        if (operator == "&&" and code) or (operator == "||" and not code):
            continue
        output = _redirected(_simple(words, phone, code, stdin), redirects)
        stdout, stderr, code = stdout + output.stdout, stderr + output.stderr, output.exit_code
        gone, silent = gone or output.gone, silent or output.silent
        if words[0] == "exit":
            break
    return Output(stdout, stderr, code, gone, silent)


Step = tuple[str, list[str], list[str]]


def _parse(command: str) -> list[Step]:
    """(operator before it, words, redirects) of each simple command."""
    steps: list[Step] = [(";", [], [])]
    position = 0
    text = command.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise NotUnderstood(f"needs a real shell at {text[position : position + 20]!r}")
        position = match.end()
        if match["operator"]:
            steps.append((match["operator"], [], []))
        elif match["redirect"]:
            steps[-1][2].append(match["redirect"].replace(" ", "").removeprefix("1"))
        else:
            steps[-1][1].append(match["word"])
    return [step for step in steps if step[1]]


def _redirected(output: Output, redirects: list[str]) -> Output:
    stdout, stderr = output.stdout, output.stderr
    for redirect in redirects:
        if redirect == "2>&1":
            stdout, stderr = stdout + stderr, b""
        elif redirect == "2>/dev/null":
            stderr = b""
        else:
            stdout = b""
    return Output(stdout, stderr, output.exit_code, output.gone, output.silent)


def _simple(words: list[str], phone: PhoneState, last_code: int, stdin: bytes = b"") -> Output:
    argv = [_expanded(word, phone, last_code) for word in words]
    name, *rest = argv
    if name == "echo":
        return said(" ".join(rest) + "\n")
    if name in ("true", ":"):
        return Output()
    if name == "false":
        return Output(exit_code=1)
    if name == "rm" and rest[:1] == ["-f"]:
        return _removed(rest[1:], phone)
    if name == "sleep":
        # Nobody waits for a phone that answers at once.
        return Output()
    if name == "[" and len(rest) == 4 and rest[1] in ("=", "!=") and rest[3] == "]":
        return Output(exit_code=int((rest[0] == rest[2]) != (rest[1] == "=")))
    if name == "exit":
        return Output(exit_code=int(rest[0]) & 0xFF if rest and rest[0].isdigit() else last_code)
    return android.run(argv, phone, stdin)


def _removed(paths: list[str], phone: PhoneState) -> Output:
    """`rm -f FILE…`, silent about what is not there."""
    for path in paths:
        with contextlib.suppress(OSError, FileError):
            if phone.tree is not None:
                phone.tree.real(path, writing=True).unlink(missing_ok=True)
    return Output()


def _expanded(word: str, phone: PhoneState, last_code: int) -> str:
    """A word without its quotes; a whole word `"$(command)"` is what that prints, its last line ends left out."""
    if word.startswith('"$('):
        return execute(word[3:-2], phone).stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    return "".join(shlex.split(_with_code(word, last_code)))


def _with_code(word: str, last_code: int) -> str:
    """`$?` outside single quotes becomes the last exit code."""
    parts = re.split(r"('[^']*')", word)
    return "".join(part if part.startswith("'") else part.replace("$?", str(last_code)) for part in parts)
