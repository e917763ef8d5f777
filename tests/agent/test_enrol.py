from __future__ import annotations

import argparse
import io
import logging
from pathlib import Path

import pytest

from agent import enrol as module
from agent import wire
from agent.client import ServerAway, ServerRefused
from agent.enrol import EnrolError, enrol
from agent.state import State
from tests.agent.stub_server import AGENT_ID, Stub, raw


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers(dest="command"))
    return module.main(parser.parse_args(["enrol", *argv]))


def parsed(stub: Stub, token: str = "token") -> wire.EnrolmentCode:
    return wire.EnrolmentCode.parse(stub.code(token))


def test_enrolment_stores_who_we_are(stub: Stub, state: State) -> None:
    identity = enrol(state, parsed(stub), name="前台网关", kind="gateway")
    assert identity == state.identity()
    assert (identity.agent_id, identity.server_url) == (AGENT_ID, stub.url)
    assert wire.unb64(identity.command_key) == raw(stub.command_key)
    (request,) = stub.seen
    assert (request["name"], request["kind"], request["schema"]) == ("前台网关", "gateway", 1)
    assert wire.unb64(request["ed25519"]) == raw(state.keys().ed25519)
    assert len(wire.unb64(request["x25519"])) == 32


def test_a_lost_answer_is_asked_for_again_with_the_same_key(stub: Stub, state: State) -> None:
    stub.faults = ["lost"]
    with pytest.raises(ServerAway):
        enrol(state, parsed(stub), name="n", kind="gateway")
    assert state.identity() is None
    assert enrol(state, parsed(stub), name="n", kind="gateway").agent_id == AGENT_ID
    assert len({request["ed25519"] for request in stub.seen}) == 1


def test_another_command_key_than_the_codes_stops(stub: Stub, state: State) -> None:
    code = wire.EnrolmentCode(stub.url, "token", "0" * 64)
    with pytest.raises(EnrolError, match="not the one that the code names"):
        enrol(state, code, name="n", kind="gateway")
    assert state.identity() is None


def test_a_used_or_unknown_token_is_said(stub: Stub, state: State, tmp_path: Path) -> None:
    with pytest.raises(ServerRefused, match="used up"):
        enrol(state, parsed(stub, "wrong"), name="n", kind="gateway")
    enrol(state, parsed(stub), name="n", kind="gateway")
    with pytest.raises(ServerRefused, match="used up"):
        enrol(State(tmp_path / "other"), parsed(stub), name="n", kind="gateway")


def test_a_wrong_clock_enrols_all_the_same(stub: Stub, state: State) -> None:
    stub.offset_s = 10_000
    assert enrol(state, parsed(stub), name="n", kind="gateway").agent_id == AGENT_ID


def test_enrolling_twice_asks_nobody(stub: Stub, state: State) -> None:
    first = enrol(state, parsed(stub), name="n", kind="gateway")
    assert enrol(state, parsed(stub, "another-token"), name="n", kind="gateway") == first
    assert len(stub.seen) == 1


def test_another_server_does_not_take_the_identity_over(stub: Stub, state: State) -> None:
    enrol(state, parsed(stub), name="n", kind="gateway")
    other = wire.EnrolmentCode("https://other.example.com", "token", "0" * 64)
    with pytest.raises(EnrolError, match="enrolled already"):
        enrol(state, other, name="n", kind="gateway")


@pytest.mark.parametrize(
    "answer",
    [{"interval_s": "60"}, {"interval_s": True}, {"agent_id": None}, {"agent_id": ""}, {"agent_id": "a\nb"}],
)
def test_an_answer_of_another_shape_enrols_nothing(
    stub: Stub, state: State, answer: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.client import Client

    real = Client.post
    monkeypatch.setattr(Client, "post", lambda self, path, body: real(self, path, body) | answer)
    with pytest.raises(ServerAway, match=r"docs/wire\.md"):
        enrol(state, parsed(stub), name="n", kind="gateway")
    assert state.identity() is None


# --- the command --------------------------------------------------------------


def test_command_enrols_and_says_so(stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stub.code(), "--state", str(tmp_path / "s"), "--name", "前台", "--kind", "self") == 0
    assert AGENT_ID in capsys.readouterr().out
    identity = State(tmp_path / "s").identity()
    assert identity
    assert (identity.kind, identity.name) == ("self", "前台")


def test_command_reads_the_code_from_standard_input(
    stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(stub.code() + "\n"))
    assert run("-", "--state", str(tmp_path / "s")) == 0


def test_renew_gives_a_new_key(stub: Stub, tmp_path: Path) -> None:
    stub.tokens["second"] = None
    run(stub.code(), "--state", str(tmp_path / "s"))
    assert run(stub.code("second"), "--state", str(tmp_path / "s"), "--renew") == 0
    assert stub.seen[0]["ed25519"] != stub.seen[1]["ed25519"]


def test_a_renewal_that_fails_leaves_the_old_identity_at_work(stub: Stub, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    run(stub.code(), "--state", str(folder))
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert run(stub.code("wrong"), "--state", str(folder), "--renew") == 7
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    stub.tokens["second"] = None
    stub.faults = ["lost"]
    assert run(stub.code("second"), "--state", str(folder), "--renew") == 6
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert run(stub.code("second"), "--state", str(folder), "--renew") == 0, "the same code goes on"
    assert raw(State(folder).keys().ed25519) == wire.unb64(stub.seen[-1]["ed25519"])
    assert (folder / "ed25519.pem").read_bytes() != before["ed25519.pem"]


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("nonsense", 2, "three parts"),
        ("http://mdm.example.com#s3cret#" + "0" * 64, 2, "use https"),
        ("https://u:p@mdm.example.com#s3cret#" + "0" * 64, 2, "host and port only"),
        ("https://mdm.example.com/butler#s3cret#" + "0" * 64, 2, "host and port only"),
        ("http://127.0.0.1:1#s3cret#" + "0" * 64, 6, "cannot be reached"),
    ],
)
def test_every_failure_has_its_status_and_a_line_without_the_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, status: int, said: str
) -> None:
    assert run(code, "--state", str(tmp_path / "s")) == status
    out, err = capsys.readouterr()
    assert said in err
    assert "s3cret" not in out + err


def test_refusal_has_its_status(stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stub.code("s3cret"), "--state", str(tmp_path / "s")) == 7
    assert "s3cret" not in capsys.readouterr().err


def test_no_token_in_the_log(stub: Stub, state: State, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stub.tokens["s3cret"] = None
    stub.faults = ["lost"]
    with pytest.raises(ServerAway):
        enrol(state, parsed(stub, "s3cret"), name="n", kind="gateway")
    enrol(state, parsed(stub, "s3cret"), name="n", kind="gateway")
    assert "s3cret" not in caplog.text
