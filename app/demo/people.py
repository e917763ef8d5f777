"""The demo's names. Nobody in it exists; the numbers are taken from ranges for examples as far as there are any."""

from __future__ import annotations

COMPANY = "示例物业服务有限公司"
DISTRICT = ("HD", "华东大区")
CENTRE = ("JXHY", "锦绣花园服务中心")

GRIDS = ("一号片区", "二号片区", "三号片区", "四号片区", "五号片区", "六号片区", "七号片区", "八号片区")
BUTLERS = ("张晓岚", "李文博", "王思远", "陈雨桐", "刘子墨", "赵佳宁", "黄欣怡", "周明哲")
FORMER = "孙志强"
LEAD = "吴建华"
NICKNAMES = ("小新", "小安", "小暖", "小晴", "小禾", "小宁", "小乐", "小悦")
OWNERS = ("王女士", "李先生", "陈女士", "张先生", "刘女士", "杨先生", "黄女士", "赵先生", "周女士", "吴先生")
WAYS_BACK = ("usb_dock", "tap", None, "usb_dock", "none", "tap", "usb_dock", None)


# Everybody can read these: `flask demo seed` makes no users in production.
DEMO_PASSWORD = "xiangyu-heima-42"  # noqa: S105
# login, name, role, whether it is for the whole company, the employee's number
DEMO_USERS = (
    ("yunying", "林若彤", "operations", False, None),
    ("zhuguan", "吴建华", "lead", False, "E0100"),
    ("zhuguan2", "郑国栋", "lead", False, None),
    ("it", "何子轩", "it", False, None),
    ("guanjia", "李文博", "butler", False, "E0002"),
    ("caiwu", "徐静怡", "finance", True, None),
    ("shenji", "马晓东", "auditor", True, None),
    ("guanli", "高雅琴", "admin", True, None),
)
