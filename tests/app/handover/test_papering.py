"""What the list of a paper says of numbers: one that nobody registered is not left blank."""

from __future__ import annotations

import pytest

from app.handover.papering import _items
from app.handover.rules import ItemState


@pytest.mark.parametrize(
    ("category", "identifier", "said"),
    [
        ("number", "", "ICCID 未登记"),
        ("number", "ICCID 8986", "ICCID 8986"),
        ("wechat", "", "微信号未登记"),
        ("handset", "编号 GJ-1 · 序列号 S1", "编号 GJ-1 · 序列号 S1 · IMEI 未登记"),
        ("handset", "编号 GJ-1 · IMEI1 86", "编号 GJ-1 · IMEI1 86"),
        ("accessory", "", "—"),
    ],
)
def test_an_unknown_number_is_said_to_be_unknown(category: str, identifier: str, said: str) -> None:
    item = ItemState("k", category, "名", identifier, "good", "", present=True)
    assert _items([item], {"good": "完好"}).rows[0][3] == said
