"""The table of everything that is registered."""

from __future__ import annotations

from collections.abc import Mapping

from app.registry import kinds, model, ties
from app.registry.resource import Dependant, Field, Resource

_CODE = Field("code", "编码", kinds.code(), required=True, filter=True, search=True, sort=True)
_NAME = Field("name", "名称", kinds.text(200), required=True, search=True, sort=True)
_NOTE = Field("note", "备注", kinds.note(), search=True, listed=False)
_CENTRE = Field(
    "centre_id",
    "服务中心编码",
    kinds.REF,
    required=True,
    fixed=True,
    filter=True,
    target="centres",
    example="SC01",
)
_MOVABLE = Field(
    "centre_id", "服务中心编码", kinds.REF, required=True, filter=True, target="centres", example="SC01"
)
_GRID = Field(
    "grid_id",
    "网格编码",
    kinds.REF,
    required=True,
    filter=True,
    target="grids",
    same_centre=True,
    example="G01",
)
_FROM = Field(
    "valid_from", "开始时间", kinds.INSTANT, required=True, fixed=True, sort=True, example="2026-05-01 09:00"
)
_TO = Field("valid_to", "结束时间", kinds.INSTANT)
_TIE_CENTRE = Field(
    "centre_id", "服务中心编码", kinds.REF, derived=True, filter=True, target="centres", example="SC01"
)
_POST = Field(
    "post_id", "岗位编码", kinds.REF, required=True, fixed=True, filter=True, target="posts", example="P01"
)

