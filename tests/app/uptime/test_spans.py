"""Half-open spans against sets of whole numbers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.uptime.spans import Span, holds, subtract, union

_spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)


def instants(spans: list[Span]) -> set[int]:
    return {instant for start, end in spans for instant in range(start, end)}


@given(_spans)
def test_a_union_is_disjoint_and_none_touches_the_next(spans: list[Span]) -> None:
    joined = union(spans)
    assert instants(joined) == instants(spans)
    assert all(start < end for start, end in joined)
    assert all(one[1] < two[0] for one, two in pairwise(joined))
    assert {i for i in range(-1, 32) if holds(joined, i)} == instants(spans)


@given(st.tuples(st.integers(0, 30), st.integers(0, 30)), _spans)
def test_what_is_left_of_a_span(span: Span, cut: list[Span]) -> None:
    left = subtract(span, union(cut))
    assert instants(left) == instants([span]) - instants(cut)
    assert all(one[1] < two[0] for one, two in pairwise(left))
