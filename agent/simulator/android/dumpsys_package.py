"""`dumpsys package [packages | NAME]`: one block a package, as AOSP's Settings.dumpPackagesLPr prints it."""

import datetime as dt
import zlib
from functools import lru_cache

from agent.simulator.state import Package, PhoneState, UserState

_SIGNERS_SINCE = 28
_TIMES_PER_USER_SINCE = 33
_NEVER = "1970-01-01 08:00:00"
"""Android's word for "this user does not have it"."""
_ZONE = dt.timezone(dt.timedelta(hours=8))
_HEAD = "Database versions:\n  Internal:\n    sdkVersion={sdk} databaseVersion=3\n\n"


def dump_packages(args: list[str], phone: PhoneState) -> str:
    """All packages' blocks for no argument (with a head) or `packages`; one package's for its name."""
    wanted = args[0] if args and args[0] not in ("packages", "p") else None
    chosen = [item for item in phone.packages if wanted is None or item.name == wanted]
    if wanted is not None and not chosen:
        return f"Unable to find package: {wanted}\n"
    head = "" if args else _HEAD.format(sdk=phone.identity.sdk)
    return head + "Packages:\n" + "".join(_block(item, phone) for item in chosen)


@lru_cache(maxsize=8192)
def _mark(name: str) -> str:
    """The object hash that AOSP prints; stable here so that two dumps of one state are equal."""
    return f"{zlib.crc32(name.encode()) & 0xFFFFFFF:x}"


@lru_cache(maxsize=1024)
def _moment(epoch: int) -> str:
    """The phone's local time, which for these phones is China's."""
    return dt.datetime.fromtimestamp(epoch, tz=_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _signatures(package: Package, mark: str, sdk: int) -> str:
    """Before Android 9 what stands in the brackets is where the certificate lay in memory."""
    if sdk < _SIGNERS_SINCE:
        return f"PackageSignatures{{{mark} [{zlib.crc32(mark.encode()) & 0xFFFFFFF:x}]}}"
    return f"PackageSignatures{{{mark} version:2, signatures:[{package.signer or maker(package)}], past signatures:[]}}"


@lru_cache(maxsize=8192)
def _maker_of(owner: str) -> str:
    return f"{zlib.crc32(owner.encode()):x}"


def maker(package: Package) -> str:
    """The print of the certificate by which a name's maker signs: one for the system, one for `com.tencent`."""
    return "b378e95c" if package.system else _maker_of(".".join(package.name.split(".")[:2]))


def _block(package: Package, phone: PhoneState) -> str:
    flags = (
        "SYSTEM HAS_CODE ALLOW_CLEAR_USER_DATA"
        if package.system
        else "HAS_CODE ALLOW_CLEAR_USER_DATA ALLOW_BACKUP"
    )
    folder = package.path.rpartition("/")[0]
    mark = _mark(package.name)
    installed = _moment(package.installed_at)
    per_user = phone.identity.sdk >= _TIMES_PER_USER_SINCE
    times = "" if per_user else f"    firstInstallTime={installed}\n"
    known = [(user.id, package.users.get(user.id)) for user in phone.users]
    users = "".join(
        _user(number, state)
        + (f"      firstInstallTime={installed if state else _NEVER}\n" if per_user else "")
        for number, state in known
    )
    return (
        f"  Package [{package.name}] ({mark}):\n    userId={package.uid}\n"
        f"    pkg=Package{{{mark} {package.name}}}\n    codePath={folder}\n    resourcePath={folder}\n"
        f"    versionCode={package.version_code} minSdk=21 targetSdk={min(phone.identity.sdk, 33)}\n"
        f"    versionName={package.version_name}\n    splits=[base]\n    apkSigningVersion=2\n"
        f"    flags=[ {flags} ]\n    dataDir=/data/user/0/{package.name}\n"
        f"    supportsScreens=[small, medium, large, xlarge, resizeable, anyDensity]\n"
        f"    timeStamp={installed}\n{times}    lastUpdateTime={installed}\n"
        + (f"    installerPackageName={package.installer}\n" if package.installer else "")
        + f"    signatures={_signatures(package, mark, phone.identity.sdk)}\n"
        f"    installPermissionsFixed=true\n    pkgFlags=[ {flags} ]\n{users}\n"
    )


@lru_cache(maxsize=1024)
def _user(number: int, state: UserState | None) -> str:
    known = state or UserState()
    return (
        f"    User {number}: ceDataInode=1234 installed={str(state is not None).lower()} hidden=false "
        f"suspended={str(known.suspended).lower()} stopped=false notLaunched=false "
        f"enabled={known.enabled.number} instant=false virtual=false\n      gids=[3003]\n"
    )
