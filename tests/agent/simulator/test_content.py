"""`content` and the providers behind it, in AOSP's words; the import screen."""

from __future__ import annotations

import pytest

from agent.simulator.android import run
from agent.simulator.files import PhoneFiles
from agent.simulator.make import make_phone
from agent.simulator.people import people_of
from agent.simulator.scratch import Scratch
from agent.simulator.state import PhoneState
from agent.simulator.vcards import tap

CONTACTS = "content://com.android.contacts"
CARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:张\\;三;O'B\\,rien;;;\r\nFN:张三 \\n二\r\nTEL;TYPE=CELL:138-0000 1111\r\n"
    "TEL;TYPE=X-前台:021\r\nTEL;TYPE=FAX,WORK:022\r\nADR;TYPE=HOME:;;路 1 号;苏州;;215000;\r\nNOTE:长\r\n 句\r\n"
    "ORG:公司;部门\r\nTITLE:主管\r\nEMAIL;TYPE=WORK:a@example.com\r\nPHOTO;ENCODING=b;TYPE=JPEG:/9j/\r\n"
    "X-ANDROID-CUSTOM:vnd.android.cursor.item/nickname;小张;1;;\r\nEND:VCARD\r\n"
)


@pytest.fixture
def phone() -> PhoneState:
    made = make_phone(0)
    made.contacts, made.calls, made.messages = 30, 4, 3
    return made


def out(phone: PhoneState, *argv: str, stdin: bytes = b"") -> str:
    output = run(["content", *argv], phone, stdin)
    assert output.exit_code == 0
    return (output.stdout + output.stderr).decode()


def query(phone: PhoneState, uri: str, columns: str = "_id", **more: str) -> str:
    options = [word for name, value in more.items() for word in (f"--{name}", value)]
    return out(phone, "query", "--uri", uri, "--projection", columns, *options)


def test_rows_columns_conditions_and_order(phone: PhoneState) -> None:
    uri = f"{CONTACTS}/raw_contacts"
    assert query(phone, uri, "_id:deleted", where="_id<9", sort="_id DESC") == (
        "Row: 0 _id=8, deleted=0\nRow: 1 _id=7, deleted=0\n"
    )
    assert query(phone, uri, where="_id=5") == "No result found.\n"
    assert query(phone, f"{uri}/7", "sourceid") == "Row: 0 sourceid=NULL\n"
    photo = query(phone, f"{CONTACTS}/data", "data15", where="mimetype='vnd.android.cursor.item/photo'")
    assert photo.startswith("Row: 0 data15=BLOB\n")
    assert query(phone, "content://call_log/calls").count("Row: ") == 4
    assert query(phone, "content://sms").count("Row: ") == 3
    assert query(phone, "content://mms") == "No result found.\n"


def test_what_a_provider_throws_is_printed_and_ends_well(phone: PhoneState) -> None:
    assert "Could not find provider: nobody" in query(phone, "content://nobody/x")
    assert "IllegalArgumentException: Invalid column x" in query(phone, f"{CONTACTS}/data", "x")
    assert "SQLiteException" in query(phone, f"{CONTACTS}/data", where="_id=(")
    assert "Unknown URI" in query(phone, f"{CONTACTS}/phones")
    phone.calls = None
    assert "SecurityException: Permission Denial" in query(phone, "content://call_log/calls")


def test_usage_is_told_on_standard_output(phone: PhoneState) -> None:
    for argv, words in (
        (("fly",), "Unsupported operation: fly"),
        (("query",), "URI not specified"),
        (("query", "--uri"), "No value for argument: --uri"),
        (("query", "--uri", "x", "--colour", "red"), "Unsupported argument: --colour"),
        (("insert", "--uri", f"{CONTACTS}/groups", "--bind", "title:x:y"), "Unsupported type: x"),
        (("insert", "--uri", f"{CONTACTS}/groups", "--bind", "title"), "Invalid bind value"),
        ((), "Operation not specified"),
    ):
        assert f"[ERROR] {words}" in out(phone, *argv).replace("Content provider ", "")
    phone.identity.sdk = 27
    assert "Unsupported operation: write" in out(
        phone, "write", "--uri", f"{CONTACTS}/raw_contacts/7/display_photo"
    )


