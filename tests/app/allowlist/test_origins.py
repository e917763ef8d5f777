"""Who set a value: the explained policy is the effective one, whatever the patches."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.allowlist.edits import MISSING, between, changes, edited, moved_over
from app.allowlist.origins import Source, at, explained, folded, leaves, plain, taken_away
from app.policy import patch, patched, stack

FILE, DISTRICT, CENTRE = Source("file", 2), Source("district", 3, "wang"), Source("centre", 1, "li")
_NAMES = st.sampled_from(["a", "b", "models"])
_VALUES = st.recursive(
    st.none() | st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2),
    lambda inner: st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
_BODIES = st.dictionaries(_NAMES, _VALUES, max_size=3)


def _tidy(value: Any) -> Any:
    """Without nulls, as a layer can make it."""
    if not isinstance(value, dict):
        return value
    return {name: _tidy(member) for name, member in value.items() if member is not None}


@settings(max_examples=60)
@given(_BODIES, _BODIES, _BODIES)
def test_what_is_explained_is_what_holds(file: Any, district: Any, centre: Any) -> None:
    tree = explained((FILE, file), [[(DISTRICT, district)], [(CENTRE, centre)]])
    effective = stack(file, [district, centre], "models")
    assert plain(tree) == effective
    for one in leaves(tree):
        value: Any = effective
        for name in one.path:
            value = value[name]
        assert value == one.value
    # Whoever is named has said just this at just this place, or made the object empty by what he took away.
    bodies = {"file": file, "district": district, "centre": centre}
    for one in leaves(tree):
        if one.value != {}:
            said: Any = bodies[one.source.kind]
            for name in one.path:
                said = said[name]
            assert said == one.value


@settings(max_examples=60)
@given(_BODIES, _BODIES, _BODIES)
def test_an_entry_for_a_model_holds_as_judging_folds_it(body: Any, brand: Any, model: Any) -> None:
    whole = {**body, "models": {"x": brand, "x/1": model}}
    tree = folded(explained((FILE, whole), []), "x", "x/1")
    assert tree.children is not None
    tree.children.pop("models", None)
    expected = patched(whole, "models", "x/1")
    expected.pop("models")
    assert plain(tree) == expected


def test_the_winner_names_what_it_overrode() -> None:
    file = {
        "settings": {"lock": "set"},
        "allowed": {"a": "A"},
        "models": {"x": {"settings": {"lock": "any"}}},
    }
    layers = [
        (DISTRICT, {"settings": {"lock": "any"}, "allowed": {"a": None}}),
        (CENTRE, {"allowed": {"a": "B"}}),
    ]
    tree = explained((FILE, file), [[one] for one in layers])
    lock = at(tree, ("settings", "lock"))
    assert lock is not None
    assert (lock.value, lock.source) == ("any", DISTRICT)
    assert [(past.value, past.source) for past in lock.past] == [("set", FILE)]
    label = at(tree, ("allowed", "a"))
    assert label is not None
    assert [(past.value, past.source, past.gone) for past in label.past] == [
        ("A", FILE, False),
        (None, DISTRICT, True),
    ]
    mine = at(folded(tree, "x"), ("settings", "lock"))
    assert mine is not None
    assert (mine.source.kind, mine.source.model) == ("file", "x")
    gone = explained((FILE, file), [layers[:1]])
    assert [(one.path, one.value, one.source, one.before) for one in taken_away(gone)] == [
        (("allowed", "a"), "A", DISTRICT, FILE)
    ]


def test_a_value_is_the_word_of_the_version_that_has_said_it_ever_since() -> None:
    first, second, third = (Source("centre", n, by) for n, by in ((1, "li"), (2, "wang"), (3, "zhao")))
    said = [
        (first, {"a": {"x": 1, "y": True}, "b": 1, "c": {}, "gone": None, "back": 1}),
        (second, {"a": {"x": 1, "y": 1}, "b": 2, "c": {}, "gone": None}),
        (third, {"a": {"x": 1, "y": 1, "z": 1}, "b": 2, "c": {}, "gone": None, "back": 1}),
    ]
    tree = explained((FILE, {"gone": 5}), [said])
    found = {one.path: one.source.version for one in leaves(tree)}
    assert found == {("a", "x"): 1, ("a", "y"): 2, ("a", "z"): 3, ("b",): 2, ("c",): 1, ("back",): 3}
    assert [gone.source for gone in taken_away(tree)] == [first]
    assert plain(tree) == stack({"gone": 5}, [said[-1][1]], "models")


@settings(max_examples=60)
@given(_BODIES, _BODIES, _BODIES)
def test_versions_before_the_last_change_no_value(file: Any, old: Any, new: Any) -> None:
    tree = explained((FILE, file), [[(DISTRICT, old), (CENTRE, new)]])
    assert plain(tree) == stack(file, [new], "models")


@settings(max_examples=60)
@given(_BODIES, _BODIES)
def test_a_patch_between_two_bodies_makes_the_second(one: Any, other: Any) -> None:
    below, wanted = _tidy(one), _tidy(other)
    assert patch(below, between(below, wanted)) == wanted
    assert (changes(below, wanted) == []) == (below == wanted)


@settings(max_examples=60)
@given(_BODIES, _BODIES, st.lists(_NAMES, min_size=1, max_size=3), _VALUES)
def test_an_edit_sets_what_it_names(layer: Any, one: Any, path: list[str], value: Any) -> None:
    below = _tidy(one)
    holding: Any = patch(below, edited(layer, below, path, MISSING if value is None else value))
    for name in path:
        holding = holding.get(name) if isinstance(holding, dict) else None
    # An object that nothing is left in may be there or not: a patch cannot tell the two apart.
    assert (holding or None) == (_tidy(value) or None) or holding == value


def test_an_edit_repeats_nothing_that_lies_below() -> None:
    below = {"apps": {"x": {"required": True, "package": "p"}}, "allowed": {"a": "A"}}
    assert edited({}, below, ("apps", "x", "required"), True) == {}
    assert edited({"allowed": {"a": "B"}}, below, ("allowed", "a"), "A") == {}
    assert edited({}, below, ("allowed", "a"), MISSING) == {"allowed": {"a": None}}
    assert edited({"allowed": {"b": "B"}}, below, ("allowed", "b"), MISSING) == {}


def test_two_changes_of_one_layer_stand_together_and_clashes_are_named() -> None:
    base = {"allowed": {"a": "A"}, "silent_hours": 1}
    mine = {"allowed": {"a": "A", "b": "B"}, "silent_hours": 2}
    theirs = {"allowed": {"c": "C"}, "silent_hours": 3}
    body, clashes = moved_over(base, mine, theirs)
    assert body == {"allowed": {"c": "C", "b": "B"}, "silent_hours": 2}
    assert [change.path for change in clashes] == [("silent_hours",)]
