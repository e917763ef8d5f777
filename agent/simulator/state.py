"""State of one simulated phone: plain values, changeable while the phone runs."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from agent import clock as clocks
from agent.simulator.journal import JournalFiles

if TYPE_CHECKING:
    from agent.simulator.files import PhoneFiles
    from agent.simulator.people import People

HISTORY_LENGTH = 4


class AuthMode(StrEnum):
    """What happens with a key that the phone does not know."""

    OPEN = "open"
    AUTO = "auto"
    ASK = "ask"
    NEVER = "never"


class Enabled(StrEnum):
    """`enabled=` of a package for a user, as `dumpsys package` numbers it (`number`)."""

    DEFAULT = "default"
    ENABLED = "enabled"
    DISABLED = "disabled"
    DISABLED_USER = "disabled_user"

    @property
    def number(self) -> int:
        """AOSP's COMPONENT_ENABLED_STATE value, 0 to 3."""
        return _ENABLED_NUMBERS[self]

    @property
    def runs(self) -> bool:
        """Whether the package may run."""
        return self in (Enabled.DEFAULT, Enabled.ENABLED)


_ENABLED_NUMBERS = {state: number for number, state in enumerate(Enabled)}


@dataclass(frozen=True, slots=True)
class UserState:
    """A package as one user has it."""

    enabled: Enabled = Enabled.DEFAULT
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package; `users` maps the ids of the users that have it to how they have it. `installed_at`: when
    it came onto the phone, epoch seconds by the phone's clock. `signer`: the print of its certificate that Android 9
    and later show; empty: its maker's, which follows from its name. `preloaded`: it came in the box and can be
    removed; a reset puts it back.
    """

    name: str
    version_code: int
    version_name: str
    system: bool = False
    installer: str | None = None
    path: str = ""
    uid: int = 10000
    users: dict[int, UserState] = field(default_factory=lambda: {0: UserState()})
    installed_at: int = 1_773_796_364
    signer: str = ""
    preloaded: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """An Android user; 999 is the dual-app user of Xiaomi and OPPO."""

    id: int
    name: str
    running: bool = True
    flags: int = 0xC13


class Way(StrEnum):
    """How a maker's phones print otherwise than AOSP's."""

    LINKER_NOISE = "linker_noise"
    """Warnings of the linker beside what Android's own commands print."""
    BATTERY_LINES = "battery_lines"
    """Lines of the maker's own in the battery's dump, some with words of AOSP's lines."""
    LOCALISED = "localised"
    """Headings in Chinese."""
    PROPERTY_LINES = "property_lines"
    """Properties of several lines, one of which looks like a property's end."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `name` may hold a phone number or a mail address."""

    user: int
    type: str
    name: str


@dataclass(frozen=True, slots=True)
class SimSlot:
    """One SIM slot; an absent card has no operator."""

    state: str = "ABSENT"
    operator: str = ""
    carrier: str = ""
    iccid: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Volume:
    """A storage volume beside the phone's own, which no reset touches; in `id` 179 is an SD card, 8 a USB disk."""

    id: str = "public:179,65"
    state: str = "mounted"
    uuid: str = "4A21-0000"


@dataclass
class Identity:
    """What the phone says it is (getprop, settings)."""

    serial: str
    brand: str
    model: str
    manufacturer: str
    device: str
    android_release: str
    sdk: int
    build_id: str
    incremental: str
    fingerprint: str
    security_patch: str
    android_id: str
    imeis: list[str] = field(default_factory=list)
    build_type: str = "user"

    def usual_fingerprint(self) -> str:
        """The build's fingerprint as Android puts it together."""
        return (
            f"{self.brand}/{self.device}/{self.device}:{self.android_release}/{self.build_id}/{self.incremental}"
            f":{self.build_type}/release-keys"
        )


@dataclass
class Battery:
    """`dumpsys battery`: percent, whether power is plugged in, tenths of a degree Celsius, millivolts."""

    percent: int = 80
    charging: bool = False
    temperature: int = 291
    voltage: int = 4012