def test_insert_update_delete(phone: PhoneState) -> None:
    raw, data = f"{CONTACTS}/raw_contacts", f"{CONTACTS}/data"
    assert out(phone, "insert", "--uri", raw, "--bind", "sourceid:s:a:b") == ""
    assert query(phone, raw, "_id:sourceid", where="sourceid='a:b'") == "Row: 0 _id=37, sourceid=a:b\n"
    row = (
        "--bind",
        "raw_contact_id:l:37",
        "--bind",
        "mimetype:s:x",
        "--bind",
        "data1:s:",
        "--bind",
        "data2:n:",
    )
    assert out(phone, "insert", "--uri", data, *row) == ""
    assert query(phone, data, "data1:data2", where="raw_contact_id=37") == "Row: 0 data1=, data2=NULL\n"
    assert (
        out(phone, "update", "--uri", data, "--where", "raw_contact_id=37", "--bind", "data1:s:--x\ny") == ""
    )
    assert query(phone, data, "data1", where="raw_contact_id=37") == "Row: 0 data1=--x\ny\n"
    assert "raw_contact_id is required" in out(phone, "insert", "--uri", data, "--bind", "mimetype:s:x")
    assert out(phone, "delete", "--uri", raw, "--where", "_id=37") == ""
    assert query(phone, data, where="raw_contact_id=37") == "No result found.\n"


def test_photos_are_read_and_written(phone: PhoneState) -> None:
    uri = f"{CONTACTS}/raw_contacts/8/display_photo"
    assert "FileNotFoundException" in out(phone, "read", "--uri", uri)
    assert out(phone, "write", "--uri", uri, stdin=b"\xff\xd8\0\n") == ""
    assert run(["content", "read", "--uri", uri], phone).stdout == b"\xff\xd8\0\n"
    assert "FileNotFoundException" in out(phone, "write", "--uri", uri, stdin=b"no picture")


def test_messages_are_taken_from_nobody_but_the_default_app(phone: PhoneState) -> None:
    row = ("insert", "--uri", "content://sms", "--bind", "body:s:x")
    assert out(phone, *row) == ""
    assert query(phone, "content://sms").count("Row: ") == 3
    phone.provider_lies = ["sms_taken"]
    out(phone, *row)
    assert query(phone, "content://sms").count("Row: ") == 4


def test_the_import_waits_for_a_tap_and_takes_what_aosp_takes(phone: PhoneState) -> None:
    scratch = Scratch()
    phone.tree, phone.contacts = PhoneFiles(scratch), 0
    try:
        phone.tree.real("/sdcard/x.vcf").write_bytes(CARD.encode())
        (media,) = (line for line in query(phone, "content://media/external/file").splitlines())
        view = ["am", "start", "-a", "android.intent.action.VIEW", "-t", "text/x-vcard", "-d"]
        uri = f"content://media/external/file/{media.rpartition('=')[2]}"
        assert run([*view, uri], phone).stdout.startswith(b"Starting: Intent")
        assert b"unable to resolve" in run([*view, "https://example.com"], phone).stderr
        assert query(phone, f"{CONTACTS}/raw_contacts") == "No result found.\n"
        assert tap(phone) == 1
        assert tap(phone) == 0
    finally:
        phone.tree.close()
        scratch.close()
    rows = people_of(phone).db.execute("select mimetype, data1, data2, data3 from data").fetchall()
    kinds = [(kind.rpartition("/")[2], *rest) for kind, *rest in rows]
    assert ("name", "张三 \n二", "O'B,rien", "张;三") in kinds
    assert ("phone_v2", "13800001111", "2", None) in kinds
    assert ("phone_v2", "021", "0", "前台") in kinds
    assert ("phone_v2", "022", "4", None) in kinds
    assert ("note", "长句", None, None) in kinds
    assert ("nickname", "小张", "1", None) in kinds
    assert {"photo", "organization", "postal-address_v2", "email_v2"} <= {kind[0] for kind in kinds}


def test_an_import_takes_its_time(phone: PhoneState) -> None:
    now = [0.0]
    phone.clock, phone.contacts, phone.import_per_s = (lambda: now[0]), 0, 2.0
    scratch = Scratch()
    phone.tree = PhoneFiles(scratch)
    try:
        phone.tree.real("/sdcard/x.vcf").write_bytes(CARD.encode() * 6)
        run(["am", "start", "-d", "file:///sdcard/x.vcf", "-t", "text/x-vcard"], phone)
        tap(phone)
    finally:
        phone.tree.close()
        scratch.close()
    for at, there in ((0.0, 0), (1.0, 2), (2.6, 5), (9.0, 6)):
        now[0] = at
        assert query(phone, f"{CONTACTS}/raw_contacts").count("Row: ") == there


def test_the_same_serial_has_the_same_people(phone: PhoneState) -> None:
    other = make_phone(0)
    other.contacts = 30
    sql = "select raw_contact_id, mimetype, data1, data15 from data"
    assert people_of(phone).db.execute(sql).fetchall() == people_of(other).db.execute(sql).fetchall()
