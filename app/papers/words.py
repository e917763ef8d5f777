"""What the three answers of a check are called: the badge's kind, and the words."""

from __future__ import annotations

from collections.abc import Mapping

from app.papers.checking import Verdict

VERDICT_WORDS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.GENUINE: ("good", "真实有效"),
    Verdict.FALSE: ("bad", "不真实"),
    Verdict.UNKNOWN: ("unknown", "无法确认"),
}
