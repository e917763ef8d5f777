"""`getprop`, `setprop`: the properties of a phone, derived from its state."""

from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState, Way

_VERIFIED_SINCE = 26
_SHELL_MAY_SET = ("debug.", "log.", "persist.log.tag")


def getprop(args: list[str], phone: PhoneState) -> Output:
    """`getprop` (all, sorted; a value may hold newlines), `getprop NAME [DEFAULT]`."""
    properties = all_properties(phone)
    if args:
        default = args[1] if len(args) > 1 else ""
        return said((properties.get(args[0]) or default) + "\n")
    return said("".join(f"[{name}]: [{properties[name]}]\n" for name in sorted(properties)))


def setprop(args: list[str], phone: PhoneState) -> Output:
    """`setprop NAME VALUE`; shell may set few."""
    if len(args) != 2:
        return failed("usage: setprop NAME VALUE\n", 1)
    if not args[0].startswith(_SHELL_MAY_SET):
        return failed(f"Failed to set property '{args[0]}' to '{args[1]}'.\nSee dmesg for error reason.\n", 1)
    phone.properties[args[0]] = args[1]
    return Output()


def all_properties(phone: PhoneState) -> dict[str, str]:
    """Every property; `phone.properties` adds to and overrides the derived ones."""
    return (
        _identity(phone)
        | _loader(phone)
        | _boot(phone)
        | _sim(phone)
        | _reset(phone)
        | _lines(phone)
        | phone.properties
    )


def _lines(phone: PhoneState) -> dict[str, str]:
    if Way.PROPERTY_LINES not in phone.ways:
        return {}
    return {
        "persist.vendor.sys.note": "modem:0,ap:1\nreason]\n  [cold]",
        "ro.vendor.build.description": "line one\n\nline three",
    }


def _reset(phone: PhoneState) -> dict[str, str]:
    """The partition that outlives a reset, and the mode in which one of them left the phone."""
    values = {"ro.frp.pst": "/dev/block/bootdevice/by-name/frp"} if phone.persistent_block else {}
    return values | ({"persist.sys.test_harness": "1"} if phone.test_harness else {})


def _identity(phone: PhoneState) -> dict[str, str]:
    it = phone.identity
    tags = "release-keys" if it.build_type == "user" else "test-keys"
    return {
        "ro.serialno": it.serial,
        "ro.boot.serialno": it.serial,
        "ro.product.brand": it.brand,
        "ro.product.model": it.model,
        "ro.product.manufacturer": it.manufacturer,
        "ro.product.device": it.device,
        "ro.product.name": it.device,
        "ro.product.board": it.device,
        "ro.product.cpu.abi": "arm64-v8a",
        "ro.product.locale": "zh-CN",
        "ro.build.characteristics": "nosdcard",
        "ro.build.display.id": f"{it.build_id} {tags}",
        "ro.build.fingerprint": it.fingerprint,
        "ro.build.id": it.build_id,
        "ro.build.tags": tags,
        "ro.build.type": it.build_type,
        "ro.build.version.incremental": it.incremental,
        "ro.build.version.release": it.android_release,
        "ro.build.version.sdk": str(it.sdk),
        "ro.build.version.security_patch": it.security_patch,
        "ro.crypto.state": "encrypted",
        "ro.crypto.type": "file" if it.sdk >= 24 else "block",
        "ro.debuggable": "0" if it.build_type == "user" else "1",
        "ro.secure": "1",
        "persist.sys.timezone": "Asia/Shanghai",
        "persist.sys.usb.config": "adb",
        "init.svc.adbd": "running",
    }


def _loader(phone: PhoneState) -> dict[str, str]:
    """What the boot was verified by. Before Android 8 nothing says it on many phones."""
    if phone.identity.sdk < _VERIFIED_SINCE:
        return {}
    open_ = phone.loader_unlocked
    values = {
        "ro.boot.verifiedbootstate": "orange" if open_ else "green",
        "ro.boot.flash.locked": str(int(not open_)),
        "ro.boot.vbmeta.device_state": "unlocked" if open_ else "locked",
    }
    if phone.identity.manufacturer == "Xiaomi":
        values["ro.secureboot.lockstate"] = "unlocked" if open_ else "locked"
    return values


def _boot(phone: PhoneState) -> dict[str, str]:
    """Boot reasons: Android 9 and later keep a history of 4, newest first, one a line."""
    reason = phone.boot_reasons[0][0] if phone.boot_reasons else "reboot"
    values = {"ro.boot.bootreason": reason.split(",", 1)[0]}
    if phone.boot_completed():
        values |= {"sys.boot_completed": "1", "dev.bootcomplete": "1"}
    if phone.identity.sdk >= 28:
        history = "\n".join(f"{text},{at}" for text, at in phone.boot_reasons)
        values |= {
            "sys.boot.reason": reason,
            "persist.sys.boot.reason": "",
            "persist.sys.boot.reason.history": history,
            "ro.boot.bootreason": reason,
        }
    return values


def _sim(phone: PhoneState) -> dict[str, str]:
    """Comma-separated by slot; airplane mode leaves the cards in place but no network."""
    cards = phone.sims
    loaded = [card.operator if card.state == "LOADED" else "" for card in cards]
    names = [card.carrier if card.state == "LOADED" else "" for card in cards]
    on_air = not phone.airplane_mode
    return {
        "gsm.sim.state": ",".join(card.state for card in cards),
        "gsm.sim.operator.numeric": ",".join(loaded),
        "gsm.sim.operator.alpha": ",".join(names),
        "gsm.sim.operator.iso-country": ",".join("cn" if code else "" for code in loaded),
        "gsm.operator.numeric": ",".join(loaded if on_air else ["" for _ in cards]),
        "gsm.operator.alpha": ",".join(names if on_air else ["" for _ in cards]),
        "gsm.network.type": ",".join("LTE" if code and on_air else "Unknown" for code in loaded),
        "gsm.version.ril-impl": "Qualcomm RIL 1.0",
    }
