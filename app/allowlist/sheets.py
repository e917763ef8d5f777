"""The lists of apps in Excel: the same columns in and out. A row puts one app into one list or takes it out; what the
sheet does not name stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.allowlist.editing import AppEntry, Layer, put_app, remove
from app.allowlist.layering import WRITERS
from app.allowlist.model import AllowlistDraft
from app.kernel.errors import Invalid
from app.kernel.texts import wrong
from app.registry import (
    Field,
    Importer,
    References,
    Resource,
    SheetHeader,
    SheetRow,
    choice_kind,
    text_kind,
)

MAX_APPS = 2000
_PRESET, _OUT = "preset", "out"
KINDS = {
    "required": "必装",
    "optional": "工作应用（可以不装）",
    "allowed": "可以装",
    "forbidden": "禁止",
    _PRESET: "出厂预装",
    _OUT: "移出名单",
}
APPS = Resource(
    "allowlist-apps",
    "应用名单",
    # Only its columns are used: rows become a draft, never rows of a table.
    AllowlistDraft,
    (
        Field("kind", "类别", choice_kind(**KINDS), required=True, example="必装"),
        Field("label", "名称", text_kind(100), example="水印相机"),
        Field("package", "包名", text_kind(255), example="com.example.camera"),
        Field("least_version", "最低版本号", text_kind(18), example="2580"),
        Field("signer", "签名", text_kind(8), example="b378e95c"),
        Field("brand", "品牌", text_kind(60), example="xiaomi"),
        Field("model", "型号", text_kind(100), example="M2101K9C"),
        Field("origin", "来自", text_kind(300)),
    ),
    key=("kind", "package"),
    writers=WRITERS,
)


@dataclass
class AppImporter(Importer):
    """Collects the rows; what is wrong with one is told by row and column."""

    layer: Layer = field(default_factory=lambda: Layer({}, {}))

    def take(self, references: References, header: SheetHeader, batch: list[SheetRow]) -> None:
        for row in batch:
            if self.outcome.rows > MAX_APPS:
                self.outcome.refuse(
                    row.number, "", "too_many_rows", f"一次最多 {MAX_APPS} 行 / at most {MAX_APPS} rows"
                )
                return
            if row.bad:
                continue
            try:
                self.layer = _taken(self.layer, {name: value or "" for name, value in row.cells.items()})
                self.outcome.changed += 1
            except Invalid as exc:
                for fault in exc.fields:
                    self.outcome.refuse(row.number, header.column_of(fault.field), fault.code, fault.message)


def _taken(layer: Layer, cells: Mapping[str, str]) -> Layer:
    kind, package, label = cells.get("kind", ""), cells.get("package", ""), cells.get("label", "")
    brand, model = cells.get("brand", "").lower(), cells.get("model", "") or "*"
    if kind == _PRESET:
        if not brand or not package:
            raise wrong("brand" if not brand else "package", "出厂预装要写品牌和包名，型号不写表示各型号")
        return layer.put(("presets", brand, model, package), label or package)
    if kind == _OUT:
        return _out(layer, package, label, brand, model)
    if brand:
        raise wrong("brand", "只有“出厂预装”按品牌登记，其余请留空")
    entry = AppEntry(kind, label, package, cells.get("least_version", ""), cells.get("signer", ""))
    return put_app(layer, entry)


def _out(layer: Layer, package: str, label: str, brand: str, model: str) -> Layer:
    body = layer.effective
    if brand:
        return remove(layer, ("presets", brand, model, package))
    paths = [(name, package) for name in ("allowed", "forbidden") if package in body[name]]
    paths += [
        ("apps", name)
        for name, app in body["apps"].items()
        if (package and app.get("package") == package) or (not package and name == label)
    ]
    if not paths:
        raise wrong("package", "名单里没有这个应用，不用移出")
    for path in paths:
        layer = remove(layer, path)
    return layer


def export_rows(body: Mapping[str, Any], origins: Mapping[tuple[str, ...], str]) -> Iterator[list[str]]:
    """The header, then each app of each list; `origins`: path → who set it, in words."""
    yield [described.label for described in APPS.fields]
    for label, app in body["apps"].items():
        kind = KINDS["required" if app["required"] else "optional"]
        version = app.get("least_version")
        yield [kind, label, app.get("package") or "", "" if version is None else str(version), app.get("signer") or "",
               "", "", origins.get(("apps", label), "")]  # fmt: skip
    for name in ("allowed", "forbidden"):
        for package, label in body[name].items():
            yield [KINDS[name], label, package, "", "", "", "", origins.get((name, package), "")]
    for brand, models in body["presets"].items():
        for model, listed in models.items():
            for package, label in listed.items():
                origin = origins.get(("presets", brand, model, package), "")
                yield [KINDS[_PRESET], label, package, "", "", brand, "" if model == "*" else model, origin]
