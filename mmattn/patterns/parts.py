"""A pattern as disjoint parts, so that each can be computed over tokens sorted in the way that suits it."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

from mmattn.patterns.facts import Facts
from mmattn.patterns.pattern import Both, Either, Pattern

MOST = 8  # terms; a longer sum of products is left as it is


class Part(NamedTuple):
    """A pattern, and the pattern whose `sort_key` makes its live blocks dense; None: the tokens' own order."""

    pattern: Pattern
    sorter: Pattern | None


def parts(pattern: Pattern, facts: Facts) -> list[Part]:
    """Disjoint parts that together are the pattern, one for each way to sort; the tokens' own order comes first.

    (near | strided) & causal becomes near & causal in the tokens' order, and strided & causal & ~(near & causal) sorted
    by order mod stride.
    """
    terms = _terms(pattern, facts)
    if len(terms) > MOST:
        return [Part(pattern, None)]
    united: dict[Pattern | None, Pattern] = {}
    for term, sorter in sorted(terms, key=lambda each: each.sorter is not None):
        united[sorter] = united[sorter] | term if sorter in united else term
    found: list[Part] = []
    for sorter, term in united.items():
        before = [each.pattern for each in found]
        found.append(Part(term & ~reduce(Either, before) if before else term, sorter))
    return found


def _terms(pattern: Pattern, facts: Facts) -> list[Part]:
    """The pattern as a union of terms, each with its sorter."""
    if isinstance(pattern, Either):
        return _terms(pattern.left, facts) + _terms(pattern.right, facts)
    if isinstance(pattern, Both):
        left, right = _terms(pattern.left, facts), _terms(pattern.right, facts)
        return [Part(one.pattern & other.pattern, one.sorter or other.sorter) for one in left for other in right]
    return [Part(pattern, None if pattern.sort_key(facts) is None else pattern)]
