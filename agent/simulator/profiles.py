"""Phones of the makers that butlers carry, Android 7 to 16, with what is particular to each: how it prints, its second
users, the apps that come in its box. Fresh: as its first start leaves it; worked: as a butler carries it, with nothing
against it.
"""

import random
from dataclasses import replace
from typing import NamedTuple

from agent.simulator.catalogue import WORK_APPS, Model
from agent.simulator.make import (
    DUAL_APP_USER,
    SECOND_SPACE_USER,
    SECURE_FOLDER_USER,
    assemble_phone,
    roles_of,
)
from agent.simulator.state import Account, Package, PhoneState, User, UserState, Way
from agent.simulator.vendors import VENDORS

_OLD_SHELL = "old_shell"
_HEX, _LONG = "xxxxxxxx", "AAAAAAAAAAAAAAAA"
_SETUP_S = 900
"""How long after its first start a phone is in somebody's hands."""
_DAY_S = 86_400


class Profile(NamedTuple):
    """A maker's phone of one release. `users`: the second users that it may have; `ways`: how it prints."""

    model: Model
    users: tuple[int, ...] = ()
    ways: tuple[str, ...] = ()


def _model(vendor: str, names: str, tac: str, shape: str, sdk: int, build: str, patch: str) -> Model:
    brand, manufacturer, model, device = names.split("|")
    return Model(vendor, brand, manufacturer, model, device, tac, shape, sdk, build, patch)


_LINES, _LOCAL, _NOISE, _PROPS = Way.BATTERY_LINES, Way.LOCALISED, Way.LINKER_NOISE, Way.PROPERTY_LINES