COMPANIES = Resource(
    "companies",
    "公司",
    model.Company,
    (Field("name", "公司名称", kinds.text(200), required=True, filter=True, search=True, sort=True),),
    key=("name",),
    order=("name",),
    dependants=(Dependant("districts", "company_id"),),
)
DISTRICTS = Resource(
    "districts",
    "大区",
    model.District,
    (
        Field(
            "company_id", "公司名称", kinds.REF, required=True, fixed=True, filter=True, target="companies"
        ),
        _CODE,
        _NAME,
    ),
    key=("code",),
    order=("code",),
    dependants=(Dependant("centres", "district_id"),),
)
CENTRES = Resource(
    "centres",
    "服务中心",
    model.ServiceCentre,
    (
        Field(
            "district_id", "大区编码", kinds.REF, required=True, fixed=True, filter=True, target="districts"
        ),
        _CODE,
        _NAME,
    ),
    key=("code",),
    order=("code",),
    dependants=tuple(
        Dependant(name, "centre_id")
        for name in ("grids", "posts", "employees", "households", "handsets", "numbers", "wechat-accounts")
    ),
)
GRIDS = Resource(
    "grids",
    "网格",
    model.Grid,
    (_CENTRE, _CODE, _NAME),
    key=("centre_id", "code"),
    order=("code",),
    dependants=(Dependant("posts", "grid_id"), Dependant("households", "grid_id")),
)
POSTS = Resource(
    "posts",
    "岗位",
    model.Post,
    (_CENTRE, _GRID, _CODE, _NAME),
    key=("centre_id", "code"),
    order=("code",),
    dependants=(Dependant("kit-assignments", "post_id"), Dependant("post-holdings", "post_id")),
)
EMPLOYEES = Resource(
    "employees",
    "员工",
    model.Employee,
    (
        _MOVABLE,
        Field(
            "number",
            "工号",
            kinds.code(),
            required=True,
            filter=True,
            search=True,
            sort=True,
            example="E0001",
        ),
        Field("name", "姓名", kinds.text(100), required=True, search=True, sort=True, example="张小新"),
    ),
    key=("number",),
    order=("number",),
    dependants=(Dependant("post-holdings", "employee_id"),),
)
HOUSEHOLDS = Resource(
    "households",
    "住户",
    model.Household,
    (
        _CENTRE,
        _GRID,
        Field(
            "room",
            "房号",
            kinds.code(60),
            required=True,
            filter=True,
            search=True,
            sort=True,
            example="1-101",
        ),
        Field("owner_name", "业主姓名", kinds.text(100), search=True),
    ),
    key=("centre_id", "room"),
    order=("room",),
)
HANDSETS = Resource(
    "handsets",
    "手机",
    model.Handset,
    (
        _MOVABLE,
        Field("asset_tag", "资产编号", kinds.code(60), required=True, filter=True, search=True, sort=True),
        Field("serial", "序列号", kinds.SERIAL, required=True, filter=True, search=True, sort=True),
        Field("imei1", "IMEI1", kinds.IMEI, filter=True, search=True, example="490154203237518"),
        Field("imei2", "IMEI2", kinds.IMEI, filter=True, search=True),
        Field("brand", "品牌", kinds.text(60), required=True, filter=True, search=True, sort=True),
        Field("model", "型号", kinds.text(100), required=True, filter=True, search=True, sort=True),
        Field("specification", "规格", kinds.MAP, example="内存=8GB; 存储=128GB", listed=False),
        Field("purchased_on", "购买日期", kinds.DATE, example="2026-05-03"),
        Field("price_fen", "价格（元）", kinds.FEN, example="1299.00", listed=False),
        Field("supplier", "供应商", kinds.text(200), search=True, listed=False),
        Field(
            "way_back",
            "重启后恢复连接方式",
            kinds.choice(usb_dock="USB 底座", tap="屏幕点按", none="无"),
            filter=True,
        ),
        _NOTE,
    ),
    key=("serial",),
    unique=(("asset_tag",), ("imei",)),
    order=("asset_tag",),
    dependants=(Dependant("kit-assignments", "handset_id"),),
    writers=("operations", "it"),
)
NUMBERS = Resource(
    "numbers",
    "号码",
    model.Number,
    (
        _MOVABLE,
        Field(
            "e164",
            "手机号",
            kinds.PHONE,
            required=True,
            filter=True,
            search=True,
            sort=True,
            example="13800138000",
        ),
        Field("carrier", "运营商", kinds.text(40), filter=True, search=True),
        Field(
            "plan_type",
            "套餐类型",
            kinds.choice(phone_for_plan="购手机送话费", plan_for_phone="存话费送手机"),
            filter=True,
        ),
        Field("iccid", "ICCID", kinds.ICCID, filter=True, search=True),
        Field("real_name", "实名主体", kinds.text(200), search=True),
        _NOTE,
    ),
    key=("e164",),
    unique=(("iccid",),),
    order=("e164",),
    dependants=(Dependant("kit-assignments", "number_id"), Dependant("wechat-accounts", "number_id")),
)
WECHAT_ACCOUNTS = Resource(
    "wechat-accounts",
    "微信账号",
    model.WeChatAccount,
    (
        _MOVABLE,
        Field("district_id", "大区编码", kinds.REF, derived=True, filter=True, target="districts"),
        Field("nickname", "昵称", kinds.text(60), required=True, filter=True, search=True, sort=True),
        Field("wechat_id", "微信号", kinds.code(60), filter=True, search=True),
        Field("number_id", "注册手机号", kinds.REF, filter=True, target="numbers", same_centre=True),
        _NOTE,
    ),
    key=("district_id", "nickname"),
    unique=(("wechat_id",), ("number_id",)),
    order=("nickname",),
    dependants=(Dependant("kit-assignments", "wechat_account_id"),),
)
KIT_ASSIGNMENTS = Resource(
    "kit-assignments",
    "岗位配置",
    ties.KitAssignment,
    (
        _TIE_CENTRE,
        _POST,
        Field(
            "handset_id",
            "手机序列号",
            kinds.REF,
            fixed=True,
            filter=True,
            target="handsets",
            same_centre=True,
        ),
        Field("number_id", "手机号", kinds.REF, fixed=True, filter=True, target="numbers", same_centre=True),
        Field(
            "wechat_account_id",
            "微信昵称",
            kinds.REF,
            fixed=True,
            filter=True,
            target="wechat-accounts",
            same_centre=True,
        ),
        _FROM,
        _TO,
    ),
    key=("post_id", "handset_id", "number_id", "wechat_account_id", "valid_from"),
    order=("valid_from",),
    tie=True,
    subjects=("handset_id", "number_id", "wechat_account_id"),
)
POST_HOLDINGS = Resource(
    "post-holdings",
    "任职",
    ties.PostHolding,
    (
        _TIE_CENTRE,
        _POST,
        Field(
            "employee_id", "员工工号", kinds.REF, required=True, fixed=True, filter=True, target="employees"
        ),
        _FROM,
        _TO,
    ),
    key=("post_id", "employee_id", "valid_from"),
    order=("valid_from",),
    tie=True,
    subjects=("post_id",),
)

PERSONAL = frozenset({"employees", "households"})
"""Lists of persons: reading one is an event of the audit trail."""

RESOURCES: Mapping[str, Resource] = {
    r.name: r
    for r in (
        COMPANIES,
        DISTRICTS,
        CENTRES,
        GRIDS,
        POSTS,
        EMPLOYEES,
        HOUSEHOLDS,
        HANDSETS,
        NUMBERS,
        WECHAT_ACCOUNTS,
        KIT_ASSIGNMENTS,
        POST_HOLDINGS,
    )
}
