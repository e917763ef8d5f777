"""What the schema says against a policy, in Chinese. Plain values only."""

from __future__ import annotations

import re

# A value as Python writes it, which no path begins like.
_VALUE = r"['\"\[{\d\-NTF].*"
_WHOLE = "(whole)"
_NO_PACKAGE, _NOT_HERE = "{a} 不是包名（如 com.example.app）", "{a} 不是这里能用的内容"
_WORDS: tuple[tuple[str, str], ...] = (
    (r"Additional properties are not allowed \((?P<a>.+) (?:was|were) unexpected\)", "没有这样的项目：{a}"),
    (r"(?P<a>'.+') is a required property", "缺少项目 {a}：下层没有的内容不能取消或漏写"),
    (r"(?P<a>.+) does not match '\^\[A-Za-z\]\[A-Za-z0-9_\]\*.*", _NO_PACKAGE),
    (
        r"(?P<a>{value}) does not match '\^\[0-9a-f\]\{1,8\}\$'",
        "{a} 不是签名（最多 8 位小写十六进制，如 b378e95c）",
    ),
    (r"(?P<a>{value}) does not match .*", "{a} 的写法不对（品牌用小写，品牌和型号之间用 /）"),
    (r"(?P<a>{value}) is not one of (?P<b>\[.+\])", "{a} 不在可选的内容里：{b}"),
    (r"(?P<a>{value}) is not of type '(?P<b>\w+)'", "{a} 的类型不对，应为{b}"),
    (r"(?P<a>{value}) is less than the minimum of (?P<b>.+)", "{a} 太小，至少 {b}"),
    (r"(?P<a>{value}) is greater than the maximum of (?P<b>.+)", "{a} 太大，最多 {b}"),
    (r"(?P<a>{value}) is less than or equal to the minimum of (?P<b>.+)", "{a} 太小，要大于 {b}"),
    (r"(?P<a>{value}) has non-unique elements", "有重复的内容"),
    (r"(?P<a>{value}) is too long", "{a} 太长"),
    (r"(?P<a>{value}) (?:should be non-empty|is too short|does not have enough properties)", "不能为空"),
    (r"(?P<a>{value}) is not valid under any of the given schemas", _NOT_HERE),
    (r"(?P<a>{value}) was expected", "只能是 {a}"),
)
_TYPES = {
    "string": "文字",
    "integer": "整数",
    "number": "数字",
    "object": "“名称: 内容”",
    "array": "列表",
    "boolean": "true 或 false",
}
_PATTERNS = tuple(
    (re.compile(pattern.replace("{value}", _VALUE), re.DOTALL), words) for pattern, words in _WORDS
)
_LONGEST = 120


def in_chinese(problem: str) -> str:
    """`path: message` as the schema tells it, in Chinese; what is not known stays as it was told."""
    path, mark, message = problem.partition(": ")
    while mark and not any(pattern.fullmatch(message) for pattern, _ in _PATTERNS):
        more, mark, message = message.partition(": ")
        path = f"{path}: {more}" if mark else path
    if not mark:
        return problem
    for pattern, words in _PATTERNS:
        found = pattern.fullmatch(message)
        if found:
            parts = {name: _TYPES.get(text, _short(text)) for name, text in found.groupdict().items()}
            # A package or null: of the two schemas people mean the first.
            told = _NO_PACKAGE if path.endswith(".package") and words == _NOT_HERE else words
            return f"{'最外层' if path == _WHOLE else path}：{told.format(**parts)}"
    return problem


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
