"""A card that is written is what a reader of vCards finds, whatever the names hold."""

from __future__ import annotations

import string

import vobject
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.simulator.vcards import cards_rows
from agent.transfer.people.card import COMPANY, EMAIL, GROUP, ITEM, LABEL, NAME, NOTE, PHONE, PLACE, Card, Row
from agent.transfer.people.vcard import vcard

# No line end but \n: vCard has one word for all of them. Such a contact differs after the import, and is mended.
TEXT = st.text(
    st.sampled_from(list("\n;,:\\\"' 张🙂=") + list(string.ascii_letters)), min_size=1, max_size=60
).filter(lambda text: text.strip() == text)


@given(TEXT, TEXT, TEXT, st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_the_simulated_import_finds_what_was_written(name: str, note: str, mark: str, photo: bytes) -> None:
    rows = [
        Row(NAME, {"data1": name, "data2": note, "data3": mark}),
        Row(PHONE, {"data1": "13800001111", "data2": "3"}),
        Row(NOTE, {"data1": note}),
        Row(COMPANY, {"data1": name, "data2": "1", "data5": mark}),
        Row(PLACE, {"data1": name, "data2": "1", "data4": name, "data7": mark}),
        Row(ITEM + "relation", {"data1": note, "data2": "14"}),
    ]
    text = vcard(Card(0, rows), {}, b"\xff\xd8" + photo).decode()
    found = [
        Row.read(kind, {f"data{n}": str(v) for n, v in values.items()}, 0)
        for kind, values in cards_rows(text)[0]
    ]
    keys = [row.key() for row in found]
    for row in rows:
        assert row.key() in keys


def test_another_reader_finds_the_same() -> None:
    rows = [
        Row(NAME, {"data1": "张; 三\n二", "data2": "三", "data3": "张"}),
        Row(PHONE, {"data1": "138", "data2": "0", "data3": "前台"}),
        Row(PHONE, {"data1": "139", "data2": "0", "data3": "前台; 夜班"}),
        Row(EMAIL, {"data1": "a@example.com", "data2": "2"}),
        Row(PLACE, {"data1": "只有一行"}),
        Row(GROUP, {LABEL: "业主"}),
        Row(GROUP, {LABEL: "没有的组"}),
    ]
    found = vobject.readOne(vcard(Card(0, rows), {"业主": 4}, b"\x89PNG1234").decode())
    assert found.fn.value == "张; 三\n二"
    assert (found.n.value.family, found.n.value.given) == ("张", "三")
    assert [line.params.get("TYPE") for line in found.tel_list] == [["X-前台"], ["VOICE"]]
    assert found.adr.value.street == "只有一行"
    assert found.photo.params["TYPE"] == ["PNG"]
    assert [line.value for line in found.contents["x-android-custom"]] == [f"{GROUP};4"]