@dataclass
class PhoneState:
    """One phone: what it is, what is on it, and what its kernel counts.

    `clock` is a steady clock in seconds; uptime is counted on it. `wall_offset_s` is what the phone's own
    wall clock (epoch seconds, which may be wrong) is ahead of it. `delay_s` is the link's delay of each
    message one way. `boot_completed_after_s` is the uptime at which `sys.boot_completed` turns 1; until
    then `boot_count` in the settings is still the former boot's. `boot_duration_s` is how long a reboot
    keeps the phone off the network. `install_sources` are apps that asked to install others, and whether
    they may. `lock_pin` is the lock's PIN or password; `lock_tries` counts each look at a credential,
    `wrong_pins` the wrong ones in a row. `contacts`, `calls` and `messages` None: shell may not
    read them; the rows themselves are made from these numbers when first asked for, and then live in
    `people` (None again: no longer there, as after a reset). `provider_lies` are of `ProviderLie`; `import_tap`
    says whether somebody confirms an import on the screen by himself; `import_per_s` 0 imports all at once.
    `media`: how many made-up files lie in its storage at the start.
    `tree` is the phone's files, once it is at work.

    `persistent_block`: there is a partition that outlives a reset; test-harness mode needs it. `frp_account`: whose
    password a phone wants after a reset. `debugging` off: nothing listens. `reset_after_s`: how long after the order
    an erasure begins. `wipe_orders` counts the orders to erase that were met, `resets` those that were done.
    `device_admins` are components (`pkg/cls`); a device owner's own is added to them. `profile_owners` are packages
    by user. `roles` are the packages that hold a role (`sms`, `dialer`, `home`, `browser`, `assistant`) for user 0.
    `ways` are of `Way`: how it prints. `refused`: beginnings of commands that shell may not run.
    `loader_unlocked` shows in the properties, `su` in a place where shell can see it.
    `shown` is what shell did for the person who looks for this phone.
    `removal_lies` are of `RemovalLie`, by package, or `*` for all; a keeper of the vendor's puts an app back
    `reinstall_after_s` after its removal (`returning`: when, what, for whom).
    """

    identity: Identity
    packages: list[Package] = field(default_factory=list)
    users: list[User] = field(default_factory=lambda: [User(0, "机主")])
    unreadable_users: set[int] = field(default_factory=set)
    accounts: list[Account] = field(default_factory=list)
    sims: list[SimSlot] = field(default_factory=lambda: [SimSlot(), SimSlot()])
    settings: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"global": {}, "secure": {}, "system": {}}
    )
    properties: dict[str, str] = field(default_factory=dict)
    battery: Battery = field(default_factory=Battery)
    screen_on: bool = False
    lock_pin: str | None = None
    lock_least: int = 4
    unified_challenge: bool = False
    lock_lie: str | None = None
    contacts: int | None = 0
    calls: int | None = 0
    messages: int | None = 0
    media: int = 0
    mms: int = 0
    provider_lies: list[str] = field(default_factory=list)
    import_tap: Literal["ask", "auto"] = "ask"
    import_per_s: float = 0.0
    device_owner: str | None = None
    profile_owners: dict[int, str] = field(default_factory=dict)
    device_admins: list[str] = field(default_factory=list)
    roles: dict[str, list[str]] = field(default_factory=dict)
    ways: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    su: bool = False
    loader_unlocked: bool = False
    selinux_enforcing: bool = True
    install_sources: dict[str, bool] = field(default_factory=dict)
    storage_total: int = 128_000_000_000
    storage_free: int = 60_000_000_000

    boot_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    boot_count: int = 1
    booted_at: float = 0.0
    boot_reasons: list[tuple[str, int]] = field(default_factory=list)
    boot_completed_after_s: float = 0.0
    boot_duration_s: float = 0.0
    clock: Callable[[], float] = clocks.steady
    wall_offset_s: float = field(default_factory=lambda: clocks.wall() - clocks.steady())

    auth: AuthMode = AuthMode.AUTO
    authorised_keys: list[str] = field(default_factory=list)
    shell_v2: bool = True
    delay_s: float = 0.0

    persistent_block: bool = True
    test_harness_service: bool = True
    harness_lie: str | None = None
    test_harness: bool = False
    frp_account: str | None = None
    volumes: list[Volume] = field(default_factory=list)
    esim_profiles: int = 0
    debugging: bool = True
    reset_after_s: float = 0.2
    wipe_orders: int = 0
    resets: int = 0
    shown: list[str] = field(default_factory=list)
    removal_lies: dict[str, list[str]] = field(default_factory=dict)
    reinstall_after_s: float = 0.0
    returning: list[tuple[float, Package, int]] = field(default_factory=list)

    power_events: list[tuple[str, int]] = field(default_factory=list)
    journal: JournalFiles = field(default_factory=JournalFiles)
    wrong_pins: int = 0
    throttled_until: float = 0.0
    lock_tries: int = 0
    on_power: Callable[[str], None] | None = None
    people: "People | None" = None
    tree: "PhoneFiles | None" = None
    on_reset: Callable[[], None] | None = None

    def uptime(self) -> float:
        """Seconds since boot, sleep included."""
        return max(0.0, self.clock() - self.booted_at)

    def wall(self) -> float:
        """The phone's own idea of the time, epoch seconds."""
        return self.clock() + self.wall_offset_s

    def boot_completed(self) -> bool:
        """Whether Android has finished booting."""
        return self.uptime() >= self.boot_completed_after_s

    def settings_boot_count(self) -> int:
        """`settings get global boot_count`: the former boot's until this one is completed."""
        return self.boot_count if self.boot_completed() else self.boot_count - 1

    def boot(self, reason: str, boot_id: str | None = None) -> None:
        """Start a new boot now: new id, next count, uptime 0, `reason` (`reboot,userrequested`) on top of
        the history.
        """
        self.boot_id = boot_id or str(uuid.uuid4())
        self.boot_count += 1
        self.booted_at = self.clock()
        entry = (reason, int(self.wall()))
        self.note_power("STARTUP")
        self.boot_reasons = [entry, *self.boot_reasons][:HISTORY_LENGTH]

    def note_power(self, event: str) -> None:
        """What Android itself notes by its wall clock: `SHUTDOWN`, `STARTUP`."""
        self.power_events = [*self.power_events, (event, int(self.wall()))][-2 * HISTORY_LENGTH :]

    @property
    def airplane_mode(self) -> bool:
        """The global setting `airplane_mode_on`."""
        return self.settings["global"].get("airplane_mode_on") == "1"

    @airplane_mode.setter
    def airplane_mode(self, on: bool) -> None:
        self.settings["global"]["airplane_mode_on"] = str(int(on))

    def user(self, number: int) -> User | None:
        """The user of this id, if there is one."""
        return next((user for user in self.users if user.id == number), None)

    def packages_of(self, user: int) -> list[Package]:
        """Packages which this user has installed."""
        return [package for package in self.packages if user in package.users]

    def replace_package(self, new: Package) -> None:
        """Put `new` in the place of the package of its name; KeyError when there is none."""
        for index, package in enumerate(self.packages):
            if package.name == new.name:
                self.packages[index] = new
                return
        raise KeyError(new.name)
