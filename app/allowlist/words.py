"""Differences between two policies in the words of people who never saw a merge patch. Plain values only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.allowlist.catalogue import BY_NAME, value_words
from app.allowlist.edits import MISSING, Change, changes

LISTS = {"allowed": "可以装的应用", "forbidden": "禁止的应用"}
KIND_WORDS = {"file": "公司制度", "district": "大区规定", "centre": "本中心规定"}
ADDED, REMOVED, ALTERED = "增加", "取消", "修改"


@dataclass(frozen=True, slots=True)
class Difference:
    """`what`: 增加, 取消 or 修改; `thing` in words; `before` and `after` in words, empty where there is none."""

    what: str
    thing: str
    before: str = ""
    after: str = ""
    package: str = ""


def differences(before: Mapping[str, Any], after: Mapping[str, Any], under: str = "") -> list[Difference]:
    """What differs, thing by thing. `under`: the brand or model whose entry both are of, else empty."""
    found: list[Difference] = []
    rest: list[Change] = []
    for name in ("apps", "allowed", "forbidden", "presets", "models"):
        old, new = _member(before, name), _member(after, name)
        if name == "apps":
            found += _apps(old, new)
        elif name in LISTS:
            found += _list(old, new, LISTS[name])
        elif name == "presets":
            found += _presets(old, new)
        else:
            for entry in dict.fromkeys((*old, *new)):
                found += differences(_member(old, entry), _member(new, entry), entry)
    others = ("apps", "allowed", "forbidden", "presets", "models")
    rest = changes(_without(before, others), _without(after, others))
    found += [_setting(change) for change in rest]
    return [_named(one, under) for one in found] if under else found


def _named(one: Difference, under: str) -> Difference:
    return Difference(one.what, f"{under} 的{one.thing}", one.before, one.after, one.package)


def _member(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def _without(body: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def app_words(app: Mapping[str, Any]) -> str:
    """`必装，com.example.app，最低版本 12，签名 b378e95c`."""
    parts = ["必装" if app.get("required") else "可以不装"] if "required" in app else []
    parts.append(str(app.get("package") or "包名未填写"))
    if app.get("least_version") is not None:
        parts.append(f"最低版本 {app['least_version']}")
    if app.get("signer") is not None:
        parts.append(f"签名 {app['signer']}")
    if app.get("by_hand"):
        parts.append("可以手工安装")
    return "，".join(parts)


def _apps(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for label in dict.fromkeys((*old, *new)):
        thing, package = (
            f"工作应用“{label}”",
            str((new.get(label) or old.get(label) or {}).get("package") or ""),
        )
        if label in new and new[label] is None:
            if old.get(label, ...) is not None:
                yield Difference(REMOVED, thing, before=app_words(old.get(label) or {}), package=package)
        elif old.get(label) is None:
            yield Difference(ADDED, thing, after=app_words(new[label]), package=package)
        elif label not in new:
            yield Difference(REMOVED, thing, before=app_words(old[label]), package=package)
        elif app_words(old[label]) != app_words(new[label]):
            yield Difference(ALTERED, thing, app_words(old[label]), app_words(new[label]), package)


def _list(old: Mapping[str, Any], new: Mapping[str, Any], thing: str) -> Iterator[Difference]:
    for package in dict.fromkeys((*old, *new)):
        if package in new and new[package] is None:
            # In the patch of a brand or model: taken away for these phones.
            if old.get(package, ...) is not None:
                yield Difference(
                    REMOVED, thing, before=_app(old.get(package, package), package), package=package
                )
        elif old.get(package) is None:
            yield Difference(ADDED, thing, after=_app(new[package], package), package=package)
        elif package not in new:
            yield Difference(REMOVED, thing, before=_app(old[package], package), package=package)
        elif old[package] != new[package]:
            yield Difference(
                ALTERED, f"{thing} {package} 的名称", str(old[package]), str(new[package]), package
            )


def _app(label: Any, package: str) -> str:
    return package if label == package else f"{label}（{package}）"


def _presets(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for brand in dict.fromkeys((*old, *new)):
        olds, news = _member(old, brand), _member(new, brand)
        for model in dict.fromkeys((*olds, *news)):
            whose = f"{brand} 各型号" if model == "*" else f"{brand} {model} "
            yield from _list(_member(olds, model), _member(news, model), f"{whose}的出厂预装应用")


def _setting(change: Change) -> Difference:
    before = None if change.before is MISSING else change.before
    after = None if change.after is MISSING else change.after
    known = BY_NAME.get(".".join(change.path))
    if known is None:
        texts = ["没有规定" if value is None else str(value) for value in (before, after)]
        return Difference(ALTERED, "“" + ".".join(change.path) + "”", *texts)
    return Difference(
        ALTERED, f"{known.group}“{known.label}”", value_words(known, before), value_words(known, after)
    )
