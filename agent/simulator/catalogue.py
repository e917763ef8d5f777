"""Phones that butlers carry in China and the apps on them; what `make_phone` chooses from."""

from typing import NamedTuple


class Model(NamedTuple):
    """A phone model; `vendor` selects its preloaded apps, `serial` its shape (`x` hexadecimal, `A` letter
    or digit).
    """

    vendor: str
    brand: str
    manufacturer: str
    model: str
    device: str
    tac: str
    serial: str
    sdk: int
    incremental: str
    patch: str


class App(NamedTuple):
    """An app as a store gives it: package name, version code and name, folder below the app partition."""

    name: str
    version_code: int
    version_name: str


RELEASES = {
    24: "7.0",
    25: "7.1.1",
    26: "8.0.0",
    27: "8.1.0",
    28: "9",
    29: "10",
    30: "11",
    31: "12",
    32: "12",
    33: "13",
    34: "14",
    35: "15",
    36: "16",
}
BUILD_IDS = {
    24: "NRD90M",
    25: "NMF26F",
    26: "OPR1.170623.027",
    27: "O11019",
    28: "PKQ1.180904.001",
    29: "QKQ1.190910.002",
    30: "RKQ1.200826.002",
    31: "SKQ1.220303.001",
    32: "SKQ1.220617.001",
    33: "TKQ1.221114.001",
    34: "UKQ1.231003.002",
    35: "AQ3A.240912.001",
    36: "BP2A.250605.031",
}

MODELS = (
    Model(
        "xiaomi",
        "Redmi",
        "Xiaomi",
        "23013RK75C",
        "mondrian",
        "86154206",
        "xxxxxxxx",
        34,
        "V816.0.8.0.UMNCNXM",
        "2024-09-01",
    ),
    Model(
        "huawei",
        "HUAWEI",
        "HUAWEI",
        "ELE-AL00",
        "HWELE",
        "86801404",
        "AAAAAAAAAAAAAAAA",
        29,
        "11.0.0.170C00",
        "2021-11-01",
    ),
    Model(
        "oppo", "OPPO", "OPPO", "PEGM00", "OP4E5D", "86477005", "xxxxxxxx", 31, "R.202306301552", "2023-06-05"
    ),
    Model(
        "vivo",
        "vivo",
        "vivo",
        "V2243A",
        "PD2243",
        "86620706",
        "AAAAAAAAAAAAAAAA",
        33,
        "compiler09151726",
        "2023-09-01",
    ),
    Model(
        "xiaomi",
        "Xiaomi",
        "Xiaomi",
        "24053PY09C",
        "goku",
        "86722407",
        "xxxxxxxx",
        36,
        "OS2.0.203.0.WNCCNXM",
        "2025-10-01",
    ),
    Model(
        "samsung",
        "samsung",
        "samsung",
        "SM-A5460",
        "a54x",
        "35168811",
        "RAAAAAAAAAA",
        35,
        "A5460ZCU9DYA1",
        "2025-02-01",
    ),
    Model(
        "honor",
        "HONOR",
        "HONOR",
        "ANY-AN00",
        "HNANY-Q",
        "86913405",
        "AAAAAAAAAAAAAAAA",
        32,
        "6.1.0.150C00",
        "2023-03-01",
    ),
    Model(
        "hisense",
        "Hisense",
        "Hisense",
        "HLTE556N",
        "HLTE556N",
        "86388505",
        "AAAAAAAAAAAA",
        30,
        "L1800.6.12.03.00",
        "2022-04-05",
    ),
    Model(
        "xiaomi",
        "Redmi",
        "Xiaomi",
        "Redmi Note 8",
        "ginkgo",
        "86415104",
        "xxxxxxxx",
        30,
        "V12.5.3.0.RCOCNXM",
        "2022-05-01",
    ),
    Model("oppo", "OPPO", "OPPO", "PBEM00", "PBEM00", "86841204", "xxxxxxxx", 28, "1605237264", "2020-11-05"),
    Model(
        "huawei",
        "HUAWEI",
        "HUAWEI",
        "TRT-AL00A",
        "HWTRT-Q",
        "86432103",
        "AAAAAAAAAAAAAAAA",
        24,
        "C00B173",
        "2018-07-01",
    ),
    Model(
        "vivo",
        "vivo",
        "vivo",
        "vivo Y85A",
        "PD1730",
        "86903103",
        "xxxxxxxx",
        27,
        "eng.compil.20190612",
        "2019-06-01",
    ),
    Model(
        "samsung",
        "samsung",
        "samsung",
        "SM-G9650",
        "star2qltechn",
        "35421809",
        "xxxxxxxxxxxxxxxx",
        29,
        "G9650ZCS8ETJ1",
        "2020-10-01",
    ),
    Model(
        "xiaomi",
        "Xiaomi",
        "Xiaomi",
        "MI 5X",
        "tiffany",
        "86803303",
        "xxxxxxxxxxxx",
        26,
        "V10.2.1.0.ODBCNXM",
        "2018-12-01",
    ),
)

# WeChat's and 易企秀's package names are real; those of the company's own apps are made up.
WORK_APPS = (
    App("com.tencent.mm", 2580, "8.0.49"),
    App("com.aijia.community", 30412, "3.4.12"),
    App("com.aijia.goldkey", 21807, "2.18.7"),
    App("com.aijia.board", 1602, "1.6.2"),
    App("com.zhuzher.staff", 51020, "5.10.2"),
    App("cn.knet.eqxiu", 5210, "5.21.0"),
    App("com.xhey.xcamera", 3000340, "3.0.340.2"),
)

OTHER_APPS = (
    App("com.ss.android.ugc.aweme", 290801, "29.8.0"),
    App("com.xunmeng.pinduoduo", 71100, "7.11.0"),
    App("com.taobao.taobao", 561, "10.32.10"),
    App("com.eg.android.AlipayGphone", 1090, "10.6.20.8000"),
    App("com.tencent.mobileqq", 6390, "9.0.60"),
    App("com.autonavi.minimap", 151210, "15.12.1.2010"),
    App("com.smile.gifmaker", 35010, "12.7.40.35010"),
    App("com.tencent.tmgp.sgame", 100030105, "9.3.1.5"),
    App("com.sankuai.meituan", 1100210410, "12.21.404"),
    App("com.baidu.searchbox", 192085, "13.58.0.11"),
)

AOSP_APPS = (
    "android",
    "com.android.settings",
    "com.android.systemui",
    "com.android.phone",
    "com.android.shell",
    "com.android.providers.contacts",
    "com.android.providers.telephony",
    "com.android.providers.media",
    "com.android.providers.downloads",
    "com.android.providers.calendar",
    "com.android.bluetooth",
    "com.android.nfc",
    "com.android.server.telecom",
    "com.android.packageinstaller",
    "com.android.documentsui",
    "com.android.keychain",
    "com.android.certinstaller",
    "com.android.webview",
    "com.android.inputdevices",
    "com.android.vpndialogs",
    "com.android.stk",
    "com.android.mms.service",
    "com.android.carrierconfig",
    "com.android.printspooler",
)

CARRIERS = (
    ("46000", "中国移动", "898600", "134"),
    ("46001", "中国联通", "898601", "186"),
    ("46011", "中国电信", "898611", "189"),
)
