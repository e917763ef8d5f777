"""What makers put onto their phones."""

from typing import NamedTuple


class Vendor(NamedTuple):
    """What a maker puts onto its phones: type of its account, its store, its system apps (the launcher first), the apps
    that hold Android's roles, its keyboard's input method, the apps that come in the box and can be removed.
    """

    account: str
    store: str
    system: tuple[str, ...]
    sms: str
    dialer: str
    browser: str
    assistant: str
    keyboard: str
    removable: tuple[str, ...]

    @property
    def home(self) -> str:
        return self.system[0]

    @property
    def preloaded(self) -> tuple[str, ...]:
        """All of its system apps, each once."""
        own = (self.sms, self.dialer, self.browser, self.assistant, self.keyboard.partition("/")[0])
        return tuple(name for name in dict.fromkeys((*self.system, *own)) if name)


VENDORS: dict[str, Vendor] = {
    "xiaomi": Vendor(
        "com.xiaomi",
        "com.xiaomi.market",
        (
            "com.miui.home",
            "com.miui.securitycenter",
            "com.miui.gallery",
            "com.xiaomi.market",
            "com.miui.cloudservice",
            "com.xiaomi.account",
            "com.miui.weather2",
            "com.android.camera",
            "com.miui.notes",
            "com.xiaomi.finddevice",
        ),
        sms="com.android.mms",
        dialer="com.android.contacts",
        browser="com.android.browser",
        assistant="com.miui.voiceassist",
        keyboard="com.sohu.inputmethod.sogou.xiaomi/.SogouIME",
        removable=(
            "com.xiaomi.smarthome",
            "com.mi.health",
            "com.duokan.reader",
            "com.xiaomi.shop",
            "com.mfashiongallery.emag",
        ),
    ),
    "huawei": Vendor(
        "com.huawei.hwid",
        "com.huawei.appmarket",
        (
            "com.huawei.android.launcher",
            "com.huawei.systemmanager",
            "com.huawei.appmarket",
            "com.huawei.hwid",
            "com.huawei.photos",
            "com.huawei.camera",
            "com.huawei.himovie",
            "com.huawei.search",
            "com.huawei.hidisk",
        ),
        sms="com.android.mms",
        dialer="com.android.contacts",
        browser="com.huawei.browser",
        assistant="com.huawei.vassistant",
        keyboard="com.baidu.input_huawei/.ImeService",
        removable=("com.huawei.smarthome", "com.huawei.health", "com.huawei.fans", "com.vmall.client"),
    ),
    "honor": Vendor(
        "com.hihonor.id",
        "com.hihonor.appmarket",
        (
            "com.hihonor.android.launcher",
            "com.hihonor.systemmanager",
            "com.hihonor.appmarket",
            "com.hihonor.id",
            "com.hihonor.photos",
            "com.hihonor.camera",
            "com.hihonor.search",
            "com.hihonor.filemanager",
        ),
        sms="com.hihonor.mms",
        dialer="com.hihonor.contacts",
        browser="com.hihonor.baidu.browser",
        assistant="com.hihonor.vassistant",
        keyboard="com.baidu.input_hihonor/.ImeService",
        removable=("com.hihonor.club", "com.hihonor.health", "com.hihonor.smarthome"),
    ),
    "oppo": Vendor(
        "com.heytap",
        "com.heytap.market",
        (
            "com.oppo.launcher",
            "com.coloros.safecenter",
            "com.heytap.market",
            "com.heytap.usercenter",
            "com.coloros.gallery3d",
            "com.oppo.camera",
            "com.coloros.weather2",
            "com.heytap.cloud",
            "com.nearme.gamecenter",
        ),
        sms="com.android.mms",
        dialer="com.android.contacts",
        browser="com.heytap.browser",
        assistant="com.heytap.speechassist",
        keyboard="com.sohu.inputmethod.sogouoem/.SogouIME",
        removable=("com.heytap.health", "com.heytap.reader", "com.oppo.store", "com.finshell.wallet"),
    ),
    "vivo": Vendor(
        "BBKOnLineService",
        "com.bbk.appstore",
        (
            "com.bbk.launcher2",
            "com.iqoo.secure",
            "com.bbk.appstore",
            "com.bbk.account",
            "com.vivo.gallery",
            "com.android.bbkmusic",
            "com.vivo.weather",
            "com.vivo.browser",
            "com.vivo.game",
        ),
        sms="com.android.mms",
        dialer="com.android.dialer",
        browser="com.vivo.browser",
        assistant="com.vivo.ai.copilot",
        keyboard="com.baidu.input_vivo/.ImeService",
        removable=("com.vivo.space", "com.vivo.health", "com.chaozh.iReader", "com.vivo.wallet"),
    ),
    "samsung": Vendor(
        "com.osp.app.signin",
        "com.sec.android.app.samsungapps",
        (
            "com.sec.android.app.launcher",
            "com.samsung.android.lool",
            "com.sec.android.app.samsungapps",
            "com.osp.app.signin",
            "com.sec.android.gallery3d",
            "com.sec.android.app.camera",
            "com.samsung.knox.securefolder",
        ),
        sms="com.samsung.android.messaging",
        dialer="com.samsung.android.dialer",
        browser="com.sec.android.app.sbrowser",
        assistant="com.samsung.android.bixby.agent",
        keyboard="com.samsung.android.honeyboard/.service.HoneyBoardService",
        removable=(
            "com.samsung.android.app.watchmanager",
            "com.sec.android.app.shealth",
            "com.samsung.android.voc",
        ),
    ),
    "hisense": Vendor(
        "com.hmct.account",
        "com.hmct.appmarket",
        (
            "com.hmct.launcher",
            "com.hmct.mobilesafe",
            "com.hmct.appmarket",
            "com.hmct.account",
            "com.hmct.einklauncher",
        ),
        sms="com.android.mms",
        dialer="com.android.dialer",
        browser="com.hmct.browser",
        assistant="com.hmct.voiceassist",
        keyboard="com.iflytek.inputmethod/.FlyIME",
        removable=("com.hmct.reader", "com.jingdong.app.mall"),
    ),
}
