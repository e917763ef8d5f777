"""`pm uninstall`, `disable-user`, `enable`, `suspend`, `unsuspend`, `hide`, `install-existing`: AOSP's words and
refusals, and the lies of phones that answer one thing and do another.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from agent.simulator.output import Output, failed, said
from agent.simulator.state import Enabled, Package, PhoneState, UserState


class RemovalLie(StrEnum):
    """What a phone does instead of what its own Android would, for one package or for all (`*`)."""

    UNINSTALL_SAYS_SUCCESS = "uninstall_says_success"
    UNINSTALL_SAYS_FAILURE = "uninstall_says_failure"
    INTERNAL_ERROR = "internal_error"
    USER_RESTRICTED = "user_restricted"
    DEVICE_POLICY = "device_policy"
    CODE_1000 = "code_1000"
    NEEDS_TAP = "needs_tap"
    ONLY_UPDATES = "only_updates"
    COMES_BACK = "comes_back"
    DISABLE_SAYS_DONE = "disable_says_done"
    DISABLE_REFUSED = "disable_refused"
    SUSPEND_SAYS_DONE = "suspend_says_done"
    SUSPEND_REFUSED = "suspend_refused"
    SECURITY_SETTINGS = "security_settings"
    HANGS = "hangs"
    DROPS = "drops"
    INSTALL_REFUSED = "install_refused"


_L = RemovalLie
_FAILURES = {
    _L.INTERNAL_ERROR: "DELETE_FAILED_INTERNAL_ERROR",
    _L.USER_RESTRICTED: "DELETE_FAILED_USER_RESTRICTED",
    _L.DEVICE_POLICY: "DELETE_FAILED_DEVICE_POLICY_MANAGER",
    _L.CODE_1000: "-1000",
    _L.NEEDS_TAP: "DELETE_FAILED_ABORTED",
}
_LACKS = {
    "uninstall": "DELETE_PACKAGES", "disable-user": "CHANGE_COMPONENT_ENABLED_STATE", "suspend": "SUSPEND_APPS",
    "enable": "CHANGE_COMPONENT_ENABLED_STATE", "unsuspend": "SUSPEND_APPS", "install-existing": "INSTALL_PACKAGES",
}  # fmt: skip
_SHELL_CHANGES = frozenset({Enabled.DEFAULT, Enabled.ENABLED, Enabled.DISABLED_USER})


def lies_of(phone: PhoneState, package: str) -> set[str]:
    return {*phone.removal_lies.get(package, ()), *phone.removal_lies.get("*", ())}


def change(verb: str, package: Package, user: int, phone: PhoneState) -> Output:
    """One order about a package that the phone knows; `verb` is `pm`'s word."""
    lies = lies_of(phone, package.name)
    if _L.SECURITY_SETTINGS in lies and verb in _LACKS:
        return _exception(
            verb, f"Neither user 2000 nor current process has android.permission.{_LACKS[verb]}."
        )
    output = _CHANGES[verb](package, user, phone, lies)
    if _L.DROPS in lies:
        return replace(output, gone=True)
    return replace(output, silent=True) if _L.HANGS in lies else output


def put_back(phone: PhoneState) -> None:
    """What the vendor's keeper installs again once its time has come."""
    due = [entry for entry in phone.returning if entry[0] <= phone.clock()]
    for entry in due:
        phone.returning.remove(entry)
        _, package, user = entry
        known = next((item for item in phone.packages if item.name == package.name), None)
        if known is None:
            phone.packages.append(replace(package, users={user: UserState()}))
        else:
            phone.replace_package(replace(known, users=known.users | {user: UserState()}))


def _failure(reason: str, exit_code: int = 1) -> Output:
    return Output(f"Failure [{reason}]\n".encode(), b"", exit_code)


def _exception(verb: str, reason: str) -> Output:
    trace = "\tat com.android.server.pm.PackageManagerShellCommand.onCommand(PackageManagerShellCommand.java:292)\n"
    return failed(
        f"\nException occurred while executing '{verb}':\njava.lang.SecurityException: {reason}\n{trace}", 255
    )


def _commands_phone(package: Package, phone: PhoneState) -> bool:
    admins = {component.partition("/")[0] for component in phone.device_admins}
    return package.name in {phone.device_owner, *phone.profile_owners.values(), *admins}


