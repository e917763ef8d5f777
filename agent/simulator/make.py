"""Makes varied, plausible phones: the same index and seed give the same phone."""

import random
import string
import uuid
from functools import lru_cache

from agent.simulator.catalogue import (
    AOSP_APPS,
    BUILD_IDS,
    CARRIERS,
    MODELS,
    OTHER_APPS,
    RELEASES,
    WORK_APPS,
    App,
    Model,
)
from agent.simulator.state import Account, Battery, Identity, Package, PhoneState, SimSlot, User, UserState
from agent.simulator.vendors import VENDORS, Vendor

DUAL_APP_USER = 999
SECOND_SPACE_USER = 10
SECURE_FOLDER_USER = 150
_DUAL_APP_VENDORS = ("xiaomi", "oppo")
_DAY_S = 86_400
_SERIAL_DIGITS = 5
_SHUFFLE = 70_657
_FIRST_APP_UID = 10_100


def make_phone(index: int, seed: int = 1, packages: int = 60) -> PhoneState:
    """A phone of its own: serial and IMEIs are unique for each `index` below 100,000 of a `seed`.

    `packages` is how many packages it has at least for user 0 (never fewer than the vendor's and the work
    apps).
    """
    return assemble_phone(MODELS[index % len(MODELS)], index, random.Random(f"{seed}/{index}"), packages)


def assemble_phone(model: Model, index: int, rng: random.Random, packages: int = 60) -> PhoneState:
    """A phone of this model; all that is left to chance comes from `rng`."""
    phone = PhoneState(identity=_identity(model, index, rng))
    phone.packages = _packages(model, rng, packages)
    phone.users = _users(model, rng)
    phone.packages = [_with_users(item, phone.users) for item in phone.packages]
    phone.unreadable_users = {user.id for user in phone.users} & {SECOND_SPACE_USER, SECURE_FOLDER_USER}
    phone.sims, number = _sims(index, rng)
    phone.accounts = _accounts(model, phone.users, number, rng)
    phone.settings = _settings(phone, VENDORS[model.vendor], rng)
    phone.roles = roles_of(VENDORS[model.vendor])
    phone.battery = Battery(
        rng.randint(18, 100), rng.random() < 0.3, rng.randint(240, 360), rng.randint(3700, 4400)
    )
    phone.screen_on = rng.random() < 0.4
    phone.lock_pin = f"{rng.randrange(1_000_000):06}" if rng.random() < 0.8 else None
    phone.storage_total = rng.choice((32, 64, 128, 256)) * 1_000_000_000 * 9 // 10
    phone.storage_free = int(phone.storage_total * rng.uniform(0.1, 0.7))
    _boots(phone, rng)
    return phone


def _identity(model: Model, index: int, rng: random.Random) -> Identity:
    release, build = RELEASES[model.sdk], BUILD_IDS[model.sdk]
    identity = Identity(
        serial=_serial(model.serial, index, rng),
        brand=model.brand,
        model=model.model,
        manufacturer=model.manufacturer,
        device=model.device,
        android_release=release,
        sdk=model.sdk,
        build_id=build,
        incremental=model.incremental,
        fingerprint="",
        security_patch=model.patch,
        android_id=f"{rng.getrandbits(64):016x}",
        imeis=[_imei(model.tac, index * 2), _imei(model.tac, index * 2 + 1)],
    )
    identity.fingerprint = identity.usual_fingerprint()
    return identity


def _serial(shape: str, index: int, rng: random.Random) -> str:
    """Random head, then the index shuffled by a factor without a common divisor: no two phones share a serial."""
    hexadecimal = "x" in shape
    alphabet = "0123456789abcdef" if hexadecimal else string.ascii_uppercase + string.digits
    head = "".join(rng.choice(alphabet) if sign in "xA" else sign for sign in shape[:-_SERIAL_DIGITS])
    return head + (f"{index * _SHUFFLE % 16**5:05x}" if hexadecimal else f"{index * _SHUFFLE % 10**5:05d}")


def _imei(tac: str, number: int) -> str:
    """15 digits: type allocation code, serial number, check digit."""
    body = f"{tac}{number * _SHUFFLE % 10**6:06}"
    return body + _check_digit(body)


def _check_digit(digits: str) -> str:
    """Luhn's digit; written here because the agent installs without the server's libraries."""
    odd = [sum(divmod(int(digit) * 2, 10)) for digit in digits[::-2]]
    return str(-(sum(odd) + sum(int(digit) for digit in digits[-2::-2])) % 10)


@lru_cache(maxsize=64)
def _system_packages(vendor: str, sdk: int, count: int) -> tuple[Package, ...]:
    names = [*AOSP_APPS, *VENDORS[vendor].preloaded]
    prefix = VENDORS[vendor].home.rpartition(".")[0]
    names += [f"{prefix}.overlay.part{number}" for number in range(max(0, count - len(names)))]
    return tuple(
        Package(
            name, sdk * 100 + place, RELEASES[sdk], system=True, path=_system_path(name), uid=1000 + place
        )
        for place, name in enumerate(names)
    )


def _system_path(name: str) -> str:
    folder = "".join(part.capitalize() for part in name.split(".")[-2:])
    return (
        "/system/framework/framework-res.apk" if name == "android" else f"/system/app/{folder}/{folder}.apk"
    )


