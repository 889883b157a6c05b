"""`mmattn bench editing`: which prompts, what counts as an edit done, and what is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmattn.benchmarks.editing import Edit, lines, summary
from mmattn.benchmarks.edits import Change, Swap, change, swaps
from mmattn.data.scenes import Scene, Thing, draw, parse
from mmattn.data.scenes.compose import SEEN

SWAP = Swap("a red circle", "a blue circle", 0, "colour")
CIRCLE, SQUARE = Thing("red", "circle", 0.25, 0.5, 0.16), Thing("blue", "square", 0.75, 0.5, 0.16)


def seen(before: list[Thing], after: list[Thing], fact: str = "colour"):
    swap = Swap("a red circle left of a blue square", "a yellow circle left of a blue square", 0, "colour")
    if fact == "shape":
        swap = Swap("a red circle left of a blue square", "a red triangle left of a blue square", 0, "shape")
    return change(swap, *(np.asarray(draw(Scene(tuple(things)), 32)) for things in (before, after)))


def test_prompts_differ_in_a_colour_or_a_shape_of_a_pair_that_training_had():
    found = swaps(80)
    assert found == swaps(80) and found[:10] != swaps(10, seed=1)
    assert {swap.fact for swap in found} == {"colour", "shape"} and {swap.thing for swap in found} == {0, 1}
    for swap in found:
        before, after = swap.before.split(), swap.after.split()
        assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
        nouns = [(noun.colour, noun.shape) for noun in parse(swap.after).nouns]
        assert set(nouns) <= set(SEEN) and len(set(nouns)) == len(nouns)
        old, new = (parse(text).nouns[swap.thing] for text in (swap.before, swap.after))
        assert getattr(old, swap.fact) != getattr(new, swap.fact)
        assert replace(old, **{swap.fact: getattr(new, swap.fact)}) == new


def test_an_edit_is_done_where_the_asked_thing_alone_changed():
    yellow, moved = replace(CIRCLE, colour="yellow"), replace(CIRCLE, colour="yellow", y=0.44)
    assert seen([CIRCLE, SQUARE], [yellow, SQUARE]).done
    assert seen([CIRCLE, SQUARE], [moved, SQUARE]).done  # two pixels
    assert seen([CIRCLE, SQUARE], [replace(CIRCLE, shape="triangle"), SQUARE], "shape").done


@pytest.mark.parametrize(
    ("after", "changed", "kept"),
    [
        ([CIRCLE, SQUARE], False, True),
        ([replace(CIRCLE, colour="green"), SQUARE], False, True),
        ([replace(CIRCLE, colour="yellow", y=0.3), SQUARE], True, False),
        ([replace(CIRCLE, colour="yellow"), replace(SQUARE, colour="black")], True, False),
        ([replace(CIRCLE, colour="yellow"), replace(SQUARE, shape="star")], True, False),
        ([replace(CIRCLE, colour="yellow", shape="star"), SQUARE], True, False),
        ([replace(CIRCLE, colour="yellow")], True, False),
        ([replace(CIRCLE, colour="yellow"), SQUARE, Thing("black", "circle", 0.5, 0.15, 0.11)], True, False),
        ([replace(CIRCLE, colour="yellow", x=0.75), replace(SQUARE, x=0.25)], True, False),
        ([], False, False),
    ],
)
def test_what_else_happened_is_seen(after, changed, kept):
    found = seen([CIRCLE, SQUARE], after)
    assert (found.right, found.changed, found.kept, found.done) == (True, changed, kept, False)


def test_a_first_picture_that_is_wrong_is_no_edit():
    found = seen([replace(CIRCLE, colour="black"), SQUARE], [replace(CIRCLE, colour="yellow"), SQUARE])
    assert not found.right and found.changed and not found.done


def test_shares_are_of_all_edits_and_of_those_whose_first_picture_is_right():
    good, bad, wrong = Change(True, True, True), Change(True, True, False), Change(False, True, True)
    found = summary([Edit(SWAP, 0, good, bad, bad), Edit(SWAP, 1, good, bad, good), Edit(SWAP, 2, wrong, bad, wrong)])
    assert found["first_picture_right"] == found["injected"]["done"] == pytest.approx(2 / 3)
    assert found["injected"]["done_where_first_is_right"] == 1 and found["plain"]["done_where_first_is_right"] == 0.5
    assert found["plain"]["kept"] == pytest.approx(2 / 3) and found["plain"]["changed"] == 1
    assert found["begun"]["done"] == 0 and found["begun"]["changed"] == 1
    assert lines(found)[1].startswith("maps injected: 66.7% as asked and nothing else (100.0% where")
    assert summary([Edit(SWAP, 0, wrong, wrong, wrong)])["plain"]["done_where_first_is_right"] is None
