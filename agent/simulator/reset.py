"""What a factory reset makes of a phone's state. Its files, port and power are the device's (`Device.erase`)."""

from __future__ import annotations

import secrets
from dataclasses import replace

from agent.simulator.journal import JournalFiles
from agent.simulator.state import AuthMode, PhoneState, User

REASON = "reboot,factory_reset"
_FREE_SHARE = 0.93


def erase(phone: PhoneState, *, harness: bool) -> None:
    """All of a user's gone, the phone's own kept: serial, IMEIs, cards, SD card, and the clock.

    `harness`: by test-harness mode, which keeps the ADB keys, debugging and eSIMs; after any other reset a person has
    to switch debugging on and to allow the key anew.
    """
    now = int(phone.wall())
    phone.frp_account = next((item.name for item in phone.accounts if item.type == "com.google"), None)
    phone.identity.android_id = secrets.token_hex(8)
    phone.packages = [
        replace(item, installed_at=now, users={0: item.users.get(0) or next(iter(item.users.values()))})
        for item in phone.packages
        if (item.system or item.preloaded) and item.users
    ]
    phone.users = [User(0, phone.users[0].name if phone.users else "机主")]
    phone.unreadable_users = set()
    phone.accounts, phone.device_owner, phone.profile_owners, phone.device_admins = [], None, {}, []
    phone.contacts = phone.calls = phone.messages = phone.mms = 0
    phone.people = None
    phone.lock_pin, phone.wrong_pins, phone.throttled_until = None, 0, 0.0
    phone.install_sources, phone.properties, phone.power_events = {}, {}, []
    if not harness:
        phone.esim_profiles = 0
    phone.journal = JournalFiles()
    phone.settings = _fresh_settings(phone, harness=harness)
    phone.storage_free = int(phone.storage_total * _FREE_SHARE)
    # What Android keeps of former boots lies in the partition that is gone.
    phone.boot_count, phone.boot_reasons = 0, []
    phone.test_harness = harness
    phone.resets += 1
    if not harness:
        phone.authorised_keys, phone.debugging = [], False
        phone.auth = AuthMode.ASK if phone.auth in (AuthMode.OPEN, AuthMode.AUTO) else phone.auth


def _fresh_settings(phone: PhoneState, *, harness: bool) -> dict[str, dict[str, str]]:
    on = str(int(harness))
    return {
        "global": {
            "adb_enabled": on,
            "adb_wifi_enabled": "0",
            "airplane_mode_on": "0",
            "auto_time": "1",
            "development_settings_enabled": on,
            "device_name": phone.identity.model,
            "device_provisioned": on,
        },
        "secure": {"user_setup_complete": on},
        "system": {"screen_brightness": "102", "screen_off_timeout": "30000"},
    }
