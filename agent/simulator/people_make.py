"""Makes a phone's contacts, calls and messages: the same for the same serial, and as ugly as real ones get."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agent.simulator.people import PHOTO

if TYPE_CHECKING:
    from agent.simulator.state import PhoneState

_ITEM = "vnd.android.cursor.item/"
_FIRST_ID = 7
_GROUPS = ("业主", "业主", "维修 & 保洁", 'Vendors; "A, B"', "家人\n朋友", "👪 住户")
_SURNAMES = "王李张刘陈杨赵黄周吴欧阳司马O'Brien"
_GIVEN = ("伟", "芳", "秀英", "敏", "静", "建国", "小新", "Anne-Marie", "عبد الله", "שלום", "🙂", "𠮷野", "é́")
_TAILS = (
    "",
    "",
    "",
    " (3栋-1201)",
    ", data2=1",
    "\nRow: 3 data1=假",
    "\nRow: 0 data1=",
    " \"引号\" 'quote'",
    " ; $HOME `id` \\n %s",
    "\ttab",
    " 100% & co; x\\",
    "\n",
    "NULL",
    "BLOB",
)
_NOTE = "备注：水表在门后，钥匙交前台；上次报修 2024-05-01, 已处理。\nRow: 1 data1=不是一行\n"
_JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
_DAY_MS = 86_400_000


def fill(db: sqlite3.Connection, phone: PhoneState) -> None:
    """Contacts with their groups and photos, calls and messages, as many as the state says."""
    rng = random.Random(phone.identity.serial)
    db.execute("begin")
    if phone.contacts:
        _fill_contacts(db, phone.contacts, rng)
    now = int(phone.wall()) * 1000
    db.executemany(
        "insert into calls (number, date, duration, type, name) values (?, ?, ?, ?, ?)",
        [
            (_number(rng), now - n * _DAY_MS // 40, rng.randrange(600), rng.randint(1, 3), _name(rng, n))
            for n in range(phone.calls or 0)
        ],
    )
    db.executemany(
        "insert into sms (thread_id, address, date, date_sent, read, type, body) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (n % 9, _number(rng), now - n * _DAY_MS // 9, 0, 1, rng.randint(1, 2), _name(rng, n) + "您好")
            for n in range(phone.messages or 0)
        ],
    )
    db.executemany("insert into mms (date) values (?)", [(now // 1000,) for _ in range(phone.mms)])
    db.execute("commit")


def _fill_contacts(db: sqlite3.Connection, count: int, rng: random.Random) -> None:
    db.executemany("insert into groups (title, group_visible) values (?, 1)", [(title,) for title in _GROUPS])
    ids = range(_FIRST_ID, _FIRST_ID + count)
    names = {number: _name(rng, number) for number in ids}
    db.executemany(
        "insert into raw_contacts (_id, contact_id, display_name, starred) values (?, ?, ?, ?)",
        [(number, number, names[number], int(number % 17 == 0)) for number in ids],
    )
    columns = ["raw_contact_id", "contact_id", "mimetype", "is_primary", "is_super_primary"]
    columns += [f"data{number}" for number in range(1, 16)]
    db.executemany(
        f"insert into data ({', '.join(columns)}) values ({', '.join('?' * len(columns))})",  # noqa: S608
        [
            (number, number, mimetype, primary, primary, *(values.get(n) for n in range(1, 16)))
            for number in ids
            for mimetype, primary, values in _rows(rng, number, names[number])
        ],
    )


def _name(rng: random.Random, number: int) -> str:
    return f"{rng.choice(_SURNAMES)}{rng.choice(_GIVEN)}{number}{rng.choice(_TAILS)}"


def _number(rng: random.Random) -> str:
    body = f"{rng.randrange(10**8):08}"
    return rng.choice((f"138{body}", f"+86 139-{body[:4]}-{body[4:]}", f"021-{body}", f"(0512) {body}"))


Row = tuple[str, int, dict[int, Any]]


def _rows(rng: random.Random, number: int, name: str) -> Iterator[Row]:
    """(mimetype, primary, data columns) of one contact's rows."""
    yield _ITEM + "name", 0, {1: name, 2: name[1:], 3: name[:1]}
    for place in range(rng.choice((1, 1, 1, 2, 3))):
        label = {3: "前台; 夜班"} if place == 2 else {}
        kind = 0 if place == 2 else rng.choice((1, 2, 3, 7, 17))
        yield _ITEM + "phone_v2", int(place == 0 and number % 9 == 0), {1: _number(rng), 2: kind} | label
    if number % 3 == 0:
        yield _ITEM + "email_v2", 0, {1: f"u{number}@example.com", 2: 2}
    if number % 4 == 0:
        yield _ITEM + "organization", 0, {1: "物业, 公司; 甲", 2: 1, 4: "主管", 5: "工程\n部"}
    if number % 5 == 0:
        street = f"人民路 {number} 号\n2 单元"
        yield _ITEM + "postal-address_v2", 0, {1: f"{street} 苏州", 2: 1, 4: street, 7: "苏州", 9: "215000"}
    if number % 2 == 0:
        yield _ITEM + "note", 0, {1: (_NOTE * 8)[: rng.randint(5, 300)]}
    if number % 6 == 0:
        yield _ITEM + "nickname", 0, {1: "小" + name[:2], 2: 1}
        yield _ITEM + "contact_event", 0, {1: "1980-02-29", 2: 3}
        yield _ITEM + "website", 0, {1: "https://example.com/?a=1&b=2;c", 2: 7}
    if number % 8 == 0:
        yield _ITEM + "relation", 0, {1: "妻子 " + name[:2], 2: 14}
        yield _ITEM + "im", 0, {1: f"wx_{number}", 2: 3, 5: -1, 6: "微信"}
    if number % 3 == 1:
        yield _ITEM + "group_membership", 0, {1: 1 + number % len(_GROUPS)}
    if number % 7 == 0:
        yield PHOTO, 0, {14: number, 15: _JPEG + rng.randbytes(600 + number % 400) + b"\xff\xd9"}
