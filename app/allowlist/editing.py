"""What people do to a layer, one act at a time: each gives the whole layer as it would be then."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.allowlist.catalogue import BY_NAME, parsed
from app.allowlist.edits import MISSING, edited, worded
from app.allowlist.origins import PATCHES
from app.allowlist.yaml_text import Written
from app.kernel.errors import Invalid
from app.kernel.texts import one_line, required, wrong
from app.labels import is_package
from app.policy import patched, stack

PLACES = {
    "required": "必装的工作应用",
    "optional": "工作应用（可以不装）",
    "allowed": "可以装的应用",
    "forbidden": "禁止的应用",
}
# What the command tells beside it with --json, for the person who looks at it.
_BESIDE = ("unknown", "not_taken", "doubts")
_MAX_LABEL = 100
_MAX_PACKAGE = 255
_SIGNER = re.compile(r"[0-9a-f]{1,8}")


@dataclass(frozen=True)
class Layer:
    """A layer over what lies `below`. `entry`: the brand or `brand/model` that an act is for, empty for all phones."""

    body: Mapping[str, Any]
    below: Mapping[str, Any]
    entry: str = ""

    def put(self, path: Sequence[str], value: Any) -> Layer:
        """Set a value, or take it away (`MISSING`)."""
        if not self.entry:
            return Layer(edited(self.body, self.below, path, value), self.below)
        if value is MISSING and at_path(self.holding, path) is None:
            return self
        # In the patch of a model null takes away for that model what holds for all.
        word = None if value is MISSING else value
        return Layer(worded(self.body, (PATCHES, self.entry, *path), word), self.below, self.entry)

    @property
    def effective(self) -> Mapping[str, Any]:
        return stack(self.below, [self.body], PATCHES)

    @property
    def holding(self) -> Mapping[str, Any]:
        """What holds where the acts are for: for all phones, or for those of the entry."""
        return patched(self.effective, PATCHES, self.entry) if self.entry else self.effective


@dataclass(frozen=True)
class AppEntry:
    """An app as a person enters it; texts as typed."""

    place: str
    label: str
    package: str
    least_version: str = ""
    signer: str = ""
    by_hand: bool = False


def put_app(layer: Layer, app: AppEntry) -> Layer:
    """Add an app to a list, or alter it there; it leaves the other lists. Raise `Invalid` naming the field."""
    if app.place not in PLACES:
        raise wrong("place", "请选择放在哪个名单")
    package = _package(app.package)
    label = one_line(app.label, _MAX_LABEL) or package
    if app.place in ("required", "optional"):
        if not label:
            raise wrong("label", "请填写应用名称")
        entry = {
            "package": package or None,
            "required": app.place == "required",
            "least_version": _version(app.least_version),
            "signer": _signer(app.signer),
            "by_hand": True if app.by_hand else None,
        }
        for member, value in entry.items():
            layer = layer.put(("apps", label, member), MISSING if value is None else value)
        return _out_of(layer, package, ("allowed", "forbidden"))
    if not package:
        raise wrong("package", "请填写包名")
    layer = layer.put((app.place, package), label)
    return _out_of(layer, package, tuple({"allowed", "forbidden"} - {app.place}))


def _out_of(layer: Layer, package: str, lists: Sequence[str]) -> Layer:
    for name in lists:
        if package and package in layer.holding.get(name, {}):
            layer = layer.put((name, package), MISSING)
    return layer


def _package(text: str) -> str:
    """Empty where none was typed. Raise `Invalid` for what Android could install under no circumstances."""
    package = one_line(text, _MAX_PACKAGE)
    if package and not (is_package(package) and "." in package):
        raise wrong("package", f"包名“{package}”不对：只有英文字母、数字、下划线和点，如 com.example.app")
    return package


def _signer(text: str) -> str | None:
    signer = one_line(text, 20).lower()
    if signer and not _SIGNER.fullmatch(signer):
        raise wrong("signer", f"签名“{signer}”不对：最多 8 位数字和小写字母 a 到 f，如 b378e95c")
    return signer or None


def _version(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise wrong("least_version", "最低版本填版本号（整数 versionCode），如 2580")
    return int(text)


def at_path(body: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value at a path, None where there is none."""
    here: Any = body
    for name in path:
        here = here.get(name) if isinstance(here, Mapping) else None
    return here


def name_app(layer: Layer, label: str, package: str) -> Layer:
    """Fill in the package of a prescribed app. Raise `Invalid` for an app that is not prescribed."""
    if label not in layer.effective["apps"]:
        raise wrong("label", "名单里没有这个工作应用")
    return layer.put(
        ("apps", label, "package"), _package(required(package, "package", "请填写包名", _MAX_PACKAGE))
    )


def remove(layer: Layer, path: Sequence[str]) -> Layer:
    """Take a member out of a list. Raise `Invalid` for what is not there, or is no member of a list."""
    depth = {"apps": 2, "allowed": 2, "forbidden": 2, "presets": 4, "models": 2}
    if not path or len(path) != depth.get(path[0]):
        raise wrong("path", "不能移出这一项")
    if at_path(layer.holding, path) is None:
        raise wrong("path", "名单里已经没有这一项，请刷新")
    return layer.put(path, MISSING)


def give_back(layer: Layer, path: Sequence[str]) -> Layer:
    """Say nothing more about a member: what lies below holds again."""
    return Layer(_without(layer.body, tuple(path)), layer.below)


def _without(body: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    result = dict(body)
    inner = result.get(path[0])
    if len(path) == 1:
        result.pop(path[0], None)
    elif isinstance(inner, Mapping):
        child = _without(inner, path[1:])
        if child:
            result[path[0]] = child
        else:
            result.pop(path[0])
    return result


def set_value(layer: Layer, name: str, text: str) -> Layer:
    """Set one of the values that are not lists of apps. Raise `Invalid` naming the field `value`."""
    setting = BY_NAME.get(name)
    if setting is None:
        raise wrong("name", "没有这项设置")
    try:
        value = parsed(setting, text)
    except ValueError as exc:
        raise wrong("value", f"{setting.label}：{exc}") from exc
    return layer.put(setting.path, MISSING if value is None else value)


def take_presets(layer: Layer, body: Mapping[str, Any]) -> Layer:
    """Take over what `agent preset` printed. Raise `Invalid` for anything else."""
    if (
        not {"presets"} <= set(body) <= {"presets", *_BESIDE}
        or not isinstance(body["presets"], Mapping)
        or not body["presets"]
    ):
        raise wrong("text", "这不是 agent preset 输出的内容：最外层应只有 presets")
    before = layer
    for brand, models in body["presets"].items():
        for model, listed in models.items() if isinstance(models, Mapping) else ():
            for package, label in listed.items() if isinstance(listed, Mapping) else ():
                layer = layer.put(("presets", brand.strip().lower(), model, package), label)
    if layer is before:
        raise wrong("text", "里面没有应用：应为 presets → 品牌 → 型号 → 包名: 名称")
    return layer


def with_lines(error: Invalid, given: Written) -> Invalid:
    """The schema's complaints about a written layer, each with the line that it speaks of."""
    fields = []
    for line, fault in sorted(
        ((given.line_of(fault.code), fault) for fault in error.fields), key=lambda one: one[0] or 0
    ):
        where = f"第 {line} 行：" if line else "与上级规定合在一起以后："
        fields.append(replace(fault, field="text", message=where + fault.message))
    return Invalid(error.detail, code=error.code, fields=fields)
