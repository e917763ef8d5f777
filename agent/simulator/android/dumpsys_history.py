"""`dumpsys usagestats` and `batterystats`: what the phone noted of its power, by its own clock."""

import datetime as dt

from agent.simulator.state import PhoneState, Way

_CHINESE = ("最近 24 小时事件", "内存中的每日统计")
_LOCAL = dt.timezone(dt.timedelta(hours=8))


def dump_usagestats(_args: list[str], phone: PhoneState) -> str:
    """As far as a reader of shutdowns and starts looks at it."""
    rows = "".join(
        f'    time="{_clock(at, "%Y-%m-%d %H:%M:%S")}" type=DEVICE_{event} package=android flags=0x0\n'
        for event, at in phone.power_events
    )
    heads = _CHINESE if Way.LOCALISED in phone.ways else ("Last 24 hour events", "In-memory daily stats")
    return f"user=0\n  {heads[0]}\n{rows}  {heads[1]}\n"


def dump_batterystats(_args: list[str], phone: PhoneState) -> str:
    """Elapsed time stands still while the phone is off, so each event here comes a minute after the last."""
    lines = []
    for number, (event, at) in enumerate(phone.power_events, start=1):
        elapsed = f"+{number}m00s000ms"
        time = f"{elapsed} (2) TIME: {_clock(at, '%Y-%m-%d-%H-%M-%S')}"
        lines += [f"{elapsed} (1) START", time] if event == "STARTUP" else [time, f"{elapsed} (1) SHUTDOWN"]
    rows = "".join(f"  {line:>40}\n" for line in lines)
    return f"Battery History (0% used, 12 used of 4096KB, 3 strings using 36):\n{rows}\n"


def _clock(epoch: int, form: str) -> str:
    return dt.datetime.fromtimestamp(epoch, _LOCAL).strftime(form)
