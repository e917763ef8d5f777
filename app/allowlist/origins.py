"""Who set each value of a policy, and what that overrode. Plain values only; works for merge patches of any depth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Path = tuple[str, ...]
PATCHES = "models"
"""The member that holds patches itself, one a brand or model: a null inside one is a word of that patch."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whose word a value is: `kind` is `file`, `district` or `centre`; by whom, when and why for layers.

    `model` names the entry of `models` (a brand, or `brand/model`) by which the value reached this phone, else empty.
    """

    kind: str
    version: int
    by: str = ""
    at: dt.datetime | None = None
    reason: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """A word that holds no more; `gone`: this source took the member away."""

    value: Any
    source: Source
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Explained:
    """One value that is no object, or an empty object; `overrode`: the words before it, the oldest first."""

    path: Path
    value: Any
    source: Source
    overrode: tuple[Past, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenAway:
    """A member that a source removed and nobody put back: `value` as it was, by the word of `before`."""

    path: Path
    value: Any
    source: Source
    before: Source


@dataclass
class Node:
    """A member of the tree: an object with `children`, or a value. Changed only while a tree is being built."""

    source: Source
    value: Any = None
    children: dict[str, Node] | None = None
    past: tuple[Past, ...] = ()
    removed: dict[str, tuple[Source, Node]] = field(default_factory=dict)


def grown(value: Any, source: Source) -> Node:
    """A tree of one body, all of it by one source."""
    if isinstance(value, Mapping):
        return Node(source, children={name: grown(member, source) for name, member in value.items()})
    return Node(source, value)


def spoken(versions: Sequence[tuple[Source, Mapping[str, Any]]]) -> Node:
    """The last of a layer's versions (the oldest first) as a tree: each value by the version that has said it ever
    since. Whoever only changed something else has not said it.
    """
    (source, body), *later = versions
    node = grown(body, source)
    for source, body in later:
        node = _said_on(node, body, source)
    return node


def _said_on(before: Node | None, value: Any, source: Source) -> Node:
    if before is None:
        return grown(value, source)
    if isinstance(value, Mapping) and before.children is not None:
        known = before.children
        children = {name: _said_on(known.get(name), member, source) for name, member in value.items()}
        return Node(before.source if plain(before) == value else source, children=children)
    # Python takes 1 for True; a policy does not.
    same = before.children is None and before.value == value and type(before.value) is type(value)
    return before if same else grown(value, source)


def plain(node: Node) -> Any:
    """The value that a tree stands for."""
    if node.children is None:
        return node.value
    return {name: plain(child) for name, child in node.children.items()}


def explained(
    file: tuple[Source, Mapping[str, Any]],
    layers: Sequence[Sequence[tuple[Source, Mapping[str, Any]]]],
) -> Node:
    """The tree of a file's body under its layers, the lowest first, each with its versions, the oldest first; `plain`
    of it is what `stack` makes of the last versions.
    """
    root = grown(file[1], file[0])
    for versions in layers:
        word = spoken(versions)
        patches = (word.children or {}).get(PATCHES)
        below = (root.children or {}).get(PATCHES)
        if patches is None or patches.children is None or (below is not None and below.children is None):
            lay(root, word)
            continue
        (word.children or {}).pop(PATCHES)
        lay(root, word)
        if below is None:
            below = Node(word.source, children={})
            if root.children is not None:
                root.children[PATCHES] = below
        _join(below, patches)
    return root


def _join(models: Node, words: Node) -> None:
    """The patches of a layer over those below, by their keys; null for a key takes its patch away."""
    entries = models.children if models.children is not None else {}
    for key, word in (words.children or {}).items():
        below = entries.get(key)
        if word.children is None and word.value is None:
            if below is not None:
                models.removed[key] = (word.source, entries.pop(key))
        elif below is not None and below.children is not None and word.children is not None:
            _over(below, word)
        else:
            entries[key] = _word(models, key, word)


def _over(node: Node, word: Node) -> None:
    """One patch that does what the lower and then the upper does: a null is a word of it, and stays."""
    members = node.children if node.children is not None else {}
    for name, said in (word.children or {}).items():
        below = members.get(name)
        if below is not None and below.children is not None and said.children is not None:
            _over(below, said)
        else:
            members[name] = _word(node, name, said)


def _word(node: Node, name: str, said: Node) -> Node:
    past = _past(node, name, (node.children or {}).get(name))
    node.removed.pop(name, None)
    return Node(said.source, said.value, said.children, past, said.removed)


def folded(root: Node, *entries: str) -> Node:
    """A copy of the tree under these entries of its own `models`, in order; a missing entry changes nothing."""
    models = (root.children or {}).get(PATCHES)
    result = copied(root)
    for name in entries:
        patch = (models.children or {}).get(name) if models is not None else None
        if patch is not None:
            lay(result, patch, model=name)
    return result


def copied(node: Node) -> Node:
    children = None if node.children is None else {n: copied(c) for n, c in node.children.items()}
    return Node(node.source, node.value, children, node.past, dict(node.removed))


def lay(node: Node, patch: Node, *, model: str = "") -> None:
    """Lay a merge patch (RFC 7396), itself a tree, over an object's node."""
    children = node.children = {} if node.children is None else node.children
    for name, word in (patch.children or {}).items():
        source = replace(word.source, model=model) if model else word.source
        below = children.get(name)
        if word.children is not None:
            if below is None or below.children is None:
                children[name] = Node(source, children={}, past=_past(node, name, below))
            node.removed.pop(name, None)
            lay(children[name], word, model=model)
        elif word.value is None:
            if below is not None:
                del children[name]
                node.removed[name] = (source, below)
        else:
            past = _past(node, name, below)
            node.removed.pop(name, None)
            children[name] = Node(source, word.value, past=past)


def _past(node: Node, name: str, below: Node | None) -> tuple[Past, ...]:
    """What a new word at `name` overrides: what stands there, or what was taken away from there."""
    if below is not None:
        return (*below.past, Past(plain(below), below.source))
    if name in node.removed:
        remover, gone = node.removed[name]
        return (*gone.past, Past(plain(gone), gone.source), Past(None, remover, gone=True))
    return ()


def leaves(node: Node, path: Path = ()) -> Iterator[Explained]:
    """Every value of the tree with its source, in the tree's order."""
    if node.children:
        for name, child in node.children.items():
            yield from leaves(child, (*path, name))
    elif path:
        yield Explained(path, plain(node), node.source, node.past)


def taken_away(node: Node, path: Path = ()) -> Iterator[TakenAway]:
    """Every member that was removed and is not there."""
    for name, (source, gone) in node.removed.items():
        yield TakenAway((*path, name), plain(gone), source, gone.source)
    for name, child in (node.children or {}).items():
        yield from taken_away(child, (*path, name))


def at(node: Node, path: Sequence[str]) -> Node | None:
    """The member at a path, None where there is none."""
    for name in path:
        if node.children is None or name not in node.children:
            return None
        node = node.children[name]
    return node
