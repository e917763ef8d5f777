"""`dumpsys batterystats`: the history of the battery, its daily figures, and what each app is charged with."""

from __future__ import annotations

from agent.parsers.dumps.grammar import Rules, classifier, fields

_SPAN = r"(?:\d+(?:ms|[dhms]) ?)+"
_SHARE = rf" *{_SPAN}\([\d.]+%\).*"
_SIZE = r"[\d.]+[KMGT]?B"
_WORDS = r"[a-z][a-z_0-9]*(?: [a-z][a-z_0-9]*)*"
_UID = r"(?:u\d+(?:ai|[ais])\d+|\d+)"

_SHARED: Rules = (
    ("history", r"Battery History .*:"),
    ("event", r" *(?:0|\+[0-9dhms]+) \(\d+\) .*"),
    ("event detail", r" {15,}(?:Details: cpu=\d+u\+\d+s.*|/proc/stat=\d+ usr.*|Top: .*|[\w.]+=\d+u\+\d+s.*)"),
    ("processes", r"Per-PID Stats:"),
    ("process wake time", r" {2}PID \d+ wake time: (?:0|\+[0-9dhms]+)"),
    ("daily", r"Daily stats:"),
    ("statistics", r"Statistics since last charge:"),
    ("connectivity", r" {2}CONNECTIVITY POWER SUMMARY START"),
    ("connectivity's end", r" {2}CONNECTIVITY POWER SUMMARY END"),
    ("powers", r" {2}Estimated power use \(mAh\):"),
    (
        "system",
        r"Per process state tracking available: \w+|Total cpu time reads: \d+|BatteryStats constants:",
    ),
    ("system", r"On-battery energy consumer stats \(microcoulombs\) *|CPU wakeup stats:"),
    ("step head", r" *(?:Current daily d|Current daily c|D|C)(?:is)?(?:charge|harge) step durations:"),
    ("step", rf" +#\d+: \+{_SPAN}to \d+(?: \([\w\-, ]+\))?"),
    (
        "step total",
        rf" +(?:Discharge|Charge|Estimated) (?:total|screen \w+)(?: device idle)? time: {_SPAN} .*",
    ),
    ("step total", rf" +Estimated (?:total|screen \w+)(?: device idle)? time: {_SPAN}"),
)
_DAILY: Rules = (
    ("day", r" {2}(?:Current start time|Next min deadline|Next max deadline): [\d\-]+"),
    ("day", r" {2}Daily from [\d\-]+ to [\d\-]+:"),
    ("package changes", r" {4}Package changes:"),
    ("package change", r" {6}(?:Update|Uninstall|Delete) [\w.\-]+(?: vers=\d+)?"),
)
_STATISTICS: Rules = (
    ("summary", r" {2}System starts: \d+, currently on battery: \w+"),
    (
        "capacity",
        r" {2}(?:(?:Estimated|\w+ learned) battery capacity|[A-Z][a-z ]* discharge|Discharge): [\d.]+ mAh",
    ),
    (
        "time",
        rf" {{2}}(?:Time on battery|Total|Idle mode|Device|Charge|Battery|Screen|Phone)[\w ]*: {_SPAN}.*",
    ),
    ("time", r" {2}Start clock time: [\d\-]+| {2}Connectivity changes: \d+| {2}Total [\w ]+ Count: \d+"),
    ("brightness", rf" {{2}}Screen brightnesses:| {{4}}(?:dark|dim|medium|light|bright){_SHARE}"),
    ("bluetooth", rf" {{2}}Bluetooth (?:total received: {_SIZE}, sent: {_SIZE}|scan time: {_SPAN})"),
    ("bluetooth", rf" {{5}}Bluetooth (?:Idle|Rx|Tx) time:{_SHARE}| {{5}}Bluetooth Battery drain: [\d.]+mAh"),
    ("amount", r" {2}Device battery use since last full charge| {4}Amount discharged [\w() ]+: \d+"),
    ("cpu", r" {2}CPU scaling: (?: policy\d+:(?: \d+)+)+| {4}TOTAL TIME:.*"),
    ("kernel", r" {2}All (?:kernel|partial) wake ?locks:| {2}All wakeup reasons:"),
    (
        "kernel",
        r" {2}(?:Kernel Wake lock|Wakeup reason|Wake lock) .*| {2}Resource Power Manager Stats| {2}\S+ \S+ --> .*",
    ),
    ("uid", rf" {{2}}{_UID}:"),
    ("traffic", rf" {{4}}(?:Wi-Fi|Mobile|Bluetooth) network: {_SIZE} received, {_SIZE} sent.*"),
    (
        "traffic",
        r" {4}Mobile radio (?:active: .*|AP wakeups: \d+)| {4}WiFi AP wakeups: \d+| {4}Job Completions .*",
    ),
    ("traffic", rf" {{4}}(?:Wifi Running|Full Wifi Lock|(?:Background )?Wifi Scan[\w ()]*):{_SHARE}"),
    ("traffic", rf" {{4,7}}(?:WiFi|Wifi|Bluetooth|Modem|Cellular) (?:Sleep|Scan|Idle|Rx|Tx) time:{_SHARE}"),
    (
        "state time",
        rf" {{4}}(?:Total running|Audio|Vibrator|Camera|Flashlight|Video|Foreground \w+): {_SPAN}.*",
    ),
    (
        "state time",
        rf" {{4}}(?:Top|Fg Service|Foreground|Background|Cached|Top Sleeping|Heavy weight) for: {_SPAN}",
    ),
    ("cpu time", rf" {{4}}Total cpu time: u={_SPAN}s={_SPAN}"),
    (
        "cpu time",
        r" {3,4}(?:Total |Total screen-off |Screen-off )?[Cc]pu times? per freq(?: at state [\w ]+)?: [\d ]+",
    ),
    ("cpu time", r" {4}(?:Cpu|Screen-off cpu) times per freq at state [\w ]+: [\d ]+"),
    ("traffic", rf" {{4}}WiFi Multicast Wakelock count = \d+ time = {_SPAN}"),
    ("traffic", rf" {{7}}Cellular Tx time: *| {{9}}(?:less than|above|-?\d+dBm to) -?\d+dBm:{_SHARE}"),
    ("wake lock", r" {4}(?:Wake lock .*|TOTAL wake: .*)"),
    ("job", r" {4}(?:Job|Sync) .*: .*| {4}Jobs deferred on launch .*"),
    ("sensor", r" {4}Sensor (?:-?\d+|GPS): .*"),
    ("bluetooth scan", r" {4}(?:Unoptimized )?Bluetooth Scan (?:Results|\([\w ]+\)): .*"),
    ("user activity", r" {4}User activity: .*"),
    (
        "process",
        rf" {{4}}Proc .*:| {{6}}CPU: -?{_SPAN}usr \+ -?{_SPAN}krn ; {_SPAN}fg| {{6}}\d+ (?:starts|crashes|anrs).*",
    ),
    (
        "app",
        r" {4}Apk [\w.\-]+:| {6}Service [\w.$:]+:| {6}Wakeup alarm .*: \d+ times| {4,6}\(nothing executed\)",
    ),
    ("app", rf" {{8}}Created for: {_SPAN}uptime| {{8}}Starts: \d+, launches: \d+"),
)
_CONNECTIVITY: Rules = (
    ("network", rf" {{2}}Logging duration for connectivity statistics: {_SPAN}"),
    ("network", r" {2}(?:Cellular|Wifi|GPS) Statistics:"),
    ("network", r" {5}(?:Cellular|Wifi|WiFi|GPS|Active Cellular) [\w ]+(?:\([\w ]+\))?: *"),
    ("network", rf" {{5}}(?:Cellular|Wifi|WiFi) [\w ]+:(?:{_SHARE}| {_SIZE}| \d+| [\d.]+mAh)"),
    ("network", rf" {{7}}(?:less than|above|-?\d+dBm to) -?\d+dBm:{_SHARE}"),
    (
        "network",
        r" {7,}(?:[A-Z]\w*|Signal Strength Time|Tx Time|(?:All|Unknown) frequenc\w+|mmWave)(?: \([^()]*\))?:",
    ),
    ("network", rf" {{11}}Rx Time:{_SHARE}| {{13}}[a-z][a-z ]*:{_SHARE}"),
    ("network", rf" {{6,9}}{_WORDS}(?: \([^()]*\):)?{_SHARE}"),
)
_POWERS: Rules = (
    ("power", r" {4}Capacity: [\d.]+, Computed drain: [\d.]+, actual drain: [\d.\-]+| {4}Global"),
    ("power", rf" {{6}}[a-z_]+: [\d.]+(?: apps: [\d.]+)?(?: duration: {_SPAN})?"),
    ("uid power", rf" {{4}}(?:UID|Uid) {_UID}: [\d.]+ .*"),
    ("packet", r" {2}Per-app mobile ms per packet:"),
)
_SYSTEM: Rules = (
    (
        "system",
        r"(?:Batching Duration \(min\)|(?:All )?UIDs? (?:removed|cpu time reads) since [\w ]+|Wakeup events): *\d*",
    ),
    (
        "system",
        r"Currently mapped isolated uids:| {2}(?:Irq device map|Recent waking activity|\w+ events|\w+ stats|Config):",
    ),
    ("isolated uid", r" {2}\d+->\d+ \(ref count = \d+\)| {4}Not supported on this device\."),
    fields(
        "constant",
        4,
        "track_cpu_active_cluster_time kernel_uid_readers_throttle_time external_stats_collection_rate_limit_ms"
        " battery_level_collection_delay_ms procstate_change_collection_delay_ms max_history_files"
        " max_history_buffer_kb battery_charged_delay_ms battery_charging_enforce_level per_uid_modem_power_model"
        " phone_on_external_stats_collection reset_while_plugged_in_minimum_duration_hours wakeup_stats_retention_ms"
        " wakeup_matching_window_ms waking_activity_retention_ms track_cpu_times_by_proc_state"
        " proc_state_cpu_times_read_delay_ms uid_remove_delay_ms kernel_uid_readers_throttle_time_ms",
    ),
    ("wakeup", r" {4}(?:Loaded from xml resource: \w+|Map:|Subsystem \w+:|Total: \d+)| {6}\S+: \[[\w, ]+\]"),
    ("wakeup", rf" {{6}}-{_SPAN}?: (?:{_UID} \[\w+ *\], )+| {{2}}Current proc-state map \(\d+\):"),
    ("process states", rf" {{4}}(?:{_UID}:\w+ *,? )+"),
)

classify_battery = classifier(
    top=_STATISTICS,
    parts={
        "daily": _DAILY,
        "statistics": _STATISTICS,
        "connectivity": _CONNECTIVITY,
        "powers": (*_POWERS, *_STATISTICS),
        "system": _SYSTEM,
    },
    opens={
        "daily": "daily",
        "statistics": "statistics",
        "connectivity": "connectivity",
        "connectivity's end": "statistics",
        "powers": "powers",
        "system": "system",
    },
    shared=_SHARED,
)
