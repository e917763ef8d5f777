"""An app is removed, disabled or suspended, or left alone; what is told is what the simulated phone then has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent import app_look, wire
from agent.simulator.android.removal import RemovalLie as L
from agent.simulator.state import Enabled, User, UserState
from agent.sweep import Serials
from tests.agent.remove_rig import ALL, BLOAT, GAME, RemoveRig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[RemoveRig]:
    with RemoveRig(tmp_path).up() as made:
        yield made


def outcome(told: tuple[str, dict[str, Any]]) -> tuple[str, str | None]:
    state, detail = told
    assert state == ("failed" if detail["outcome"] == "unknown" else "succeeded")
    return detail["outcome"], detail["reason"]


def true_of(rig: RemoveRig, told: tuple[str, dict[str, Any]], package: str = GAME, user: int = 0) -> None:
    """What was told against what the phone has."""
    now, (state, detail) = rig.app(package, user), told
    if state != "succeeded":
        return
    after = detail["after"]
    assert after["installed"] is (now is not None)
    if now is not None:
        assert (after["enabled"], after["suspended"]) == (now.enabled.number, now.suspended)
    assert (detail["outcome"] in ("uninstalled", "gone")) == (now is None)
    if now is not None and detail["outcome"] == "disabled":
        assert now.enabled is Enabled.DISABLED_USER
    if now is not None and detail["outcome"] == "suspended":
        assert now.suspended


class TestActs:
    def test_removed_and_a_second_order_finds_nothing(self, rig: RemoveRig) -> None:
        told = rig.order(rig.remove())
        assert told == (
            "succeeded",
            {
                "outcome": "uninstalled",
                "reason": None,
                "tried": [{"act": "uninstall", "said": "success"}],
                "after": {"installed": False, "enabled": None, "suspended": None},
            },
        )
        assert outcome(rig.order(rig.remove())) == ("gone", None)
        assert rig.package() is None

    @pytest.mark.parametrize("sdk", [24, 28, 29, 30, 33, 36])
    def test_from_android_7_to_16(self, rig: RemoveRig, sdk: int) -> None:
        rig.phones[0].identity.sdk = sdk
        assert outcome(rig.order(rig.remove())) == ("uninstalled", None)

    @pytest.mark.parametrize(
        ("acts", "wanted"),
        [
            (["disable"], "disabled"),
            (["suspend"], "suspended"),
            (["suspend", "uninstall"], "suspended"),
            (["uninstall"], "uninstalled"),
        ],
    )
    def test_the_orders_acts_in_its_order(self, rig: RemoveRig, acts: list[str], wanted: str) -> None:
        told = rig.order(rig.remove(acts=acts))
        assert outcome(told) == (wanted, None)
        assert [one["act"] for one in told[1]["tried"]] == acts[:1]
        true_of(rig, told)

    def test_what_is_disabled_already_is_not_disabled_again(self, rig: RemoveRig) -> None:
        rig.order(rig.remove(acts=["disable"]))
        told = rig.order(rig.remove(acts=["disable", "suspend"]))
        assert told[1]["tried"] == [{"act": "disable", "said": "already"}]
        assert outcome(told) == ("disabled", None)

    def test_one_users_app_leaves_the_others_alone(self, rig: RemoveRig) -> None:
        phone = rig.phones[0]
        phone.users = [User(0, "机主"), User(999, "双开")]
        game = rig.package()
        assert game is not None
        phone.replace_package(replace(game, users={0: UserState(), 999: UserState()}))
        told = rig.order(rig.remove(user=999))
        assert outcome(told) == ("uninstalled", None)
        assert (rig.app(user=0), rig.app(user=999)) == (UserState(), None)

    def test_a_user_that_is_no_more_has_no_app(self, rig: RemoveRig) -> None:
        told = rig.order(rig.remove(user=10))
        assert outcome(told) == ("gone", None)
        assert told[1]["after"]["installed"] is False
        assert outcome(rig.order(rig.restore(user=10))) == ("unchanged", "user_not_there")
        assert rig.app() is not None

    def test_a_system_app_where_the_order_says_so(self, rig: RemoveRig) -> None:
        assert outcome(rig.order(rig.remove(BLOAT))) == ("protected", "system_app")
        assert outcome(rig.order(rig.remove(BLOAT, system=True))) == ("uninstalled", None)
        assert rig.package(BLOAT) is not None, "its files stay in the system"

    def test_an_old_shell_without_exit_codes(self, tmp_path: Path) -> None:
        with RemoveRig(tmp_path, shell_v2=False, removal_lies={GAME: [L.INTERNAL_ERROR]}).up() as rig:
            rig.phones[0].identity.sdk = 24
            assert outcome(rig.order(rig.remove())) == ("disabled", None)


# What each lie leaves of the three acts: the outcome, the reason, what was said.
NO_UNINSTALL = {
    L.UNINSTALL_SAYS_SUCCESS: "lied", L.INTERNAL_ERROR: "internal_error", L.USER_RESTRICTED: "user_restricted",
    L.DEVICE_POLICY: "device_policy", L.CODE_1000: "vendor_refuses", L.NEEDS_TAP: "needs_tap",
    L.ONLY_UPDATES: "only_updates", L.COMES_BACK: "comes_back",
}  # fmt: skip
NO_DISABLE = {L.DISABLE_SAYS_DONE: "lied", L.DISABLE_REFUSED: "not_permitted"}
NO_SUSPEND = {L.SUSPEND_SAYS_DONE: "lied", L.SUSPEND_REFUSED: "not_suspended"}


@pytest.fixture
def keeper(rig: RemoveRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between an act and the last look enough time passes for a vendor's keeper to put an app back."""
    real, phone = app_look.look, rig.phones[0]

    def later(*args: Any, **kwargs: Any) -> Any:
        phone.returning = [(0.0, *entry[1:]) for entry in phone.returning]
        return real(*args, **kwargs)

    phone.reinstall_after_s = 3600.0
    monkeypatch.setattr("agent.remove.look", later)


