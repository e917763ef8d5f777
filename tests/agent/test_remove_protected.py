"""What an order to remove never touches, whoever signed it: asked of the phone, and "yes" where it cannot be asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent import snapshot_security
from agent.app_look import App, Seen
from agent.app_protect import NEEDED, is_needed, protected
from agent.parsers.frames import Frames, Section
from agent.parsers.removal import AppState
from agent.simulator.state import Package, PhoneState, User, UserState
from tests.agent.remove_rig import GAME, RemoveRig
from tests.agent.test_remove import outcome, rig

__all__ = ["rig"]


def held_by(**changes: Any) -> Any:
    """A change of a phone, after which the game holds something."""

    def change(phone: PhoneState) -> None:
        for name, value in changes.items():
            setattr(phone, name, value)

    return change


def keyboard(phone: PhoneState) -> None:
    phone.settings["secure"]["default_input_method"] = f"{GAME}/.Keyboard"


def role(name: str) -> Any:
    def change(phone: PhoneState) -> None:
        phone.roles = phone.roles | {name: [GAME]}

    return change


@pytest.mark.parametrize("sdk", [24, 28, 33])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (role("sms"), "role_sms"),
        (role("dialer"), "role_dialer"),
        (role("home"), "role_home"),
        (role("assistant"), "role_assistant"),
        (keyboard, "input_method"),
        (held_by(device_owner=GAME), "device_owner"),
        (held_by(profile_owners={0: GAME}), "profile_owner"),
        (held_by(device_admins=[f"{GAME}/{GAME}.Admin"]), "device_admin"),
    ],
)
def test_what_the_phone_needs_stays(rig: RemoveRig, sdk: int, change: Any, reason: str) -> None:
    rig.phones[0].identity.sdk = sdk
    change(rig.phones[0])
    told = rig.order(rig.remove())
    assert outcome(told) == ("protected", reason)
    assert told[1]["tried"] == []
    assert rig.app() == UserState()


def test_the_browser_by_default_is_none_of_them(rig: RemoveRig) -> None:
    role("browser")(rig.phones[0])
    assert outcome(rig.order(rig.remove())) == ("uninstalled", None)


@pytest.mark.parametrize("package", ["com.android.settings", "com.android.providers.contacts", "com.termux"])
def test_what_our_work_stands_on_stays_whatever_the_order_says(rig: RemoveRig, package: str) -> None:
    if rig.package(package) is None:
        rig.phones[0].packages.append(Package(package, 1, "1", system=True))
    assert outcome(rig.order(rig.remove(package, system=True))) == ("protected", "needed")
    assert rig.app(package) == UserState()
    assert is_needed(package)
    assert not is_needed(GAME)
    assert "com.android.shell" in NEEDED


def test_a_user_that_adb_may_not_read_is_let_alone(rig: RemoveRig) -> None:
    phone = rig.phones[0]
    phone.users.append(User(150, "安全文件夹"))
    game = rig.package()
    assert game is not None
    phone.replace_package(replace(game, users={0: UserState(), 150: UserState()}))
    phone.unreadable_users = {150}
    assert outcome(rig.order(rig.remove(user=150))) == ("protected", "user_not_readable")
    assert rig.app(user=150) == UserState()


def test_the_launcher_of_a_further_user_is_asked_for_there(rig: RemoveRig) -> None:
    phone = rig.phones[0]
    phone.users.append(User(10, "第二空间"))
    game = rig.package()
    assert game is not None
    phone.replace_package(replace(game, users={0: UserState(), 10: UserState()}))
    keyboard(phone)
    assert outcome(rig.order(rig.remove(user=10))) == ("protected", "input_method")


@pytest.mark.parametrize(
    ("user", "told", "reason"),
    [
        (0, {"web_view": f"  Current WebView package (name, version): ({GAME}, 99.0)"}, "web_view"),
        (0, {"web_view": "Can't find service: webviewupdate"}, None),
        (10, {"keyboard": f"{GAME}/.Keys", "home": "com.miui.home/.Launcher"}, "input_method"),
        (10, {"keyboard": "com.a/.Keys", "home": f"  packageName={GAME}"}, "role_home"),
        (10, {"keyboard": "WARNING: linker: x\ncom.a/.Keys", "home": "No activity found"}, None),
        (10, {"keyboard": "null", "home": "No activity found"}, None),
        (10, {"keyboard": "null", "home": "java.lang.SecurityException: no"}, "not_read"),
        (10, {"home": "No activity found"}, "not_read"),
        (10, {"keyboard": "null"}, "not_read"),
    ],
)
def test_what_is_asked_beside_the_snapshot(
    rig: RemoveRig, monkeypatch: Any, user: int, told: dict[str, str], reason: str | None
) -> None:
    sections = {name: Section(text, 0) for name, text in told.items()}
    monkeypatch.setattr("agent.app_protect.ask", lambda *args: Frames(sections, frozenset(), done=True))
    with rig.at_hand(rig.remove(), safe=False) as held:
        seen = Seen(AppState(True, 0, False, False, 1), listed=True)
        assert protected(held, App(GAME, user), seen, system=False) == reason


@pytest.mark.parametrize("part", ["device_owner", "device_admins", "profile_owners", "input_method", "roles"])
def test_what_could_not_be_asked_counts_as_yes(rig: RemoveRig, monkeypatch: Any, part: str) -> None:
    real = snapshot_security.security_part
    monkeypatch.setattr("agent.snapshot.security_part", lambda *args: (real(*args) or {}) | {part: None})
    assert outcome(rig.order(rig.remove())) == ("protected", "not_read")
    assert rig.app() == UserState()
