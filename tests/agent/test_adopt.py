from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import adopt as module
from agent import wire
from agent.adopt_questions import (
    Given,
    Proposal,
    Quit,
    WrongAnswer,
    check_imei,
    check_tag,
    check_way,
    complete,
)
from agent.enrol import enrol
from agent.label import Label, LabelError
from agent.main import main
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode, PhoneState
from agent.state import State
from tests.agent.stub_server import Stub

IMEIS = ("867530912345673", "867530912345681")


@pytest.fixture
def phone() -> PhoneState:
    phone = make_phone(0)
    phone.settings["global"]["adb_allowed_connection_time"] = "604800000"
    return phone


@pytest.fixture
def fleet(phone: PhoneState) -> Iterator[Fleet]:
    with Fleet([phone]) as fleet:
        yield fleet


class Desk:
    """An enrolled agent's state, a phone, and a person at the keyboard."""

    def __init__(self, state: State, stub: Stub, fleet: Fleet, key: Path) -> None:
        self.state, self.stub, self.fleet, self.key = state, stub, fleet, key
        enrol(state, wire.EnrolmentCode.parse(stub.code()), name="n", kind="gateway")

    @property
    def target(self) -> str:
        return f"tcp:127.0.0.1:{self.fleet.ports[0]}"

    def adopt(self, *options: str) -> int:
        key = ("--adb-key", str(self.key))
        return main(["adopt", self.target, "--state", str(self.state.path), *key, *options])


@pytest.fixture
def desk(state: State, stub: Stub, fleet: Fleet, tmp_path: Path) -> Desk:
    return Desk(state, stub, fleet, tmp_path / "adbkey")


ALL = ("--asset-tag", "GJ-0001", "--way-back", "usb_dock", "--yes")


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(text))


