"""`cmd testharness enable`: the one factory reset that shell can start (Android 10 and later), and its lies.

Words and exit codes are those of AOSP's TestHarnessModeService: it answers first, and erases afterwards.
"""

from __future__ import annotations

from enum import StrEnum

from agent.simulator.output import Output, failed
from agent.simulator.state import PhoneState

SINCE = 29
_LOCKED, _NO_BLOCK, _FAILED = 2, 1, 255


class HarnessLie(StrEnum):
    """What a phone of a bad day makes of the order."""

    DOES_NOTHING = "does_nothing"
    """It says that all is well, and erases nothing."""
    KEEPS_MEDIA = "keeps_media"
    """It erases all but the files in `/sdcard`."""
    OTHER_WORDS = "other_words"
    """It erases, in words that nobody knows."""
    LOST_BEFORE = "lost_before"
    """The connection ends, and nothing was done."""
    LOST_AFTER = "lost_after"
    """The connection ends, and the phone erases itself."""
    SILENT_BEFORE = "silent_before"
    """No answer ever comes, and nothing was done."""
    SILENT_AFTER = "silent_after"
    """No answer ever comes, and the phone erases itself."""


_UNDONE = (HarnessLie.DOES_NOTHING, HarnessLie.LOST_BEFORE, HarnessLie.SILENT_BEFORE)
_ANSWERS = {
    HarnessLie.OTHER_WORDS: Output("正在启用测试框架\n".encode()),
    HarnessLie.LOST_BEFORE: Output(gone=True),
    HarnessLie.LOST_AFTER: Output(gone=True),
    HarnessLie.SILENT_BEFORE: Output(silent=True),
    HarnessLie.SILENT_AFTER: Output(silent=True),
}


def there(phone: PhoneState) -> bool:
    """Whether this Android has the service at all."""
    return phone.identity.sdk >= SINCE and phone.test_harness_service


def testharness(args: list[str], phone: PhoneState) -> Output:
    """`enable`, `restore` (both erase) and help; `phone.on_reset` is asked to erase it."""
    if args[:1] not in (["enable"], ["restore"]):
        return failed(
            "About:\n  Test Harness Mode is a mode that the device can be placed in to prepare\n"
            "  the device for running UI tests. The device is placed into this mode by\n"
            "  first wiping all data from the device, preserving ADB keys.\n",
            _FAILED,
        )
    phone.wipe_orders += 1
    if phone.lock_pin is not None:
        return Output(b"Test Harness Mode cannot be enabled if there is a lock screen\n", b"", _LOCKED)
    if not phone.persistent_block:
        return failed("Failed to enable Test Harness Mode\n", _NO_BLOCK)
    lie = HarnessLie(phone.harness_lie) if phone.harness_lie else None
    if lie not in _UNDONE and phone.on_reset is not None:
        phone.on_reset()
    return _ANSWERS.get(lie, Output()) if lie else Output()
