"""`pm` (`cmd package`): lists of packages and users, who answers an intent, and the orders of `removal`; AOSP's formats
and refusals.
"""

from dataclasses import dataclass, field

from agent.simulator.android import removal
from agent.simulator.output import Output, failed, said
from agent.simulator.state import Package, PhoneState, UserState

_FAILED = 255
_FLAG_SINCE = {"-U": 26, "--show-versioncode": 28}
_FLAGS = {"-f", "-i", "-s", "-3", "-d", "-e", "-u", "-l", "-a", *_FLAG_SINCE}


def pm(args: list[str], phone: PhoneState) -> Output:
    """One `pm` command; anything but lists, path, resolve-activity and the orders of `removal` is unknown."""
    match args:
        case ["list", "packages", *rest]:
            return _list_packages(rest, phone)
        case ["list", "users"]:
            return said("Users:\n" + "".join(f"\t{line}\n" for line in user_lines(phone)))
        case ["path", *rest]:
            return _path(rest, phone)
        case ["resolve-activity", *rest]:
            return _resolve_activity(rest, phone)
        case ["disable", *_]:
            return failed(
                "Error: java.lang.SecurityException: Shell cannot change component state for null to 2\n", 1
            )
        case [verb, *rest] if verb in removal.VERBS:
            return _change(verb, rest, phone)
        case [unknown, *_]:
            return failed(f"Unknown command: {unknown}\n", _FAILED)
    return failed(
        "usage: pm [list|path|resolve-activity|uninstall|enable|disable-user|suspend|unsuspend]\n", 1
    )


def user_lines(phone: PhoneState) -> list[str]:
    """`UserInfo{id:name:flags} running`, as `pm list users` and the account dump print them."""
    return [
        f"UserInfo{{{user.id}:{user.name}:{user.flags:x}}}" + (" running" if user.running else "")
        for user in phone.users
    ]


@dataclass
class _Options:
    """Options of `pm list packages`; `user` None is "all users"."""

    flags: set[str] = field(default_factory=set)
    user: int | None = None
    words: list[str] = field(default_factory=list)


def _options(args: list[str], sdk: int) -> _Options | str:
    """Parsed options, or the message of the first one that this Android does not know."""
    options = _Options()
    rest = iter(args)
    for word in rest:
        if word == "--user":
            value = next(rest, "")
            if value in ("current", "cur"):
                options.user = 0
            elif value.isdigit():
                options.user = int(value)
            elif value != "all":
                return f"Error: Invalid user: {value}\n"
        elif word.startswith("-"):
            if word not in _FLAGS or _FLAG_SINCE.get(word, 0) > sdk:
                return f"Error: Unknown option: {word}\n"
            options.flags.add(word)
        else:
            options.words.append(word)
    return options


def _list_packages(args: list[str], phone: PhoneState) -> Output:
    """Without `--user`, all users are asked, so one unreadable user spoils it, as on real phones."""
    options = _options(args, phone.identity.sdk)
    if isinstance(options, str):
        return failed(options, _FAILED)
    asked = [user.id for user in phone.users] if options.user is None else [options.user]
    barred = next((user for user in asked if user in phone.unreadable_users), None)
    if barred is not None:
        return security_exception("list", barred, phone.identity.sdk)
    asked = [user for user in asked if phone.user(user) is not None]
    lines: list[str] = []
    for package in phone.packages:
        for user in asked:
            state = package.users.get(user)
            if state is not None:
                if _wanted(package, state, options):
                    lines.append(_line(package, user, options.flags))
                break
    return said("".join(lines))


def security_exception(verb: str, user: int, sdk: int) -> Output:
    """What a user that shell may not read gives: Android 11 prints it differently from the ones before."""
    reason = f"Shell does not have permission to access user {user}"
    trace = (
        f"java.lang.SecurityException: {reason}\n"
        "\tat com.android.server.am.ActivityManagerService.handleIncomingUser"
        "(ActivityManagerService.java:15327)\n"
        "\tat com.android.server.pm.PackageManagerShellCommand.onCommand"
        "(PackageManagerShellCommand.java:256)\n"
    )
    head = (
        f"\nException occurred while executing '{verb}':\n"
        if sdk >= 30
        else f"Security exception: {reason}\n\n"
    )
    return failed(head + trace, _FAILED)


