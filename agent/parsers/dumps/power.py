"""`dumpsys battery` and `dumpsys usagestats`."""

from __future__ import annotations

from agent.parsers.dumps.grammar import classifier

classify_battery_state = classifier(
    (
        ("heading", r"Current Battery Service state:"),
        ("field", r" {2}(?:AC|USB|Wireless|Dock) powered: (?:true|false)"),
        (
            "field",
            r" {2}(?:Max charging (?:current|voltage)|Charge counter|Charging (?:state|policy)): -?\d+",
        ),
        ("field", r" {2}(?:status|health|level|scale|voltage|temperature|current now|capacity level): -?\d+"),
        ("field", r" {2}present: (?:true|false)| {2}technology: [\w\-]*"),
        ("overridden", r" {2}\(UPDATES STOPPED -- use 'reset' to restart\)"),
    )
)
classify_usagestats = classifier(
    (
        ("user", r"user=\d+"),
        (
            "heading",
            r" {2}Last 24 hour events(?: \(timeRange=.*)?| {2}In-memory (?:daily|weekly|monthly|yearly) stats",
        ),
        (
            "heading",
            r" {4}timeRange=\".*| {4}(?:packages|configurations|event aggregations|events|ChooserCounts)",
        ),
        ("event", r" {4,6}time=\"[\d\- :]+\" type=[A-Z_0-9]+ package=\S+.*"),
        ("used app", r" {6}package=\S+ total\w+=\".*"),
        ("configuration", r" {6}config=\{.*"),
        ("screen", r" {6}(?:screen-(?:non-)?interactive|keyguard-(?:shown|hidden)): .*"),
    )
)