class TestLies:
    @pytest.mark.usefixtures("keeper")
    @pytest.mark.parametrize(("uninstall", "said"), NO_UNINSTALL.items())
    def test_what_cannot_be_uninstalled_is_disabled(self, rig: RemoveRig, uninstall: L, said: str) -> None:
        rig.phones[0].removal_lies = {GAME: [uninstall]}
        told = rig.order(rig.remove())
        assert outcome(told) == ("disabled", None)
        assert [one["said"] for one in told[1]["tried"]] == [said, "success"]
        true_of(rig, told)
        alone = rig.order(rig.remove(acts=["uninstall"]))
        assert alone[1]["outcome"] == "unchanged"
        assert alone[1]["after"]["enabled"] in (0, 3)

    @pytest.mark.usefixtures("keeper")
    @pytest.mark.parametrize("uninstall", NO_UNINSTALL)
    @pytest.mark.parametrize(("disable", "said"), NO_DISABLE.items())
    def test_else_suspended_else_unchanged(self, rig: RemoveRig, uninstall: L, disable: L, said: str) -> None:
        rig.phones[0].removal_lies = {"*": [uninstall, disable]}
        told = rig.order(rig.remove())
        assert outcome(told) == ("suspended", None)
        assert [one["said"] for one in told[1]["tried"]] == [NO_UNINSTALL[uninstall], said, "success"]
        true_of(rig, told)
        rig.order(rig.restore())
        for suspend, refused in NO_SUSPEND.items():
            rig.phones[0].removal_lies = {GAME: [uninstall, disable, suspend]}
            told = rig.order(rig.remove())
            assert told[1]["outcome"] == "unchanged"
            assert [one["said"] for one in told[1]["tried"]] == [NO_UNINSTALL[uninstall], said, refused]
            assert told[1]["reason"] in {NO_UNINSTALL[uninstall], said, refused, "refused"}
            true_of(rig, told)

    def test_a_failure_that_worked_all_the_same(self, rig: RemoveRig) -> None:
        rig.phones[0].removal_lies = {GAME: [L.UNINSTALL_SAYS_FAILURE]}
        told = rig.order(rig.remove())
        assert outcome(told) == ("uninstalled", None)
        assert told[1]["tried"] == [{"act": "uninstall", "said": "vendor_refuses"}]

    def test_an_uninstall_that_works_late_is_seen_by_the_next_look(
        self, rig: RemoveRig, monkeypatch: Any
    ) -> None:
        rig.phones[0].removal_lies = {GAME: [L.UNINSTALL_SAYS_SUCCESS]}
        real = app_look.act

        def late(held: Any, app: Any, command: str) -> Any:
            if "disable-user" in command:
                rig.phones[0].packages = [one for one in rig.phones[0].packages if one.name != GAME]
            return real(held, app, command)

        monkeypatch.setattr("agent.remove.act", late)
        told = rig.order(rig.remove())
        assert outcome(told) == ("uninstalled", None)
        assert [one["said"] for one in told[1]["tried"]] == ["lied", "not_installed"]

    def test_a_makers_switch_that_keeps_adb_from_it_is_named(self, rig: RemoveRig) -> None:
        rig.phones[0].removal_lies = {"*": [L.SECURITY_SETTINGS]}
        told = rig.order(rig.remove())
        assert outcome(told) == ("unchanged", "vendor_setting")
        assert [one["said"] for one in told[1]["tried"]] == ["vendor_setting"] * 3

    def test_only_updates_are_removed_from_a_system_app(self, rig: RemoveRig) -> None:
        rig.phones[0].removal_lies = {BLOAT: [L.ONLY_UPDATES]}
        told = rig.order(rig.remove(BLOAT, system=True, acts=["uninstall"]))
        assert outcome(told) == ("unchanged", "only_updates")

    def test_what_the_vendor_puts_back_later_is_for_the_next_reading(self, rig: RemoveRig) -> None:
        phone = rig.phones[0]
        phone.removal_lies, phone.reinstall_after_s = {GAME: [L.COMES_BACK]}, 3600.0
        assert outcome(rig.order(rig.remove())) == ("uninstalled", None)
        phone.returning = [(0.0, *phone.returning[0][1:])]
        assert rig.order(rig.remove(acts=["disable"]))[1]["outcome"] == "disabled", "it is back"