def _wanted(package: Package, state: UserState, options: _Options) -> bool:
    flags = options.flags
    if ("-s" in flags and not package.system) or ("-3" in flags and package.system):
        return False
    if ("-d" in flags and state.enabled.runs) or ("-e" in flags and not state.enabled.runs):
        return False
    return not options.words or options.words[0] in package.name


def _line(package: Package, user: int, flags: set[str]) -> str:
    path = f"{package.path}=" if "-f" in flags else ""
    version = f" versionCode:{package.version_code}" if "--show-versioncode" in flags else ""
    installer = f"  installer={package.installer or 'null'}" if "-i" in flags else ""
    uid = f" uid:{user * 100_000 + package.uid}" if "-U" in flags else ""
    return f"package:{path}{package.name}{version}{installer}{uid}\n"


def _found(args: list[str], phone: PhoneState) -> tuple[Package, int] | Output:
    """The package and user that a command names, or its refusal."""
    options = _options([word for word in args if word != "-k"], phone.identity.sdk)
    if isinstance(options, str):
        return failed(options, _FAILED)
    user = options.user or 0
    if user in phone.unreadable_users:
        return security_exception("command", user, phone.identity.sdk)
    name = options.words[0] if options.words else ""
    package = next((item for item in phone.packages_of(user) if item.name == name), None)
    return (package, user) if package else failed(f"Error: unknown package: {name}\n", _FAILED)


def _path(args: list[str], phone: PhoneState) -> Output:
    found = _found(args, phone)
    return Output(exit_code=1) if isinstance(found, Output) else said(f"package:{found[0].path}\n")


def _change(verb: str, args: list[str], phone: PhoneState) -> Output:
    """An order about one package of one user; without `--user` that is the user at the screen."""
    options = _options([word for word in args if word != "-k"], phone.identity.sdk)
    if isinstance(options, str):
        return failed(options, _FAILED)
    user = options.user or 0
    if user in phone.unreadable_users:
        return security_exception(verb, user, phone.identity.sdk)
    name = options.words[0] if options.words else ""
    package = next((item for item in phone.packages if item.name == name), None)
    if package is not None and phone.user(user) is not None:
        return removal.change(verb, package, user, phone)
    if verb == "uninstall":
        return Output(f"Failure [not installed for {user}]\n".encode(), b"", 1)
    if verb == "install-existing":
        return failed(
            f"android.content.pm.PackageManager$NameNotFoundException: Package {name} doesn't exist\n", 1
        )
    return failed(f"Error: java.lang.IllegalArgumentException: Unknown package: {name}\n", 1)


def _resolve_activity(args: list[str], phone: PhoneState) -> Output:
    """Which app answers the home key; of other intents this phone knows nothing."""
    brief = "--brief" in args
    options = _options(
        [word for word in args if word in ("--user", *map(str, range(1000)))], phone.identity.sdk
    )
    user = 0 if isinstance(options, str) else options.user or 0
    if user in phone.unreadable_users:
        return security_exception("resolve-activity", user, phone.identity.sdk)
    if "android.intent.category.HOME" not in args or phone.user(user) is None:
        return said("No activity found\n")
    homes = phone.roles.get("home", [])
    package = homes[0] if len(homes) == 1 else "android"
    activity = (
        f"{package}.launcher.Launcher" if len(homes) == 1 else "com.android.internal.app.ResolverActivity"
    )
    if brief:
        return said(
            "priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=true\n"
            f"{package}/{activity}\n"
        )
    return said(
        "priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=true\n"
        f"ActivityInfo:\n  name={activity}\n  packageName={package}\n"
        f"  ApplicationInfo:\n    packageName={package}\n"
    )
