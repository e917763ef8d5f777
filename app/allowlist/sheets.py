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
    _first: dict[tuple[str, ...], int] = field(default_factory=dict)
    _tried: int = 0

    def take(self, references: References, header: SheetHeader, batch: list[SheetRow]) -> None:
        for row in batch:
            self._tried += 1
            if self._tried > MAX_APPS:
                if self._tried == MAX_APPS + 1:
                    text = f"一次最多 {MAX_APPS} 行，请分成几个文件，一个一个上传 / at most {MAX_APPS} rows"
                    self.outcome.refuse(row.number, "", "too_many_rows", text)
                return
            if "kind" in row.bad:
                continue
            cells = {name: value or "" for name, value in row.cells.items()}
            try:
                # A bad row is tried all the same: what else is wrong with it is told at once, and no draft is made.
                layer = _taken(self.layer, cells)
                self._refuse_twice(row.number, cells)
                self.layer = layer
                self.outcome.changed += 1
            except Invalid as exc:
                for fault in exc.fields:
                    if fault.field not in row.bad:
                        column = header.column_of(fault.field)
                        self.outcome.refuse(row.number, column, fault.code, fault.message)

    def _refuse_twice(self, number: int, cells: Mapping[str, str]) -> None:
        """Raise `Invalid` for an app that an earlier row tells of: which one is meant nobody can guess."""
        for name, *key in _claims(cells):
            first = self._first.setdefault((name, *key), number)
            if first != number:
                raise wrong(name, f"和第 {first} 行是同一个应用，只能留一行 / the same app as in row {first}")


def _claims(cells: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The column that names the app, the lists that the row decides about, and the app; a work app has two names."""
    kind, package, label = cells.get("kind", ""), cells.get("package", ""), cells.get("label", "")
    brand = cells.get("brand", "").lower()
    if brand:
        yield "package", _PRESET, brand, cells.get("model", ""), package
        return
    if kind in ("allowed", "forbidden", _OUT) and package:
        yield "package", "listed", package
    if kind in ("required", "optional", _OUT):
        if package:
            yield "package", "work", package
        if label and (kind != _OUT or not package):
            yield "label", "work", label


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
            # One row, the one that counts: the upload refuses two that contradict each other.
            if name == "allowed" and package in body["forbidden"]:
                continue
            yield [KINDS[name], label, package, "", "", "", "", origins.get((name, package), "")]
    for brand, models in body["presets"].items():
        for model, listed in models.items():
            for package, label in listed.items():
                origin = origins.get(("presets", brand, model, package), "")
                yield [KINDS[_PRESET], label, package, "", "", brand, "" if model == "*" else model, origin]
