import pytest

from agent.simulator.make import make_phone
from agent.simulator.minishell import execute
from agent.simulator.runner import execute as canned

PHONE = make_phone(0)


@pytest.mark.parametrize(
    ("command", "stdout", "code"),
    [
        ("", b"", 0),
        ("echo a  'b  c' \"d\"", b"a b  c d\n", 0),
        ("echo 1; echo 2\necho 3", b"1\n2\n3\n", 0),
        ("false; echo rc=$?", b"rc=1\n", 0),
        ("false; echo \"rc=$?\" '$?'", b"rc=1 $?\n", 0),
        ("exit 7; echo no", b"", 7),
        ("false && echo no; true && echo yes", b"yes\n", 0),
        ("false || echo yes; true || echo no", b"yes\n", 0),
        ("getprop ro.product.model 2>/dev/null", b"23013RK75C\n", 0),
        ("cat /none 2>&1; echo rc=$?", b"cat: /none: No such file or directory\nrc=1\n", 0),
        ("echo a >/dev/null; exit", b"", 0),
        ("/system/bin/getprop ro.product.brand", b"Redmi\n", 0),
    ],
)
def test_what_canned_mode_understands(command: str, stdout: bytes, code: int) -> None:
    output = execute(command, PHONE)
    assert (output.stdout, output.exit_code) == (stdout, code)


@pytest.mark.parametrize(
    "command",
    [
        "getprop | grep x",
        "echo $(id)",
        "echo `id`",
        "for a in b; do c; done | d",
        "ls >file",
        "echo $HOME",
        "echo 'a",
        "id &",
    ],
)
def test_what_it_does_not_understand_is_refused_aloud(command: str) -> None:
    output = execute(command, PHONE)
    assert output.exit_code == 127
    assert output.stdout == b""
    assert b"needs a real shell" in output.stderr


def test_an_unknown_command_is_not_found() -> None:
    output = execute("nosuch --flag", PHONE)
    assert (output.stderr, output.exit_code) == (b"/system/bin/sh: nosuch: inaccessible or not found\n", 127)


def test_the_snapshot_script_goes_to_its_renderer() -> None:
    assert b"not the snapshot script" in canned("# butler-snapshot\necho", PHONE).stderr
