"""The demo centre's own values: the simulated phones' work apps have made-up names, and nobody tries it for hours."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.errors import Stale
from app.kernel.tenancy import SYSTEM
from app.policy import LayerInput, PolicyFiles, put_layer

PACKAGES = {
    "爱家微社区": "com.aijia.community",
    "爱家金钥匙": "com.aijia.goldkey",
    "爱家项目看板": "com.aijia.board",
    "助这儿": "com.zhuzher.staff",
    "易企秀": "cn.knet.eqxiu",
    "水印相机": "com.xhey.xcamera",
}
_LAYERS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "allowlist",
        {
            "apps": {label: {"package": name} for label, name in PACKAGES.items()},
            # A simulated phone's patch is as old as the dump that it was made from.
            "security": {"patch_months": None},
        },
        "模拟手机上的包名；模拟手机的补丁日期不变",
    ),
    ("wipe", {"cooling_hours": 0, "known_days": 0}, "试用时不用等待"),
    (
        "remedy",
        {"ladder_hours": {level: {"lead": 0, "act": 1} for level in ("critical", "high", "medium", "low")}},
        "试用时不用等待",
    ),
)


def lay_layers(session: Session, policies: PolicyFiles, centre: uuid.UUID, now: dt.datetime) -> int:
    """Give the centre its layers, once; how many are new. One that stands there is left alone."""
    made = 0
    for subject, body, why in _LAYERS:
        layer = LayerInput(subject, "centre", centre, body, f"演示：{why} / demo")
        try:
            put_layer(session, SYSTEM, policies, layer, expected_version=0, now=now)
            made += 1
        except Stale:
            continue
    return made
