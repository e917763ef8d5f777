"""getprop and what hangs on it: identity, boot history, SIM slots."""

from __future__ import annotations

import pytest

from agent.parsers import Unreadable
from agent.parsers.device import Sim, parse_sims
from agent.parsers.frames import Frames, Section
from agent.parsers.identity import imeis_from_props, is_imei, parse_identity, parse_imei_parcel
from agent.parsers.props import BootReason, parse_boot_reasons, parse_props
from agent.snapshot_parts import SectionReader
from tests.support.captures import captures, own

PROPS = parse_props(own("getprop_12.txt"))


def test_values_with_line_ends_and_brackets() -> None:
    assert PROPS["ro.odd.lines"] == "first\n[not.a.key] second\n\nthird"
    assert PROPS["ro.odd.brackets"] == "a ] b [c]: [d"
    assert PROPS["ro.odd.empty"] == ""
    assert len(PROPS) == 19


def test_crlf_changes_nothing() -> None:
    assert parse_props(own("getprop_12.txt").replace("\n", "\r\n")) == PROPS


def test_a_cut_record_is_left_out() -> None:
    props = parse_props("[a]: [1]\n[b]: [2\nmore")
    assert props == {"a": "1"}


def test_records_that_are_left_out_are_noted() -> None:
    text = "[a]: [1]\n[b]: [2\nmore\n[c]: [3]\n[d]: [4"
    reader = SectionReader(Frames({"getprop": Section(text, 0)}, done=True))
    assert reader.props() == {"a": "1", "c": "3"}
    assert reader.unread == [{"section": "identity.properties", "reason": "2 of them were not whole"}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not understood"),
        ("/system/bin/sh: getprop: inaccessible or not found", "not available on this phone"),
        ("Permission denied", "permission denied"),
    ],
)
def test_no_record_is_unreadable(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse_props(text)


def test_identity() -> None:
    identity = parse_identity(PROPS)
    assert (identity.serial, identity.brand, identity.model) == ("b7f3c0d1", "Redmi", "Redmi Note 11S")
    assert (identity.android_release, identity.sdk, identity.build_type) == ("12", 31, "user")


@pytest.mark.parametrize(
    "serial",
    [
        "",
        "unknown",
        "0123456789ABCDEF",
        "  ",
        "0000000",
        "C4F12FDD949F22F",
        "abc",
        "a b c d",
        "é" * 9,
        "x\ny\nz",
        "ab" * 40,
    ],
)
def test_a_serial_that_identifies_nothing_is_none(serial: str) -> None:
    assert parse_identity({"ro.serialno": serial}).serial is None


def test_boot_history() -> None:
    found = parse_boot_reasons(PROPS["persist.sys.boot.reason.history"])
    assert found[0] == BootReason("reboot,userrequested", 1718000300)
    assert found[1] == BootReason("shutdown", 1718000000)
    assert found[3] == BootReason("reboot,factory_reset", 1716000000)


def test_a_boot_without_a_time() -> None:
    assert parse_boot_reasons("reboot,") == [BootReason("reboot", None)]


@pytest.mark.parametrize("line", ["reboot", "reboot,ota,yesterday", "x,-5"])
def test_a_strange_history_is_not_guessed(line: str) -> None:
    with pytest.raises(Unreadable):
        parse_boot_reasons(f"reboot,ota,1717000000\n{line}")


def test_sim_slots() -> None:
    assert parse_sims(PROPS) == [Sim(0, "LOADED", "46000"), Sim(1, "NOT_READY", "46011")]


def test_one_operator_for_two_slots() -> None:
    props = {"gsm.sim.state": "LOADED,ABSENT", "gsm.sim.operator.numeric": "46001"}
    assert parse_sims(props) == [Sim(0, "LOADED", "46001"), Sim(1, "ABSENT", None)]


@pytest.mark.parametrize("state", ["", "已加载", "LOADED,?"])
def test_a_strange_sim_state_is_unreadable(state: str) -> None:
    with pytest.raises(Unreadable):
        parse_sims({"gsm.sim.state": state})


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("490154203237518", True),
        ("490154203237519", False),
        ("49015420323751", False),
        ("000000000000000", False),
        ("460001234567891", False),
        ("４90154203237518", False),
    ],
)
def test_imei_check_digit(text: str, good: bool) -> None:
    assert is_imei(text) is good


def test_no_subscriber_number_passes_for_an_imei() -> None:
    passing = next(f"46000000000000{n}" for n in range(10) if _luhn(f"46000000000000{n}"))
    assert not is_imei(passing)


def _luhn(digits: str) -> bool:
    total = sum(sum(divmod(int(d) * (1 + place % 2), 10)) for place, d in enumerate(reversed(digits)))
    return total % 10 == 0


def test_imeis_of_properties_are_checked() -> None:
    assert imeis_from_props(
        {"ro.ril.oem.imei1": "490154203237518", "ro.ril.oem.imei2": "490154203237519"}
    ) == ["490154203237518"]
    assert imeis_from_props({"ro.ril.miui.imei0": "490154203237518,356938035643809"}) == [
        "490154203237518",
        "356938035643809",
    ]
    assert imeis_from_props({}) == []


PARCEL = """Result: Parcel(
  0x00000000: 00000000 0000000f 00390034 00310030 '........4.9.0.1.'
  0x00000010: 00340035 00300032 00320033 00370033 '5.4.2.0.3.2.3.7.'
  0x00000020: 00310035 00000038                   '5.1.8...')
"""
DENIED = """Result: Parcel(
  0x00000000: ffffffff 0000000e 00650052 00750071 '........R.e.q.u.'
  0x00000010: 00720069 00730065 00520020 00410045 'i.r.e.s. .R.E.A.'
  0x00000020: 005f0044 00000050                   'D._.P...')
"""


def test_imei_in_a_parcel() -> None:
    assert parse_imei_parcel(PARCEL) == "490154203237518"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DENIED, "permission denied"),
        (PARCEL.replace("0x00000020: 00310035 00000038", "0x00000020: 00310035 00000039"), "no IMEI"),
        ("Result: Parcel(00000000 00000000   '........')", "no IMEI"),
        ("service: Service iphonesubinfo does not exist", "not understood"),
        ("Result: Parcel(00000000 ffffffff   '........')", "no IMEI"),
    ],
)
def test_a_parcel_without_an_imei(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse_imei_parcel(text)


def test_every_recorded_getprop_is_understood() -> None:
    for path in captures("getprop.txt"):
        text = path.read_bytes().decode("utf-8", "replace")
        props = parse_props(text)
        starts = sum(line.startswith("[") and "]: [" in line for line in text.splitlines())
        assert starts * 0.9 <= len(props) <= starts, path
        assert all("\n[" not in value or "]: [" not in value for value in props.values()), path
        if "ro.build.version.sdk" in props and len(props) > 100:
            identity = parse_identity(props)
            assert identity.sdk is not None
            assert identity.model
            assert identity.brand
            assert parse_sims(props)
            parse_boot_reasons(props.get("persist.sys.boot.reason.history", ""))
