"""The demo's own app list: the simulated phones carry the work apps under made-up package names."""

from __future__ import annotations

import datetime as dt
import uuid

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


def name_work_apps(session: Session, policies: PolicyFiles, centre: uuid.UUID, now: dt.datetime) -> int:
    """Give the centre a layer with the apps' package names, once; a layer that stands there is left alone."""
    body = {"apps": {label: {"package": package} for label, package in PACKAGES.items()}}
    layer = LayerInput("allowlist", "centre", centre, body, "演示：模拟手机上的包名 / demo")
    try:
        put_layer(session, SYSTEM, policies, layer, expected_version=0, now=now)
    except Stale:
        return 0
    return 1