PROFILES: dict[str, Profile] = {
    "xiaomi-7": Profile(
        _model("xiaomi", "Xiaomi|Xiaomi|Redmi Note 4X|mido", "86803203", _HEX, 24, "V10.2.3.0.NCFCNXM", "2018-10-01"),
        (SECOND_SPACE_USER,), (_OLD_SHELL, _LOCAL),
    ),
    "xiaomi-8": Profile(
        _model("xiaomi", "Xiaomi|Xiaomi|MI 5X|tiffany", "86803303", _HEX, 26, "V10.2.1.0.ODBCNXM", "2018-12-01"),
        (SECOND_SPACE_USER, DUAL_APP_USER), (_NOISE,),
    ),
    "xiaomi-11": Profile(
        _model("xiaomi", "Redmi|Xiaomi|M2101K9C|renoir", "86154206", _HEX, 30, "V12.5.9.0.RKICNXM", "2022-05-01"),
        (SECOND_SPACE_USER, DUAL_APP_USER), (_LOCAL, _PROPS),
    ),
    "xiaomi-14": Profile(
        _model("xiaomi", "Redmi|Xiaomi|23013RK75C|mondrian", "86154206", _HEX, 34, "V816.0.8.0.UMNCNXM", "2024-09-01"),
        (DUAL_APP_USER,), (_PROPS,),
    ),
    "xiaomi-16": Profile(
        _model("xiaomi", "Xiaomi|Xiaomi|24053PY09C|goku", "86722407", _HEX, 36, "OS2.0.203.0.WNCCNXM", "2025-10-01"),
        (SECOND_SPACE_USER,), (_PROPS, _LOCAL),
    ),
    "huawei-7": Profile(
        _model("huawei", "HUAWEI|HUAWEI|TRT-AL00A|HWTRT-Q", "86432103", _LONG, 24, "C00B173", "2018-07-01"),
        (), (_OLD_SHELL, _LINES),
    ),
    "huawei-9": Profile(
        _model("huawei", "HUAWEI|HUAWEI|EML-AL00|HWEML", "86801404", _LONG, 28, "9.1.0.372C00", "2020-06-01"),
        (SECOND_SPACE_USER,), (_LINES, _LOCAL),
    ),
    "huawei-10": Profile(
        _model("huawei", "HUAWEI|HUAWEI|ELE-AL00|HWELE", "86801404", _LONG, 29, "11.0.0.170C00", "2021-11-01"),
        (SECOND_SPACE_USER,), (_LINES, _PROPS),
    ),
    "huawei-12": Profile(
        _model("huawei", "HUAWEI|HUAWEI|NOH-AN00|HWNOH", "86761505", _LONG, 31, "104.2.0.186C00", "2024-06-01"),
        (SECOND_SPACE_USER,), (_LOCAL,),
    ),
    "honor-9": Profile(
        _model("huawei", "HONOR|HUAWEI|COL-AL10|HWCOL", "86913402", _LONG, 28, "9.1.0.381C00", "2020-03-01"),
        (), (_LINES,),
    ),
    "honor-12": Profile(
        _model("honor", "HONOR|HONOR|ANY-AN00|HNANY-Q", "86913405", _LONG, 32, "6.1.0.150C00", "2023-03-01"),
        (SECOND_SPACE_USER,), (_PROPS,),
    ),
    "honor-15": Profile(
        _model("honor", "HONOR|HONOR|PTP-AN00|HNPTP", "86602207", _LONG, 35, "9.0.0.135C00", "2025-06-01"),
        (SECOND_SPACE_USER,), (_LOCAL,),
    ),
    "oppo-8": Profile(
        _model("oppo", "OPPO|OPPO|PACM00|PACM00", "86841204", _HEX, 27, "1535617250", "2019-12-05"),
        (DUAL_APP_USER,), (_LINES, _NOISE),
    ),
    "oppo-11": Profile(
        _model("oppo", "OPPO|OPPO|PEGM00|OP4E5D", "86477005", _HEX, 30, "R.202201301552", "2022-01-05"),
        (DUAL_APP_USER,), (_LINES,),
    ),
    "oppo-13": Profile(
        _model("oppo", "OPPO|OPPO|PHQ110|OP5A0F", "86541206", _HEX, 33, "T.R4T2.1a2b3c", "2024-03-05"),
        (DUAL_APP_USER, SECOND_SPACE_USER), (_LINES, _LOCAL),
    ),
    "vivo-8": Profile(
        _model("vivo", "vivo|vivo|vivo Y85A|PD1730", "86903103", _HEX, 27, "eng.compil.20190612", "2019-06-01"),
        (), (_NOISE,),
    ),
    "vivo-13": Profile(
        _model("vivo", "vivo|vivo|V2243A|PD2243", "86620706", _LONG, 33, "compiler09151726", "2023-09-01"),
        (DUAL_APP_USER,), (_LOCAL,),
    ),
    "vivo-15": Profile(
        _model("vivo", "vivo|vivo|V2405A|PD2405", "86770607", _LONG, 35, "compiler0610", "2025-06-01"),
        (SECOND_SPACE_USER,), (_PROPS,),
    ),
    "samsung-8": Profile(
        _model("samsung", "samsung|samsung|SM-G9500|dreamqltechn", "35421808", "xxxxxxxxxxxxxxxx", 26,
               "G9500ZCS3CRI1", "2018-09-01"),
        (SECURE_FOLDER_USER,), (_NOISE,),
    ),
    "samsung-10": Profile(
        _model("samsung", "samsung|samsung|SM-G9650|star2qltechn", "35421809", "xxxxxxxxxxxxxxxx", 29,
               "G9650ZCS8ETJ1", "2020-10-01"),
        (SECURE_FOLDER_USER,), (_LINES,),
    ),
    "samsung-15": Profile(
        _model("samsung", "samsung|samsung|SM-A5460|a54x", "35168811", "RAAAAAAAAAA", 35, "A5460ZCU9DYA1",
               "2025-02-01"),
        (SECURE_FOLDER_USER,), (_PROPS,),
    ),
    "hisense-7": Profile(
        _model("hisense", "Hisense|Hisense|HS-M30T|M30T", "86388503", "AAAAAAAAAAAA", 25, "L1527.6.02", "2018-02-05"),
        (), (_OLD_SHELL,),
    ),
    "hisense-11": Profile(
        _model("hisense", "Hisense|Hisense|HLTE556N|HLTE556N", "86388505", "AAAAAAAAAAAA", 30, "L1800.6.12.03.00",
               "2022-04-05"),
        (SECOND_SPACE_USER,), (_LOCAL,),
    ),
}  # fmt: skip