def _packages(model: Model, rng: random.Random, count: int) -> list[Package]:
    others = rng.sample(OTHER_APPS, rng.choice((0, 0, 0, 1, 2, 3)))
    missing = rng.choice(WORK_APPS[1:]) if rng.random() < 0.15 else None
    chosen = [app for app in (*WORK_APPS, *others) if app is not missing]
    store = VENDORS[model.vendor].store
    apps = [_app(app, place, store, model.sdk, rng) for place, app in enumerate(chosen)]
    return [*_system_packages(model.vendor, model.sdk, count - len(apps)), *apps]


def _app(app: App, place: int, store: str, sdk: int, rng: random.Random) -> Package:
    """Android 11 and later put a random folder, which ends in `==`, in front of the app's own."""
    mark = "".join(rng.choices(string.ascii_letters + string.digits + "-_", k=22)) + "=="
    outer = (
        "~~" + "".join(rng.choices(string.ascii_letters + string.digits + "-_", k=22)) + "==/"
        if sdk >= 30
        else ""
    )
    installer = store if rng.random() < 0.9 else rng.choice((None, "com.android.browser"))
    return Package(
        app.name,
        app.version_code,
        app.version_name,
        installer=installer,
        path=f"/data/app/{outer}{app.name}-{mark}/base.apk",
        uid=_FIRST_APP_UID + place,
    )


def _users(model: Model, rng: random.Random) -> list[User]:
    users = [User(0, "机主" if model.vendor != "samsung" else "Owner")]
    if model.vendor in _DUAL_APP_VENDORS and rng.random() < 0.4:
        users.append(
            User(DUAL_APP_USER, "XSpace" if model.vendor == "xiaomi" else "MultiApp", flags=0x4001010)
        )
    elif model.vendor == "samsung" and rng.random() < 0.4:
        users.append(User(SECURE_FOLDER_USER, "安全文件夹", flags=0x10001030))
    elif rng.random() < 0.1:
        users.append(User(SECOND_SPACE_USER, "第二空间", flags=0x412))
    return users


def _with_users(package: Package, users: list[User]) -> Package:
    """The dual-app user has WeChat a second time and the system's packages."""
    extra = [user.id for user in users[1:] if package.system or package.name == "com.tencent.mm"]
    if not extra:
        return package
    states = package.users | dict.fromkeys(extra, UserState())
    return Package(
        package.name,
        package.version_code,
        package.version_name,
        package.system,
        package.installer,
        package.path,
        package.uid,
        states,
    )


def _sims(index: int, rng: random.Random) -> tuple[list[SimSlot], str]:
    operator, carrier, prefix, head = CARRIERS[rng.randrange(len(CARRIERS))]
    number = f"+86{head}{index * _SHUFFLE % 10**8:08}"
    iccid = f"{prefix}{rng.randrange(10**8):08}{index % 100_000:05}"
    card = SimSlot("LOADED", operator, carrier, iccid + _check_digit(iccid), number)
    return [card, SimSlot()], number


def _accounts(model: Model, users: list[User], number: str, rng: random.Random) -> list[Account]:
    accounts = (
        [Account(0, VENDORS[model.vendor].account, number.removeprefix("+86"))] if rng.random() < 0.8 else []
    )
    if rng.random() < 0.5:
        accounts.append(Account(0, "com.tencent.mm.account", "微信"))
    if model.vendor == "samsung":
        accounts.append(Account(0, "com.google", f"butler{rng.randrange(10_000)}@gmail.com"))
    return accounts if users else []


def roles_of(vendor: Vendor) -> dict[str, list[str]]:
    """Who holds Android's roles on a phone where nobody changed them."""
    return {
        "sms": [vendor.sms],
        "dialer": [vendor.dialer],
        "home": [vendor.home],
        "browser": [vendor.browser],
        "assistant": [vendor.assistant],
    }


def _settings(phone: PhoneState, vendor: Vendor, rng: random.Random) -> dict[str, dict[str, str]]:
    unknown = rng.random() < 0.2
    oreo = phone.identity.sdk >= 26
    secure = {"user_setup_complete": "1", "default_input_method": vendor.keyboard}
    if not oreo:
        secure["install_non_market_apps"] = str(int(unknown))
    if oreo:
        phone.install_sources = {"com.android.browser": unknown, "com.tencent.mm": False}
    return {
        "global": {
            "adb_enabled": "1",
            "adb_wifi_enabled": str(int(phone.identity.sdk >= 30 and rng.random() < 0.5)),
            "adb_allowed_connection_time": rng.choice(("0", "604800000")),
            "airplane_mode_on": "0",
            "development_settings_enabled": "1",
            "device_name": phone.identity.model,
            "device_provisioned": "1",
            "auto_time": "1",
        },
        "secure": secure,
        "system": {"screen_brightness": str(rng.randint(10, 255)), "screen_off_timeout": "60000"},
    }


def _boots(phone: PhoneState, rng: random.Random) -> None:
    """A phone that has been on for some hours to days, with up to four boots behind it."""
    up = rng.uniform(0.05, 9) * _DAY_S
    phone.booted_at = phone.clock() - up
    phone.boot_count = rng.randint(6, 180)
    phone.boot_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    reasons = ("reboot,userrequested", "shutdown,userrequested", "shutdown,battery", "reboot,ota")
    at = phone.wall() - up
    for _ in range(rng.randint(1, 4)):
        phone.boot_reasons.append((rng.choice(reasons), int(at)))
        at -= rng.uniform(1, 30) * _DAY_S
