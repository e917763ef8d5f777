"""Android users and the accounts in them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.parsers.common import Unreadable, complaint, is_noise

_USER = re.compile(r"\s*UserInfo\{(\d{1,9}):(.*):([0-9a-fA-F]{1,16})\}(.*)\Z", re.ASCII | re.DOTALL)
_OWNER = re.compile(r"\s*User UserInfo\{(\d{1,9}):", re.ASCII)
_COUNT = re.compile(r"\s*Accounts: (\d{1,9})\s*\Z", re.ASCII)
_ACCOUNT = re.compile(r"\s*Account \{name=(.*), type=([^,{}]+)\}\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class User:
    """A user of the phone; 999 is the dual-app user on Xiaomi and OPPO, a work profile is a user as well."""

    id: int
    name: str
    running: bool


@dataclass(frozen=True, slots=True)
class Account:
    """An account; its name is personal (numbers, mail addresses): hash it before it goes anywhere."""

    user: int
    type: str
    name: str

    def __repr__(self) -> str:
        return f"Account(user={self.user}, type={self.type!r})"


def parse_users(text: str) -> list[User]:
    """`pm list users`. Raise `Unreadable` if any line is not understood:
    a user that is missed would pass as clean.
    """
    found = []
    for line in text.split("\n"):
        match = _USER.match(line.rstrip())
        if match:
            found.append(User(int(match[1]), match[2], "running" in match[4].split()))
        elif not is_noise(line) and line.strip() != "Users:":
            raise Unreadable(complaint(text) or "not understood")
    if not found:
        raise Unreadable(complaint(text) or "no user was listed")
    return found


def parse_accounts(text: str) -> list[Account]:
    """`dumpsys account`, its lines about users and accounts only.

    Raise `Unreadable` unless every count is met.
    """
    found: list[Account] = []
    user: int | None = None
    due: int | None = None
    for raw in text.split("\n"):
        line = raw.rstrip("\r")
        if owner := _OWNER.match(line):
            _require(due == 0 or user is None, text)
            user, due = int(owner[1]), None
        elif user is not None and due is None and (count := _COUNT.match(line)):
            due = int(count[1])
        elif user is not None and due and (account := _ACCOUNT.match(line)):
            found.append(Account(user, account[2], account[1]))
            due -= 1
        else:
            _require(is_noise(line), text)
    _require(due == 0, text)
    return found


def _require(fits: bool, text: str) -> None:
    if not fits:
        raise Unreadable(complaint(text) or "the accounts listed are not those counted")
