"""An app is removed and given back over each of the ways to a phone, whose shell runs the command lines for real."""

from __future__ import annotations

from agent import wire
from agent.clock import steady
from agent.hands import Hands
from agent.identity import PhoneAtHand
from agent.remove import RemoveApp, RestoreApp
from agent.simulator.android.removal import RemovalLie
from agent.simulator.state import Enabled
from agent.sweep import Serials
from tests.agent.remove_rig import ALL
from tests.contract.conftest import Made

APP = "com.tencent.mm"


def test_removed_and_restored(phone: Made) -> None:
    bench = phone(removal_lies={APP: [RemovalLie.UNINSTALL_SAYS_SUCCESS]})
    bench.open().close()
    state = bench.fleet.phones[0]
    target = f"server:{bench.serial}" if bench.server else f"tcp:127.0.0.1:{bench.fleet.ports[0]}"
    at_hand = PhoneAtHand(
        bench.options, Hands(), Serials({target: state.identity.serial}), lambda: [target], steady
    )
    args = {
        "case": "c1", "package": APP, "user": 0, "expect": {"android_id": state.identity.android_id},
    }  # fmt: skip
    order = wire.Command(
        "r1", "remove_app", "a1", state.identity.serial, (), args | {"acts": ALL, "system": False}, 600,
        wire.DANGER_PURPOSE,
    )  # fmt: skip
    told = RemoveApp(at_hand, settle_s=0)(order)
    assert told is not None
    assert (told.state, told.detail["outcome"]) == ("succeeded", "disabled"), told.detail
    assert told.detail["tried"] == [
        {"act": "uninstall", "said": "lied"},
        {"act": "disable", "said": "success"},
    ]
    back = wire.Command("r2", "restore_app", "a1", order.serial, (), args, 600, wire.DANGER_PURPOSE)
    told = RestoreApp(at_hand, settle_s=0)(back)
    assert told is not None
    assert told.detail["outcome"] == "restored"
    (package,) = (one for one in state.packages if one.name == APP)
    assert package.users[0].enabled is Enabled.ENABLED