def test_a_phone_is_registered_with_what_it_tells(
    desk: Desk, phone: PhoneState, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.adopt(*ALL, "--imei", IMEIS[0], "--imei", IMEIS[1]) == 0
    (request,) = desk.stub.adopted
    assert request["identity"]["serial"] == phone.identity.serial
    assert request["identity"]["model"] == phone.identity.model
    assert (request["target"], request["asset_tag"]) == (desk.target, "GJ-0001")
    assert (request["imei"], request["way_back"]) == (list(IMEIS), "usb_dock")
    assert set(request) == set(wire.AdoptRequest.__annotations__)
    shown = capsys.readouterr().out
    assert phone.identity.serial in shown
    assert "已登记 GJ-0001" in shown


def test_adb_is_kept_allowed_and_read_back(
    desk: Desk, phone: PhoneState, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.adopt(*ALL, "--imei", "none") == 0
    assert phone.settings["global"]["adb_allowed_connection_time"] == "0"
    assert desk.stub.adopted[0]["adb_allowed_connection_time"] == 0
    assert "ADB 授权永不过期" in capsys.readouterr().out.rpartition("已登记")[2]


@pytest.mark.parametrize(
    ("said", "kept"), [("604800000", 604800000), ("null", None), ("", None), ("x" * 99, None)]
)
def test_a_setting_that_did_not_stick_is_said(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    kept: int | None,
) -> None:
    monkeypatch.setattr(module, "_KEEP_ALLOWED", f"echo {said}")
    assert desk.adopt(*ALL, "--imei", "none") == 0
    assert desk.stub.adopted[0]["adb_allowed_connection_time"] == kept
    assert "没有设置成功" in capsys.readouterr().out


def test_the_target_is_remembered_once(desk: Desk) -> None:
    desk.adopt(*ALL, "--imei", "none")
    desk.adopt(*ALL, "--imei", "none")
    lines = desk.state.targets.read_text(encoding="utf-8").splitlines()
    assert lines == [f"{desk.target}  # GJ-0001"]


def test_an_answer_that_was_lost_is_asked_for_under_the_same_id(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)
    desk.stub.faults = ["lost"]
    assert desk.adopt(*ALL, "--imei", "none") == 0
    assert len({request["request"] for request in desk.stub.adopted}) == 1
    assert len(desk.stub.adopted) == 2


# --- endings --------------------------------------------------------------------


def test_a_person_is_asked_for_what_is_missing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, f"\nGJ-0002\n867530912345674\n{IMEIS[0]} {IMEIS[1]}\nbus\ntap\ny\n")
    assert desk.adopt() == 0
    (request,) = desk.stub.adopted
    assert (request["asset_tag"], request["imei"], request["way_back"]) == ("GJ-0002", list(IMEIS), "tap")
    assert "867530912345674 不是 IMEI" in capsys.readouterr().out


@pytest.mark.parametrize("answers", ["GJ-1\nnone\ntap\nn\n", "GJ-1\nnone\ntap\n\n", "GJ-1\n", ""])
def test_whoever_does_not_confirm_changes_nothing(
    desk: Desk, phone: PhoneState, monkeypatch: pytest.MonkeyPatch, answers: str
) -> None:
    typed(monkeypatch, answers)
    assert desk.adopt() == 1
    assert desk.stub.adopted == []
    assert phone.settings["global"]["adb_allowed_connection_time"] == "604800000"
    assert not desk.state.targets.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--yes",), "--asset-tag"),
        (("--yes", "--asset-tag", "GJ-1"), "--imei"),
        (("--yes", "--asset-tag", "GJ-1", "--imei", "none"), "--way-back"),
        ((*ALL, "--imei", "867530912345674"), "校验位"),
        ((*ALL, "--imei", "000000000000000"), "校验位"),
        (("--yes", "--asset-tag", " ", "--imei", "none", "--way-back", "tap"), "资产编号"),
    ],
)
def test_without_a_terminal_what_is_missing_or_wrong_is_named(
    desk: Desk, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert desk.adopt(*options) == 2
    assert said in capsys.readouterr().err
    assert desk.stub.adopted == []


@pytest.mark.parametrize("serial", ["0123456789ABCDEF", "unknown", "0000000000", "", "1111"])
def test_a_serial_that_identifies_nothing_is_refused_with_the_reason(
    desk: Desk, phone: PhoneState, capsys: pytest.CaptureFixture[str], serial: str
) -> None:
    phone.identity.serial = serial
    assert desk.adopt(*ALL, "--imei", "none") == 5
    assert "占位序列号" in capsys.readouterr().err
    assert desk.stub.adopted == []


def test_another_phone_at_the_address_by_the_time_of_the_yes_is_neither_changed_nor_registered(
    desk: Desk, phone: PhoneState, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def exchanged(identity: dict[str, Any], given: Given) -> Proposal:
        proposal = complete(identity, given)
        phone.identity.serial = "SOMEBODYELSE"
        return proposal

    monkeypatch.setattr(module, "complete", exchanged)
    assert desk.adopt(*ALL, "--imei", "none") == 3
    assert "SOMEBODYELSE" in capsys.readouterr().err
    assert desk.stub.adopted == []
    assert phone.settings["global"]["adb_allowed_connection_time"] == "604800000"


@pytest.mark.parametrize("broken", ["targets.txt", "labels", "url"])
def test_what_could_not_be_written_does_not_say_that_nothing_was_registered(
    desk: Desk, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    desk.stub.label_url = "https://mdm.example.com/phones/1" + "x" * (5000 if broken == "url" else 0)
    if broken == "labels":
        (desk.state.path / "labels").write_text("")
    elif broken == "targets.txt":
        (desk.state.path / "targets.txt").mkdir()
    assert desk.adopt(*ALL, "--imei", "none") == 2
    assert len(desk.stub.adopted) == 1
    assert "手机已登记" in capsys.readouterr().err


def test_a_phone_that_does_not_allow_us(desk: Desk, phone: PhoneState) -> None:
    phone.auth = AuthMode.NEVER
    assert desk.adopt(*ALL, "--imei", "none", "--auth-wait", "0.2") == 4


def test_a_phone_that_is_not_there(desk: Desk) -> None:
    desk.fleet.power_off(0)
    assert desk.adopt(*ALL, "--imei", "none") == 3


def test_a_conflict_names_the_fields(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.stub.adopt_conflict = True
    assert desk.adopt(*ALL, "--imei", "none") == 7
    err = capsys.readouterr().err
    assert "conflict" in err
    assert "asset_tag" in err
    assert not desk.state.targets.exists()


def test_a_server_that_is_away_says_not_registered(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)
    desk.stub.faults = [500] * 3
    assert desk.adopt(*ALL, "--imei", "none") == 6
    assert "尚未登记" in capsys.readouterr().err


def test_an_agent_that_is_not_enrolled_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adopt", "tcp:127.0.0.1:1", "--state", str(tmp_path / "new")]) == 2
    assert "agent enrol" in capsys.readouterr().err


def test_an_agent_on_the_phone_itself_adopts_no_other(
    stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = State(tmp_path / "self")
    enrol(state, wire.EnrolmentCode.parse(stub.code()), name="n", kind="self")
    for target in ("tcp:10.0.0.7:5555", "server:ABC"):
        assert main(["adopt", target, "--state", str(state.path)]) == 2
        assert "reads only" in capsys.readouterr().err


# --- single answers ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (IMEIS[0], (IMEIS[0],)),
        (f"{IMEIS[0]}，{IMEIS[1]}", IMEIS),
        (f" {IMEIS[0]} {IMEIS[0]} ", (IMEIS[0],)),
        ("none", ()),
        ("无", ()),
    ],
)
def test_imeis_as_they_are_typed(text: str, result: tuple[str, ...]) -> None:
    assert check_imei(text) == result


@pytest.mark.parametrize(
    "text", ["", "1", IMEIS[0][:-1], IMEIS[0] + "1", "８６７５３０９１２３４５６７３", "a b c", "1" * 15]
)
def test_what_is_no_imei(text: str) -> None:
    with pytest.raises(WrongAnswer):
        check_imei(text)


def test_an_imei_that_contradicts_the_phone_is_refused() -> None:
    identity = {"serial": "S1", "imei": [IMEIS[0]]}
    with pytest.raises(WrongAnswer, match="不符"):
        complete(identity, Given("GJ-1", (IMEIS[1],), "tap", assume_yes=True))
    assert complete(identity, Given("GJ-1", (), "tap", assume_yes=True)).imei == (IMEIS[0],)
    assert complete(identity, Given("GJ-1", IMEIS, "tap", assume_yes=True)).imei == IMEIS


@pytest.mark.parametrize("tag", ["", "  ", "x" * 65, "a\nb", "a\x1b[2J"])
def test_tags_that_are_none(tag: str) -> None:
    with pytest.raises(WrongAnswer):
        check_tag(tag)


def test_ways_back() -> None:
    assert [check_way(w) for w in ("usb_dock", "tap", "none")] == ["usb_dock", "tap", "none"]
    with pytest.raises(WrongAnswer):
        check_way("bus")


def test_what_the_phone_calls_itself_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    complete(
        {"serial": "S\x1b[2J", "model": "m\nx", "imei": []}, Given("T", ("none",), "tap", assume_yes=True)
    )
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "m\ufffdx" in out


def test_end_of_input_is_no_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "")
    with pytest.raises(Quit):
        complete({"serial": "S", "imei": []}, Given("T", ("none",), "tap", assume_yes=False))


# --- labels -----------------------------------------------------------------------

URL = "https://mdm.example.com/phones/0197f000-0000-7000-8000-000000000001"


def test_label_files_open_the_phones_page(
    desk: Desk, phone: PhoneState, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.stub.label_url = URL
    assert desk.adopt(*ALL, "--imei", "none") == 0
    files = {f.suffix: f for f in desk.state.labels.iterdir()}
    assert set(files) == {".svg", ".png", ".html"}
    assert {f.stem for f in files.values()} == {f"GJ-0001-{phone.identity.serial}"}
    assert files[".png"].read_bytes().startswith(b"\x89PNG")
    page = files[".html"].read_text(encoding="utf-8")
    assert "<svg" in page
    assert "GJ-0001" in page
    out = capsys.readouterr().out
    assert URL in out
    assert "▄" in out


def test_the_picture_keeps_the_quiet_zone_that_scanners_need(tmp_path: Path) -> None:
    import segno

    code = segno.make_qr(URL, error="m")
    (_, png, _) = Label("T", "m", "s", URL).write(tmp_path)
    width = struct.unpack(">I", png.read_bytes()[16:20])[0]
    assert width == (len(code.matrix) + 8) * 8


def test_without_a_public_url_there_is_no_code_and_that_is_said(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.adopt(*ALL, "--imei", "none") == 0
    out = capsys.readouterr().out
    assert "PUBLIC_URL" in out
    assert "▄" not in out
    assert not desk.state.labels.exists()


def test_a_label_cannot_carry_markup_nor_leave_its_folder(tmp_path: Path) -> None:
    label = Label("../../x<script>", "<b>", "&", URL)
    for path in label.write(tmp_path / "labels"):
        assert path.parent == tmp_path / "labels"
    page = next((tmp_path / "labels").glob("*.html")).read_text(encoding="utf-8")
    assert not re.search(r"<script|<b>", page)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LabelError, match="cannot write"):
        Label("T", "m", "s", URL).write(tmp_path / "file")
