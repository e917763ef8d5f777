"""The allow-list as people read it: each row with who set it and what that overrode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.allowlist.catalogue import CATALOGUE, Setting, value_words
from app.allowlist.origins import Explained, Node, Path, Source, TakenAway, at, leaves, plain, taken_away
from app.allowlist.words import KIND_WORDS, app_words

APP_LISTS = ("required", "optional", "allowed", "forbidden")


@dataclass(frozen=True)
class Origin:
    """`words`: `大区规定 v3`; `note`: by whom and why; `what`: of which part of the row, empty for all of it."""

    words: str
    source: Source
    what: str = ""


@dataclass(frozen=True)
class AppRow:
    """`path` names the member; `key` is the source's kind that a writer could undo it in."""

    path: Path
    place: str
    label: str
    package: str | None
    app: Mapping[str, Any]
    origins: tuple[Origin, ...]
    overrode: tuple[str, ...] = ()

    def matches(self, words: str) -> bool:
        text = f"{self.label}\n{self.package or ''}".casefold()
        return all(word in text for word in words.casefold().split())


@dataclass(frozen=True)
class SettingRow:
    setting: Setting
    value: Any
    words: str
    origin: Origin | None
    overrode: tuple[str, ...] = ()


@dataclass(frozen=True)
class GoneRow:
    """Something that a layer took off a list."""

    path: Path
    words: str
    origin: Origin


def source_words(source: Source) -> str:
    """`大区规定 v3`, with the brand or model through which it came; a draft's own layer has no version yet."""
    kind = KIND_WORDS[source.kind]
    version = f" v{source.version}" if source.version else "（草稿）"
    return f"{kind}{version}" + (f" · {source.model}" if source.model else "")


def _origin(source: Source, what: str = "") -> Origin:
    return Origin(source_words(source), source, what)


def _origins(found: Sequence[tuple[str, Source]]) -> tuple[Origin, ...]:
    """One for all where all agree, else one a part."""
    sources = list(dict.fromkeys(source for _, source in found))
    if len(sources) == 1:
        return (_origin(sources[0]),)
    return tuple(_origin(source, what) for what, source in found)


_PARTS = {
    "package": "包名",
    "required": "必装与否",
    "least_version": "最低版本",
    "signer": "签名",
    "by_hand": "手工安装",
}


def _overrode(found: Sequence[Explained]) -> tuple[str, ...]:
    lines = []
    for one in found:
        for past in one.overrode:
            part = _PARTS.get(one.path[-1], "")
            if past.gone:
                lines.append(f"{source_words(past.source)}曾取消")
            elif past.value is not None:
                lines.append(f"{part}原为 {_plain_words(past.value)}（{source_words(past.source)}）")
    return tuple(lines)


def _plain_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return app_words(value) if "required" in value or "package" in value else "、".join(map(str, value))
    if isinstance(value, bool):
        return "是" if value else "否"
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)


def app_rows(tree: Node) -> list[AppRow]:
    """The prescribed, the allowed and the forbidden apps, in this order."""
    rows = list(_prescribed(tree))
    for name in ("allowed", "forbidden"):
        rows += [_listed(one, name) for one in _leaves(tree, (name,))]
    order = {name: i for i, name in enumerate(APP_LISTS)}
    return sorted(rows, key=lambda row: order[row.place])


def _leaves(tree: Node, path: Path) -> list[Explained]:
    node = at(tree, path)
    return [one for one in leaves(node, path) if one.path != path] if node is not None else []


def _prescribed(tree: Node) -> Iterator[AppRow]:
    node = at(tree, ("apps",))
    for label, child in (node.children or {}).items() if node is not None else ():
        path = ("apps", label)
        app: Mapping[str, Any] = plain(child)
        found = [one for one in leaves(child, path) if one.path != path]
        parts = [
            (_PARTS.get(one.path[-1], one.path[-1]), one.source) for one in found if one.value is not None
        ]
        place = "required" if app.get("required") else "optional"
        yield AppRow(path, place, label, app.get("package"), app, _origins(parts), _overrode(found))


def _listed(one: Explained, place: str) -> AppRow:
    return AppRow(one.path, place, str(one.value), one.path[-1], {}, (_origin(one.source),), _overrode([one]))


def preset_rows(tree: Node, brand: str, model: str) -> list[AppRow]:
    """The apps that come in the box: of one brand and model where they are given (`*`: of each model), else all."""
    found = [one for one in _leaves(tree, ("presets",)) if len(one.path) == 4]
    brand, model = brand.strip().lower(), model.strip()
    if brand:
        found = [one for one in found if one.path[1] == brand and (not model or one.path[2] in ("*", model))]
    return [_listed(one, "preset") for one in found]


def banned_elsewhere(tree: Node, brand: str, model: str) -> list[AppRow]:
    """Apps of another list that are forbidden, too: the ban holds, which whoever listed them may not know."""
    rows = [*app_rows(tree), *preset_rows(tree, brand, model)]
    banned = {row.package for row in rows if row.place == "forbidden"}
    return [row for row in rows if row.place != "forbidden" and row.package in banned]


def speakers(tree: Node) -> set[str]:
    """By whose words the values hold, and the members that were taken off are gone."""
    sources = [one.source for one in leaves(tree)] + [gone.source for gone in taken_away(tree)]
    return {source.by for source in sources if source.by}


def setting_rows(tree: Node) -> list[SettingRow]:
    rows = []
    for setting in CATALOGUE:
        node = at(tree, setting.path)
        if node is None:
            rows.append(SettingRow(setting, None, value_words(setting, None), None))
            continue
        value = plain(node)
        past = tuple(
            f"原为 {value_words(setting, p.value)}（{source_words(p.source)}）"
            for p in node.past
            if not p.gone
        )
        rows.append(SettingRow(setting, value, value_words(setting, value), _origin(node.source), past))
    return rows


def gone_rows(tree: Node) -> list[GoneRow]:
    """Apps that a layer took off the lists, and by whose word."""
    lists = {"apps": 2, "allowed": 2, "forbidden": 2, "presets": 4}
    return [
        GoneRow(gone.path, _gone_words(gone), _origin(gone.source))
        for gone in taken_away(tree)
        if lists.get(gone.path[0]) == len(gone.path)
    ]


def _gone_words(gone: TakenAway) -> str:
    name = gone.path[-1]
    if isinstance(gone.value, Mapping):
        return f"工作应用“{name}”（{app_words(gone.value)}）"
    where = {"allowed": "可以装", "forbidden": "禁止", "presets": "出厂预装"}[gone.path[0]]
    return f"{where}的 {gone.value}（{name}）"


def entry_rows(tree: Node) -> list[tuple[str, list[Explained]]]:
    """What holds otherwise for brands and models: entry → its values with who set them."""
    node = at(tree, ("models",))
    return [
        (name, list(leaves(child, (name,))))
        for name, child in ((node.children or {}).items() if node else ())
    ]


def origins_in_words(tree: Node) -> dict[Path, str]:
    """Path of each listed app → who set it, for sheets."""
    rows = [*app_rows(tree), *preset_rows(tree, "", "")]
    return {
        row.path: "；".join((f"{o.what}：" if o.what else "") + o.words for o in row.origins) for row in rows
    }