class TestRestore:
    @pytest.mark.parametrize("acts", [["disable"], ["suspend"], ["uninstall"]])
    def test_each_act_is_taken_back(self, rig: RemoveRig, acts: list[str]) -> None:
        rig.order(rig.remove(BLOAT, acts=acts, system=True))
        told = rig.order(rig.restore(BLOAT))
        assert outcome(told) == ("restored", None)
        assert told[1]["after"]["installed"] is True
        assert told[1]["after"]["enabled"] in (0, 1)
        assert told[1]["after"]["suspended"] is False
        again = rig.order(rig.restore(BLOAT))
        assert outcome(again) == ("restored", None)
        assert again[1]["tried"] == []

    def test_all_at_once(self, rig: RemoveRig) -> None:
        bloat = rig.package(BLOAT)
        assert bloat is not None
        rig.phones[0].replace_package(replace(bloat, users={0: UserState(Enabled.DISABLED_USER, True)}))
        told = rig.order(rig.restore(BLOAT))
        assert [one["act"] for one in told[1]["tried"]] == ["enable", "unsuspend"]
        assert rig.app(BLOAT) == UserState(Enabled.ENABLED)

    def test_a_users_app_that_was_removed_wholly_is_not_to_be_had_back(self, rig: RemoveRig) -> None:
        rig.order(rig.remove())
        assert outcome(rig.order(rig.restore())) == ("unchanged", "full_uninstall")

    def test_what_only_the_system_may_enable_stays_as_it_is(self, rig: RemoveRig) -> None:
        game = rig.package()
        assert game is not None
        rig.phones[0].replace_package(replace(game, users={0: UserState(Enabled.DISABLED)}))
        told = rig.order(rig.restore())
        assert outcome(told) == ("unchanged", "not_permitted")
        true_of(rig, told)

    def test_a_refused_installation_is_named(self, rig: RemoveRig) -> None:
        rig.order(rig.remove(BLOAT, system=True))
        rig.phones[0].removal_lies = {"*": [L.INSTALL_REFUSED]}
        assert outcome(rig.order(rig.restore(BLOAT))) == ("unchanged", "vendor_setting")


BAD: list[dict[str, Any]] = [
    {"package": "com.a; reboot"}, {"package": "com.a\nreboot"}, {"package": "-k"}, {"package": "*"}, {"package": 7},
    {"package": None}, {"expect": None}, {"expect": ["x"]}, {"expect": {"android_id": 7}},
    {"expect": {"android_id": "a", "boot_id": 7}}, {"user": "0"}, {"user": -1}, {"user": True},
    {"user": None}, {"user": 1.0}, {"user": 10**6},
]  # fmt: skip
BAD_ACTS: list[dict[str, Any]] = [
    {"acts": []}, {"acts": None}, {"acts": "uninstall"}, {"acts": ["erase"]}, {"acts": ["disable", "disable"]},
    {"acts": [["uninstall"]]}, {"acts": {"uninstall": 1}}, {"acts": [*ALL, "hide"]}, {"system": "yes"},
    {"system": None}, {"system": 1},
]  # fmt: skip


