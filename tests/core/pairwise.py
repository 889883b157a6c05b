"""Few cases in which any two values of any two parameters meet (https://doi.org/10.1109/32.605761)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

Choice = tuple[int, int]  # number of a parameter, number of its value


def pairwise(**parameters: Sequence[Any]) -> list[dict[str, Any]]:
    """Cases {parameter: value}, greedily: each begins with a pair that is still missing and adds what meets most."""
    values = list(parameters.values())
    choices = [[(number, place) for place in range(len(each))] for number, each in enumerate(values)]
    missing = {pair for one, other in combinations(choices, 2) for pair in product(one, other)}
    cases = []
    while missing:
        case = list(min(missing))
        for number in sorted(set(range(len(values))) - {number for number, _ in case}):
            case.append(max(choices[number], key=lambda choice: sum(_pair(choice, each) in missing for each in case)))
        missing -= {_pair(*pair) for pair in combinations(case, 2)}
        cases.append(
            {name: values[number][place] for name, (number, place) in zip(parameters, sorted(case), strict=True)}
        )
    return cases


def _pair(one: Choice, other: Choice) -> tuple[Choice, Choice]:
    return (one, other) if one < other else (other, one)
