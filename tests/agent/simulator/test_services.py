import pytest

from agent.simulator.make import make_phone
from agent.simulator.services import ShellRequest, parse_shell
from tests.agent.simulator.client import Client, frames
from tests.agent.simulator.conftest import StartFleet


@pytest.mark.parametrize(
    ("service", "request_"),
    [
        ("shell:id", ShellRequest("id")),
        ("shell:", ShellRequest("", pty=True)),
        ("exec:id: x", ShellRequest("id: x")),
        ("shell,v2,raw:id", ShellRequest("id", framed=True)),
        ("shell,v2,TERM=xterm-256color,raw:a,b:c", ShellRequest("a,b:c", framed=True, term="xterm-256color")),
        ("shell,v2,TERM=xterm,pty:ls", ShellRequest("ls", framed=True, pty=True, term="xterm")),
        ("shell,v2:", ShellRequest("", framed=True, pty=True)),
        ("shell,v3,raw:id", None),
        ("sync:", None),
        ("shell", None),
    ],
)
def test_names_of_shells(service: str, request_: ShellRequest | None) -> None:
    assert parse_shell(service, shell_v2=True) == request_


def test_an_old_phone_knows_only_the_old_shell() -> None:
    assert parse_shell("shell,v2,raw:id", shell_v2=False) is None
    assert parse_shell("shell:id", shell_v2=False) == ShellRequest("id", legacy=True)


@pytest.mark.parametrize(
    "service", ["jdwp:1", "framebuffer:", "track-jdwp", "tcp:80", "", "shell,v3:x", "sync", "\udcff:"]
)
def test_what_a_phone_does_not_offer_is_refused(start: StartFleet, service: str) -> None:
    with Client(start().ports[0]) as client:
        client.connect()
        client.send(b"OPEN", 9, 0, service.encode("utf-8", "surrogateescape") + b"\0")
        assert client.read()[:3] == (b"CLSE", 0, 9)


def test_stderr_apart_only_in_shell_v2(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        client.connect()
        got = client.collect("shell,v2,raw:echo out; cat /none; exit 5")
        assert frames(got) == [(1, b"out\n"), (2, b"cat: /none: No such file or directory\n"), (3, b"\x05")]
        for name in ("shell", "exec"):
            merged = client.collect(f"{name}:echo out; cat /none")
            assert merged == b"out\ncat: /none: No such file or directory\n"


def test_an_old_phone_writes_crlf_in_shell_but_not_in_exec(start: StartFleet) -> None:
    phone = make_phone(10)
    with Client(start(identity=phone.identity, shell_v2=False).ports[0], version=0x01000000) as client:
        client.connect()
        assert client.collect("shell:echo a; echo b") == b"a\r\nb\r\n"
        assert client.collect("exec:echo a") == b"a\n"
        assert client.open("shell,v2,raw:echo a").command == b"CLSE"


def test_a_production_build_is_never_root(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        client.connect()
        assert client.collect("root:") == b"adbd cannot run as root in production builds\n"
        assert client.collect("unroot:") == b"adbd not running as root\n"