def fresh_phone(name: str, index: int = 0) -> PhoneState:
    """The phone as its box held it and its first start left it: the maker's apps and nobody's account."""
    profile = PROFILES[name]
    phone = assemble_phone(profile.model, index, random.Random(f"{name}/{index}"))
    vendor = VENDORS[profile.model.vendor]
    start = int(phone.wall()) - _SETUP_S
    phone.users = phone.users[:1]
    phone.unreadable_users, phone.accounts, phone.lock_pin = set(), [], None
    system = [
        replace(item, users={0: UserState()}, installed_at=start) for item in phone.packages if item.system
    ]
    phone.packages = [*system, *_box(vendor.removable, profile.model.sdk, start)]
    phone.roles = roles_of(vendor)
    phone.install_sources = {}
    phone.settings["global"]["adb_wifi_enabled"] = "0"
    if "install_non_market_apps" in phone.settings["secure"]:
        phone.settings["secure"]["install_non_market_apps"] = "0"
    phone.boot_count, phone.boot_reasons = 1, []
    phone.booted_at = phone.clock() - _SETUP_S
    phone.storage_total, phone.storage_free = 115_000_000_000, 92_000_000_000
    phone.shell_v2 = _OLD_SHELL not in profile.ways
    phone.ways = [way for way in profile.ways if way != _OLD_SHELL]
    return phone


def _box(names: tuple[str, ...], sdk: int, start: int) -> list[Package]:
    """The apps that the first start puts onto the data partition, one after another."""
    return [
        Package(
            name, 1000 + place, "1.0", installer=None, path=_data_path(name, sdk), uid=10_060 + place,
            installed_at=start + 2 * place, preloaded=True,
        )
        for place, name in enumerate(names)
    ]  # fmt: skip


def _data_path(name: str, sdk: int) -> str:
    outer = "~~Qm90dGxlU2hpcEluQm94==/" if sdk >= 30 else ""
    return f"/data/app/{outer}{name}-QnV0bGVyUGhvbmU9MQ==/base.apk"


def worked_phone(name: str, index: int = 0) -> PhoneState:
    """The phone as a butler carries it: the work apps from the maker's store, the maker's account, a lock, and nothing
    that R03 is against but what its own age brings.
    """
    profile = PROFILES[name]
    phone = fresh_phone(name, index)
    vendor, sdk = VENDORS[profile.model.vendor], profile.model.sdk
    since = int(phone.wall()) - 30 * _DAY_S
    phone.packages = [
        *(replace(item, installed_at=item.installed_at - 31 * _DAY_S) for item in phone.packages),
        *(
            Package(
                app.name, app.version_code, app.version_name, installer=vendor.store,
                path=_data_path(app.name, sdk), uid=10_100 + place, installed_at=since + 60 * place,
            )
            for place, app in enumerate(WORK_APPS)
        ),
    ]  # fmt: skip
    phone.accounts = [Account(0, vendor.account, "13800000000")]
    phone.lock_pin = "258025"
    phone.boot_count, phone.booted_at = 23, phone.clock() - 3 * _DAY_S
    phone.boot_reasons = [("reboot,userrequested", int(phone.wall()) - 3 * _DAY_S)]
    return phone


def add_second_users(phone: PhoneState, name: str) -> None:
    """The users that this maker's phones have beside the owner, each with the system's apps. Shell may read the dual
    apps of Xiaomi, OPPO and vivo; a second space or secure folder it may not.
    """
    names = {DUAL_APP_USER: "XSpace", SECOND_SPACE_USER: "第二空间", SECURE_FOLDER_USER: "安全文件夹"}
    flags = {DUAL_APP_USER: 0x4001010, SECOND_SPACE_USER: 0x412, SECURE_FOLDER_USER: 0x10001030}
    for user in PROFILES[name].users:
        phone.users.append(User(user, names[user], flags=flags[user]))
        phone.packages = [
            replace(item, users=item.users | {user: UserState()}) if item.system else item
            for item in phone.packages
        ]
    phone.unreadable_users = {user.id for user in phone.users} & {SECOND_SPACE_USER, SECURE_FOLDER_USER}
