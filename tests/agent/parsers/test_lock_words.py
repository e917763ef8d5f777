"""What `locksettings` prints, as codes; nothing that is not plainly one of the known counts."""

from __future__ import annotations

import pytest

from agent.parsers.lock import set_code, verify_code
from tests.agent.lock_rig import said


@pytest.mark.parametrize(
    ("out", "code", "expected"),
    [
        ("Lock credential verified successfully\n", 0, "match"),
        ("Lock credential verified successfully\r\n", 0, "match"),
        ("Lock credential verified successfully\n", 255, "words"),
        ("Lock credential verified successfully\n", None, "words"),
        ("Old password '1' didn't match\n", 255, "mismatch"),
        ("Old password 'Lock credential verified successfully' didn't match\n", 255, "mismatch"),
        ("Request throttled\n", 255, "throttled"),
        ("Request throttled\nOld password '1' didn't match\n", 255, "words"),
        ("Profile uses unified challenge\n", 255, "profile"),
        ("Old password provided but user has no password\n", 255, "no_lock"),
        ("User has a lock credential, but old credential was not provided\n", 255, "words"),
        ("", 0, "words"),
        ("Segmentation fault\n", 139, "words"),
        ("Unknown command: verify\n", 255, "not_supported"),
        ("cmd: Can't find service: lock_settings\n", 20, "not_supported"),
        ("/system/bin/sh: locksettings: not found\n", 127, "not_supported"),
        ("/system/bin/sh: locksettings: inaccessible or not found\n", 127, "not_supported"),
    ],
)
def test_words_of_verify(out: str, code: int | None, expected: str) -> None:
    assert verify_code(said(out, code)) == expected
    assert verify_code(said("", code, out)) == expected, "on either stream"


@pytest.mark.parametrize(
    ("new", "out", "code", "expected"),
    [
        ("1234", "Pin set to '1234'\n", 0, "set"),
        ("1234", "Pin set to '1235'\n", 0, "words"),
        ("12a4", "Password set to '12a4'\n", 0, "set"),
        ("12a4", "Pin set to '12a4'\n", 0, "words"),
        ("1234", "Pin set to '1234'\n", 1, "words"),
        ("1234", "New credential doesn't satisfy admin policies: Too short\n", 0, "policy"),
        ("1234", "Old password '1' didn't match\n", 255, "mismatch"),
    ],
)
def test_words_of_set(new: str, out: str, code: int, expected: str) -> None:
    assert set_code(said(out, code), new) == expected
