"""A layer as people write it: YAML read strictly, with the line of each member.

Stricter than the policy files' own reader: no anchors (a few lines can stand for gigabytes), no tags, no dates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.kernel.errors import FieldError, Invalid

MAX_CHARS = 200_000
_MAX_DEPTH = 12
_QUOTED = re.compile(r"'([^']+)'")
_TAG = "tag:yaml.org,2002:"


@dataclass
class Written:
    """`lines`: path → line from 1; the empty path is the whole."""

    body: dict[str, Any]
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)

    def line_of(self, problem: str) -> int | None:
        """The line that a problem (`path: message`, the path joined by dots) speaks of; None: of another layer."""
        dotted = {".".join(path): line for path, line in self.lines.items() if path}
        place, _, told = problem.partition(": ")
        for name in _QUOTED.findall(told):
            # What the schema says of a name is told of the object that holds it.
            at = name if place == "(whole)" else f"{place}.{name}"
            if at in dotted:
                return dotted[at]
        fitting = [name for name in dotted if problem == name or problem.startswith((f"{name}.", f"{name}:"))]
        return dotted[max(fitting, key=len)] if fitting else None


def read_yaml(text: str) -> Written:
    """Raise `Invalid` naming the line of the first thing that cannot be taken."""
    if len(text) > MAX_CHARS:
        raise Invalid(f"内容过长，最多 {MAX_CHARS} 个字符 / at most {MAX_CHARS} characters", code="too_large")
    try:
        root = YAML(typ="safe", pure=True).compose(StringIO(text))
    except MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise _wrong(mark.line + 1 if mark else 1, f"YAML 的写法不对（{_folded(exc.problem)}）") from exc
    except (YAMLError, RecursionError, ValueError) as exc:
        raise _wrong(1, f"YAML 的写法不对（{_folded(exc)}）") from exc
    if root is None:
        return Written({})
    if not isinstance(root, MappingNode):
        raise _wrong(1, "最外层必须是“名称: 内容”")
    result = Written({})
    result.body = _mapping(root, (), result.lines, set())
    return result


def written(body: Mapping[str, Any]) -> str:
    """A layer as text that `read_yaml` reads back as the same."""
    if not body:
        return ""
    out = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode, yaml.width = True, 4096
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # typed after its first value, None
    yaml.dump(dict(body), out)
    return out.getvalue()


def _mapping(
    node: MappingNode, path: tuple[str, ...], lines: dict[tuple[str, ...], int], seen: set[int]
) -> dict[str, Any]:
    _check(node, path, seen)
    result: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode) or _kind(key) == "merge":
            raise _wrong(line, "名称必须是文字")
        name = str(key.value)
        if not name.isprintable():
            raise _wrong(line, "名称里有不能显示的字符")
        if name in result:
            raise _wrong(line, f"“{name}”写了两次")
        lines[*path, name] = line
        result[name] = _value(value, (*path, name), lines, seen)
    return result


def _value(node: Node, path: tuple[str, ...], lines: dict[tuple[str, ...], int], seen: set[int]) -> Any:
    if isinstance(node, MappingNode):
        return _mapping(node, path, lines, seen)
    _check(node, path, seen)
    if isinstance(node, SequenceNode):
        items = []
        for i, item in enumerate(node.value):
            lines[*path, str(i)] = item.start_mark.line + 1
            items.append(_value(item, (*path, str(i)), lines, seen))
        return items
    return _scalar(node)


def _check(node: Node, path: tuple[str, ...], seen: set[int]) -> None:
    line = node.start_mark.line + 1
    # What an alias stands for is the very node that it names.
    if id(node) in seen or node.anchor:
        raise _wrong(line, "不能使用锚点和引用（& 和 *）；名称里有 * 请加引号")
    seen.add(id(node))
    if len(path) > _MAX_DEPTH:
        raise _wrong(line, f"嵌套过深，最多 {_MAX_DEPTH} 层")


def _scalar(node: Node) -> Any:
    text, line, kind = str(node.value), node.start_mark.line + 1, _kind(node)
    if kind == "str":
        if "\0" in text:
            raise _wrong(line, "含有不能保存的字符")
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    try:
        number = int(text) if kind == "int" else float(text) if kind == "float" else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or abs(number) >= 2**63:
        raise _wrong(line, f"“{text[:40]}”不是这里能用的内容；文字请加引号")
    return number


def _kind(node: Node) -> str:
    return str(node.tag).removeprefix(_TAG)


def _folded(told: object) -> str:
    return " ".join(str(told).split())[:200]


def _wrong(line: int, message: str) -> Invalid:
    text = f"第 {line} 行：{message}"
    return Invalid(f"{text} / line {line}", code="bad_yaml", fields=[FieldError("text", "bad_yaml", text)])