class TestArguments:
    @pytest.mark.parametrize("args", BAD)
    def test_what_is_no_order_reaches_no_phone(self, rig: RemoveRig, args: dict[str, Any]) -> None:
        refused = ("refused", {"reason": "bad_args"})
        assert rig.order(rig.remove(**args)) == refused
        assert rig.order(rig.restore(**args)) == refused

    @pytest.mark.parametrize("args", BAD_ACTS)
    def test_nor_what_names_other_acts(self, rig: RemoveRig, args: dict[str, Any]) -> None:
        assert rig.order(rig.remove(**args)) == ("refused", {"reason": "bad_args"})
        assert rig.app() == UserState()

    def test_a_command_of_another_key_is_none(self, rig: RemoveRig) -> None:
        for made in (rig.remove(), rig.restore()):
            other = replace(made, purpose=wire.COMMAND_PURPOSE)
            assert rig.order(other) == ("refused", {"reason": "wrong_purpose"})


class TestOtherPhone:
    def test_a_phone_that_is_not_the_named_one(self, tmp_path: Path) -> None:
        with RemoveRig(tmp_path, 2).up() as rig:
            sent = rig.remove()
            rig.fleet.swap(0, 1)
            assert rig.order(sent) == ("refused", {"reason": "other_phone"})
            assert (rig.app(), rig.app(index=1)) == (UserState(), UserState())

    def test_an_imei_that_is_not_the_named_ones(self, rig: RemoveRig) -> None:
        rig.phones[0].identity.sdk = 24  # which tells its IMEI
        sent = replace(rig.remove(), imei=("352099001761481",))
        assert rig.order(sent) == ("refused", {"reason": "other_phone"})

    def test_a_clone_with_its_serial_keeps_its_app(self, tmp_path: Path) -> None:
        with RemoveRig(tmp_path, 2).up() as rig:
            sent, back = rig.remove(), rig.restore()
            rig.phones[1].identity.serial = rig.phones[0].identity.serial
            rig.fleet.power_off(0)
            rig.serials = Serials({rig.targets[1]: rig.phones[0].identity.serial})
            assert rig.order(sent) == ("refused", {"reason": "expect"})
            assert rig.order(back) == ("refused", {"reason": "expect"})
            assert rig.app(index=1) == UserState()

    def test_beside_its_clone_the_named_one_is_found(self, tmp_path: Path) -> None:
        with RemoveRig(tmp_path, 2).up() as rig:
            sent = rig.remove(index=1)
            rig.phones[0].identity.serial = rig.phones[1].identity.serial
            rig.serials = Serials(dict.fromkeys(rig.targets, rig.phones[1].identity.serial))
            assert outcome(rig.order(sent)) == ("uninstalled", None)
            assert (rig.app(), rig.app(index=1)) == (UserState(), None)

    def test_a_reset_since_the_order_made_it_another_phone(self, rig: RemoveRig) -> None:
        sent = rig.remove()
        rig.reset()
        assert rig.order(sent) == ("refused", {"reason": "expect"})

    def test_a_boot_since_the_order_did_not(self, rig: RemoveRig) -> None:
        sent = rig.remove()
        rig.fleet.reboot(0)
        assert outcome(rig.order(sent)) == ("uninstalled", None)

    def test_a_phone_that_does_not_tell_who_it_is_loses_nothing(self, rig: RemoveRig) -> None:
        sent = rig.remove()
        rig.phones[0].identity.android_id = ""
        assert rig.order(sent) == ("not_now", {"reason": "identity"})
        assert rig.app() == UserState()

    @pytest.mark.parametrize("expect", [{}, {"android_id": None}, {"android_id": ""}])
    def test_an_order_that_names_nobody_is_none(self, rig: RemoveRig, expect: dict[str, Any]) -> None:
        assert rig.order(rig.remove(expect=expect)) == ("refused", {"reason": "expect"})
        before = rig.remove()
        before.args.pop("expect")
        assert rig.order(before) == ("refused", {"reason": "expect"}), "as servers gave them before"
        assert rig.app() == UserState()

    def test_a_phone_that_is_away(self, rig: RemoveRig) -> None:
        rig.fleet.power_off(0)
        assert rig.order(rig.remove()) == ("not_now", {"reason": "unreachable"})
        assert rig.slept == []
