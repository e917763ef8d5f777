"""`agent preset`: what came in the box, and what nobody should take for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from agent.main import main
from agent.parsers.evidence import PhoneDate
from agent.parsers.first_installs import Installed
from agent.preset_rules import FIRST_START_S, FRESH_S, NotWhole, known_apps, preset_of
from agent.simulator.catalogue import WORK_APPS
from agent.simulator.faults import Fault, FaultKind
from agent.simulator.fleet import Fleet
from agent.simulator.mksh import MkshRunner
from agent.simulator.profiles import PROFILES, add_second_users, fresh_phone, worked_phone
from agent.simulator.state import AuthMode, PhoneState, User
from agent.simulator.vendors import VENDORS

START = 1_780_000_000
FRESH = PhoneDate(START + 600, 28_800)


def load(text: str) -> Any:
    return YAML(typ="safe").load(text)


def row(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "user": 0, "system": False, "installer": None, **fields}


def body(*rows: dict[str, Any], unread: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return {
        "identity": {"brand": "Redmi", "model": "M2101K9C"},
        "packages": [row("android", system=True), *rows],
        "accounts": [],
        "users": [{"id": 0}],
        "setup": {"lock_screen": "none"},
        "security": {"device_owner": {"set": False, "package": None}},
        "unread": [{"section": name, "reason": "r"} for name in unread],
        **fields,
    }


def times(**seconds: int | None) -> dict[str, Installed]:
    """Package (`_` for a dot) to seconds after the first start."""
    return {
        name.replace("_", "."): Installed("/data/app/x", None if after is None else START + after)
        for name, after in seconds.items()
    }


def run(
    capsys: pytest.CaptureFixture[str], phone: PhoneState, keyfile: Path, *argv: str
) -> tuple[int, str, str]:
    phone.auth = AuthMode.OPEN
    with Fleet([phone], mode="canned") as fleet:
        target = f"tcp:127.0.0.1:{fleet.ports[0]}"
        code = main(["preset", target, "--adb-key", str(keyfile), *argv])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("name", PROFILES)
def test_of_every_makers_fresh_phone(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    phone = fresh_phone(name)
    code, out, err = run(capsys, phone, tmp_path / "key")
    assert (code, err) == (0, "")
    (brand,) = (found := load(out))["presets"]
    assert (list(found), brand) == (["presets"], phone.identity.brand.lower())
    assert set(found["presets"][brand][phone.identity.model]) == set(
        VENDORS[PROFILES[name].model.vendor].removable
    )


def test_with_the_phones_own_shell(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    if not MkshRunner.available():
        pytest.skip("mksh or toybox is not installed")
    phone = fresh_phone("huawei-7")
    phone.auth = AuthMode.OPEN
    with Fleet([phone], mode="mksh") as fleet:
        target = f"tcp:127.0.0.1:{fleet.ports[0]}"
        assert main(["preset", target, "--yaml", "--adb-key", str(tmp_path / "key")]) == 0
    found = load(capsys.readouterr().out)["presets"]
    assert set(found["huawei"]["TRT-AL00A"]) == set(VENDORS["huawei"].removable)


def test_a_phone_in_use_is_told_and_its_own_apps_are_not_the_makers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    phone = worked_phone("xiaomi-14")
    add_second_users(phone, "xiaomi-14")
    code, out, err = run(capsys, phone, tmp_path / "key", "--json")
    found = json.loads(out)
    assert code == 0
    assert set(found["presets"]["redmi"]["23013RK75C"]) == set(VENDORS["xiaomi"].removable)
    assert {app["package"] for app in found["not_taken"]} == {app.name for app in WORK_APPS}
    for words in (
        "1 个账号：com.xiaomi",
        "2 个用户空间",
        "锁屏密码",
        "7 个应用像是后来装的",
        "微信",
        "31 天",
    ):
        assert words in err
    assert len(found["doubts"]) == err.count("注意：") == 6


def test_labels_and_what_no_list_knows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text(
        'labels:\n  com.xiaomi.shop: "小米商城"  # 店\n  com.mi.health: 健康\napps:\n'
        "  米家: {package: com.xiaomi.smarthome, required: true}\n",
        encoding="utf-8",
    )
    code, out, _ = run(
        capsys, fresh_phone("xiaomi-11"), tmp_path / "key", "--known", str(tmp_path / "list.yaml")
    )
    apps = load(out)["presets"]["redmi"]["M2101K9C"]
    assert code == 0
    assert (apps["com.xiaomi.shop"], apps["com.mi.health"]) == ("小米商城", "健康")
    assert apps["com.xiaomi.smarthome"] == "com.xiaomi.smarthome"
    assert "其中 2 个不在任何已知名单里" in out
    assert [line.split(":")[0].strip() for line in out.splitlines() if line.endswith("未知")] == [
        "com.duokan.reader",
        "com.mfashiongallery.emag",
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda phone: setattr(phone, "unreadable_users", {0}), 5),
        (lambda phone: setattr(phone.identity, "brand", ""), 5),
        (lambda phone: setattr(phone, "auth", AuthMode.NEVER), 4),
    ],
)
def test_what_is_not_wholly_read_is_not_guessed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, change: Any, code: int
) -> None:
    phone = fresh_phone("vivo-13")
    phone.auth = AuthMode.OPEN
    change(phone)
    with Fleet([phone], mode="canned") as fleet:
        target = f"tcp:127.0.0.1:{fleet.ports[0]}"
        assert main(["preset", target, "--adb-key", str(tmp_path / "key"), "--auth-wait", "0.2"]) == code
    said = capsys.readouterr()
    assert (said.out, bool(said.err)) == ("", True)


def test_codes_of_targets_and_phones_that_do_not_answer(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["preset", "nonsense"]) == 2
    assert main(["preset", "tcp:127.0.0.1:1", "--known", str(tmp_path / "none")]) == 2
    assert main(["preset", "tcp:127.0.0.1:1", "--adb-key", str(tmp_path / "key")]) == 3
    phone = fresh_phone("oppo-13")
    phone.auth = AuthMode.OPEN
    with Fleet([phone]) as fleet:
        fleet.set_fault(0, Fault(FaultKind.EMPTY))
        assert main(["preset", f"tcp:127.0.0.1:{fleet.ports[0]}", "--adb-key", str(tmp_path / "key")]) == 5
    assert capsys.readouterr().out == ""


def test_what_came_later_or_from_a_store_is_not_taken() -> None:
    rows = [row("a.box"), row("a.late"), row("a.store", installer="com.xiaomi.market"), row("a.hand")]
    rows[3]["installer"] = "com.miui.packageinstaller"
    found = preset_of(
        body(*rows, row("a.own", installer="com.xiaomi.core"), row("a.untimed")),
        times(a_box=0, a_late=FIRST_START_S + 1, a_store=60, a_hand=60, a_own=FIRST_START_S, a_untimed=None),
        FRESH,
    )
    assert [app.package for app in found.apps] == ["a.box", "a.own"]
    assert {app.package for app in found.others} == {"a.late", "a.store", "a.hand", "a.untimed"}


def test_what_lies_on_the_makers_own_partition_is_the_makers_whatever_else_is_told() -> None:
    found = preset_of(
        body(row("a.box", installer="com.xiaomi.market"), row("com.tencent.mm")),
        {
            "a.box": Installed("/product/data-app/box", None),
            "com.tencent.mm": Installed("/data/app/m", START),
        },
        FRESH,
    )
    assert [app.package for app in found.apps] == ["a.box", "com.tencent.mm"]
    assert found.doubts == ["已装聊天应用：微信"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"accounts": None}, "账号没有读到"),
        ({"users": None}, "用户空间没有读到"),
        ({"security": {"device_owner": {"set": True, "package": "com.mdm"}}}, "com.mdm"),
        ({"security": None, "setup": None}, ""),
    ],
)
def test_doubts(fields: dict[str, Any], words: str) -> None:
    doubts = preset_of(body(row("a.box"), **fields), times(a_box=0), FRESH).doubts
    assert [words in doubt for doubt in doubts] == [True] * bool(words)


@pytest.mark.parametrize(
    ("now", "words"), [(START + FRESH_S + 1, "2 天"), (START - 5, "时钟"), (START + FRESH_S, "")]
)
def test_how_long_ago_it_was_first_started(now: int, words: str) -> None:
    doubts = preset_of(body(row("a.box")), times(a_box=0), PhoneDate(now, 0)).doubts
    assert [words in doubt for doubt in doubts] == [True] * bool(words)


def test_a_phone_without_removable_apps_is_no_mistake(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    phone = fresh_phone("samsung-15")
    phone.packages = [replace(item) for item in phone.packages if item.system]
    code, out, err = run(capsys, phone, tmp_path / "key")
    assert (code, load(out)) == (0, {"presets": {"samsung": {"SM-A5460": {}}}})
    assert "看不出何时首次开机" in err


@pytest.mark.parametrize("part", ["packages", "packages.user.0", "packages.user.0.system"])
def test_parts_that_are_needed(part: str) -> None:
    with pytest.raises(NotWhole, match=part):
        preset_of(body(row("a.box"), unread=(part,)), times(a_box=0), FRESH)


@pytest.mark.parametrize("part", ["packages.user.10", "packages.user.0.enabled", "sim", "packages.details"])
def test_parts_that_are_not(part: str) -> None:
    assert preset_of(body(row("a.box"), unread=(part,)), times(a_box=0), FRESH).apps


def test_an_app_without_a_time_of_its_own_is_not_whole() -> None:
    with pytest.raises(NotWhole, match=r"a\.box"):
        preset_of(body(row("a.box")), {}, FRESH)
    with pytest.raises(NotWhole):
        preset_of(body(packages=None), {}, FRESH)


def test_apps_of_second_users_are_nobodys_preset() -> None:
    found = preset_of(body(row("a.box"), row("a.dual", user=999)), times(a_box=0), FRESH)
    assert [app.package for app in found.apps] == ["a.box"]


def test_a_second_user_hides_none_of_the_owners_apps(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    phone = fresh_phone("honor-15")
    phone.users.append(User(10, "第二空间"))
    phone.unreadable_users = {10}
    code, out, err = run(capsys, phone, tmp_path / "key")
    assert code == 0
    assert len(load(out)["presets"]["honor"]["PTP-AN00"]) == 3
    assert "2 个用户空间" in err


def test_lists_of_known_apps() -> None:
    text = 'a.b: 甲 # 注\n  c.d: "乙"\n- e.f\n# g.h: 丁\nx: 1\nallowed: {}\n  丙: {package: i.j, required: true}\n'
    assert known_apps([text, "a.b: 另\ni.j: 己"]) == {"a.b": "甲", "c.d": "乙", "i.j": "己"}