def _uninstall(package: Package, user: int, phone: PhoneState, lies: set[str]) -> Output:
    """`Success` or `Failure [reason]`. A system app stays on the phone and is no longer one of this user's."""
    if user not in package.users:
        return _failure(f"not installed for {user}")
    if _commands_phone(package, phone):
        return _failure(_FAILURES[_L.DEVICE_POLICY])
    for lie, reason in _FAILURES.items():
        if lie in lies:
            # Some say so with exit code 0.
            return _failure(reason, int(lie is _L.NEEDS_TAP))
    if _L.UNINSTALL_SAYS_SUCCESS in lies:
        return said("Success\n")
    if _L.ONLY_UPDATES in lies:
        phone.replace_package(replace(package, version_code=max(1, package.version_code // 2)))
        return said("Success\n")
    left = {number: state for number, state in package.users.items() if number != user}
    if left or package.system:
        phone.replace_package(replace(package, users=left))
    else:
        phone.packages = [item for item in phone.packages if item.name != package.name]
    if _L.COMES_BACK in lies:
        phone.returning.append((phone.clock() + phone.reinstall_after_s, package, user))
    return _failure("-1") if _L.UNINSTALL_SAYS_FAILURE in lies else said("Success\n")


def _set(package: Package, user: int, phone: PhoneState, state: UserState) -> None:
    phone.replace_package(replace(package, users=package.users | {user: state}))


def _enabled(to: Enabled) -> Callable[[Package, int, PhoneState, set[str]], Output]:
    verb, word = ("enable", "enabled") if to is Enabled.ENABLED else ("disable-user", "disabled-user")

    def switch(package: Package, user: int, phone: PhoneState, lies: set[str]) -> Output:
        state = package.users.get(user)
        if state is None:
            return failed(f"Error: java.lang.IllegalArgumentException: Unknown package: {package.name}\n", 1)
        if verb == "disable-user" and _L.DISABLE_REFUSED in lies:
            return _exception(verb, f"Cannot disable {package.name} no root permission")
        if state.enabled not in _SHELL_CHANGES:
            return _exception(
                verb, f"Shell cannot change component state for {package.name}/null to {to.number}"
            )
        if verb == "enable" or _L.DISABLE_SAYS_DONE not in lies:
            _set(package, user, phone, replace(state, enabled=to))
        return said(f"Package {package.name} new state: {word}\n")

    return switch


def _suspended(to: bool) -> Callable[[Package, int, PhoneState, set[str]], Output]:
    def switch(package: Package, user: int, phone: PhoneState, lies: set[str]) -> Output:
        state = package.users.get(user)
        if state is None:
            return failed(f"Error: java.lang.IllegalArgumentException: Unknown package: {package.name}\n", 1)
        holds = package.name in {*phone.roles.get("home", ()), *phone.roles.get("dialer", ())}
        # Android itself never suspends these; it answers with the state that is.
        kept = to and (_L.SUSPEND_REFUSED in lies or holds or _commands_phone(package, phone))
        if not (kept or (to and _L.SUSPEND_SAYS_DONE in lies)):
            _set(package, user, phone, replace(state, suspended=to))
        shown = str(state.suspended if kept else to).lower()
        return said(f"Package {package.name} new suspended state: {shown}\n")

    return switch


def _hidden(package: Package, _user: int, _phone: PhoneState, _lies: set[str]) -> Output:
    """Shell may not hide: it is answered with the state that is, and nobody says so."""
    return said(f"Package {package.name} new hidden state: false\n")


def _install_existing(package: Package, user: int, phone: PhoneState, lies: set[str]) -> Output:
    if _L.INSTALL_REFUSED in lies:
        return _failure("INSTALL_FAILED_USER_RESTRICTED: Install canceled by user")
    if user not in package.users:
        _set(package, user, phone, UserState())
    return said(f"Package {package.name} installed for user: {user}\n")


_CHANGES: dict[str, Callable[[Package, int, PhoneState, set[str]], Output]] = {
    "uninstall": _uninstall,
    "enable": _enabled(Enabled.ENABLED),
    "disable-user": _enabled(Enabled.DISABLED_USER),
    "suspend": _suspended(True),
    "unsuspend": _suspended(False),
    "hide": _hidden,
    "unhide": _hidden,
    "install-existing": _install_existing,
}
VERBS = frozenset(_CHANGES)
