"""`dumpsys SERVICE`: the services that tell power, accounts, users, locks, owners and telephony."""

from collections.abc import Callable

from agent.simulator.android.dumpsys_history import dump_batterystats, dump_usagestats
from agent.simulator.android.dumpsys_owners import dump_device_policy, dump_roles
from agent.simulator.android.dumpsys_package import dump_packages
from agent.simulator.android.packages import user_lines
from agent.simulator.output import Output, failed, said
from agent.simulator.state import Account, PhoneState, User, Way

_CREDENTIAL_TYPE_SINCE = 30
_MAKERS_BATTERY = (
    "  LED Charging: true\n  Charger voltage : 0\n  Battery current : -212\n  PhoneTemp: 298\n"
    "  ThermalFeatureOn: true\n  FastCharge level: 0\n"
)


def dumpsys(args: list[str], phone: PhoneState) -> Output:
    """One service's dump; `dumpsys -l` lists the services."""
    args = args[2:] if args[:1] == ["-t"] else args
    if args == ["-l"]:
        return said("Currently running services:\n" + "".join(f"  {name}\n" for name in sorted(_SERVICES)))
    if args[:1] == ["role"]:
        return dump_roles(args[1:], phone)
    if not args or args[0] not in _SERVICES:
        return failed(f"Can't find service: {args[0] if args else ''}\n", 1)
    return said(_SERVICES[args[0]](args[1:], phone))


def _battery(_args: list[str], phone: PhoneState) -> str:
    battery = phone.battery
    usb = str(battery.charging).lower()
    status = 5 if battery.charging and battery.percent >= 100 else 2 if battery.charging else 3
    return (
        "Current Battery Service state:\n"
        f"  AC powered: false\n  USB powered: {usb}\n  Wireless powered: false\n"
        "  Max charging current: 500000\n  Max charging voltage: 5000000\n"
        f"  Charge counter: {battery.percent * 45000}\n  status: {status}\n  health: 2\n  present: true\n"
        f"  level: {battery.percent}\n  scale: 100\n  voltage: {battery.voltage}\n"
        f"  temperature: {battery.temperature}\n  technology: Li-poly\n"
        + (_MAKERS_BATTERY if Way.BATTERY_LINES in phone.ways else "")
    )


def _power(_args: list[str], phone: PhoneState) -> str:
    awake = "Awake" if phone.screen_on else "Asleep"
    display = "ON" if phone.screen_on else "OFF"
    return (
        "POWER MANAGER (dumpsys power)\n\nPower Manager State:\n"
        f"  mDirty=0x0\n  mWakefulness={awake}\n  mWakefulnessChanging=false\n"
        f"  mIsPowered={str(phone.battery.charging).lower()}\n"
        f"  mPlugType={2 if phone.battery.charging else 0}\n"
        f"  mBatteryLevel={phone.battery.percent}\n  mStayOn=false\n  mBootCompleted="
        f"{str(phone.boot_completed()).lower()}\n\nDisplay Power: state={display}\n"
    )


def _account(_args: list[str], phone: PhoneState) -> str:
    parts = []
    for user, line in zip(phone.users, user_lines(phone), strict=True):
        accounts = [item for item in phone.accounts if item.user == user.id]
        parts.append(_accounts_of(line.removesuffix(" running"), accounts))
    return "".join(parts)


def _accounts_of(head: str, accounts: list[Account]) -> str:
    rows = "".join(f"    Account {{name={item.name}, type={item.type}}}\n" for item in accounts)
    kinds = sorted({item.type for item in accounts})
    services = "".join(
        f"    ServiceInfo: AuthenticatorDescription {{type={kind}}}, "
        f"ComponentInfo{{{kind}/{kind}.Service}}, uid 10087\n"
        for kind in kinds
    )
    return (
        f"User {head}:\n  Accounts: {len(accounts)}\n{rows}\n"
        "  AccountId, Action_Type, timestamp, UID, TableName, Key\n  Accounts History\n\n"
        f"  Active Sessions: 0\n\n  RegisteredServicesCache: {len(kinds)} services\n{services}\n"
        "  Account visibility:\n\n"
    )


def _user(_args: list[str], phone: PhoneState) -> str:
    blocks = "".join(_user_block(user, phone) for user in phone.users)
    managed = str(phone.device_owner is not None).lower()
    return f"Current user: 0\nUsers:\n{blocks}\n  Device managed: {managed}\n"


def _user_block(user: User, phone: PhoneState) -> str:
    state = "RUNNING_UNLOCKED" if user.running else "-1"
    return (
        f"  UserInfo{{{user.id}:{user.name}:{user.flags:x}}} serialNo={user.id} "
        f"isPrimary={str(user.id == 0).lower()}\n"
        f"    State: {state}\n    Created: <unknown>\n    Last logged in: +1h2m33s114ms ago\n"
        f"    Last logged in fingerprint: {phone.identity.fingerprint}\n    Has profile owner: false\n"
        "    Restrictions:\n      none\n"
    )


def _trust(_args: list[str], phone: PhoneState) -> str:
    locked = int(phone.lock_pin is not None and not phone.screen_on)
    rows = "".join(
        f' User "{user.name}" (id={user.id}, flags={user.flags:#x}){" (current)" if user.id == 0 else ""}: '
        f"trusted=0, trustManaged=0, deviceLocked={locked if user.id == 0 else 0}, strongAuthRequired=0x0\n"
        "   Enabled agents:\n   Events:\n"
        for user in phone.users
    )
    return f"Trust manager state:\n{rows}"


def _lock_settings(_args: list[str], phone: PhoneState) -> str:
    """The kind of credential is printed from Android 11 on."""
    kind = "PIN" if phone.lock_pin is not None else "NONE"
    blocks = ""
    for user in phone.users:
        known = phone.identity.sdk >= _CREDENTIAL_TYPE_SINCE
        shown = f"        CredentialType: {kind if user.id == 0 else 'NONE'}\n" if known else ""
        blocks += f"    User {user.id}\n        SP Handle: 5d2f8a11c0e4b7{user.id:02x}\n{shown}"
    return f"Current lock settings service state:\n\nUser State:\n{blocks}\n"


def _telephony(_args: list[str], phone: PhoneState) -> str:
    blocks = ""
    for slot, card in enumerate(phone.sims):
        on_air = card.state == "LOADED" and not phone.airplane_mode
        voice = "0(IN_SERVICE)" if on_air else "3(POWER_OFF)" if phone.airplane_mode else "1(OUT_OF_SERVICE)"
        name = f"{card.carrier}, {card.carrier}, {card.operator}" if on_air else "null, null, null"
        blocks += (
            f"  Phone Id={slot}\n    mCallState=0\n    mServiceState={{mVoiceRegState={voice}, "
            f"mDataRegState={voice}, operator={name}}}\n    mDataConnectionState={2 if on_air else 0}\n"
        )
    return f"last known state:\n{blocks}"


_SERVICES: dict[str, Callable[[list[str], PhoneState], str]] = {
    "account": _account,
    "battery": _battery,
    "batterystats": dump_batterystats,
    "device_policy": dump_device_policy,
    "lock_settings": _lock_settings,
    "package": dump_packages,
    "power": _power,
    "telephony.registry": _telephony,
    "trust": _trust,
    "usagestats": dump_usagestats,
    "user": _user,
}
