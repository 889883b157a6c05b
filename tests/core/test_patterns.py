"""A pattern's mask is its rule, and no pattern goes without one."""

from __future__ import annotations

from importlib import resources
from inspect import isabstract

import pytest
from hydra import compose, initialize_config_module
from hydra.utils import instantiate

import mmattn.patterns
from mmattn import ConfigError, Visibility
from mmattn.patterns import Chunk, ChunkedCausal, GlobalTokens, Neighbourhood, Pattern, PrefixLM, SlidingWindow, Strided
from tests.core.examples import LONG, LONG_KEYS, facts, rich
from tests.core.rules import PATTERNS, RULES, kinds, seen_by_rule

YAMLS = sorted(
    each.name.removesuffix(".yaml")
    for each in (resources.files("mmattn.conf") / "pattern").iterdir()
    if each.name.endswith(".yaml")
)


@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
@pytest.mark.parametrize("layout", LONG)
@pytest.mark.parametrize("name", RULES)
def test_the_mask_is_the_rule(name, layout, cross):
    queries = rich(LONG[layout])
    keys = rich(LONG_KEYS[layout]) if cross else queries
    expected = seen_by_rule(RULES[name], queries, keys)
    assert (Visibility(PATTERNS[name], queries, keys).mask[:, 0] == expected).all()
    same = (queries.document[:, :, None] == keys.document[:, None]) & queries.real[:, :, None]
    assert name == "full" or (expected != same).any()  # a rule that hides nothing would test nothing


def test_every_pattern_has_a_rule():
    exported = {getattr(mmattn.patterns, name) for name in mmattn.patterns.__all__}
    classes = {each for each in exported if isinstance(each, type) and issubclass(each, Pattern)}
    assert {each for each in classes if not isabstract(each)} == set().union(*map(kinds, PATTERNS.values()))


@pytest.mark.parametrize("name", YAMLS)
def test_every_config_makes_a_pattern_that_has_a_rule(name):
    with initialize_config_module("mmattn.conf", version_base=None):
        pattern = instantiate(compose(overrides=[f"+pattern={name}"]).pattern)
    assert isinstance(pattern, Pattern) and kinds(pattern) <= set().union(*map(kinds, PATTERNS.values()))


def test_equal_patterns_are_one_key():
    again = SlidingWindow(1, 1) | GlobalTokens()
    assert again == PATTERNS["window or global"] and hash(again) == hash(PATTERNS["window or global"])
    assert len(set(PATTERNS.values())) == len(PATTERNS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SlidingWindow(-1), "SlidingWindow: before=-1 must be a whole number, at least 0"),
        (lambda: SlidingWindow(1, 0.5), "SlidingWindow: after=0.5 must be a whole number"),
        (lambda: SlidingWindow(1, dilation=0), "SlidingWindow: dilation=0 must be a whole number, at least 1"),
        (lambda: Strided(0), "Strided: stride=0"),
        (lambda: Chunk(0), "Chunk: size=0"),
        (lambda: ChunkedCausal(True), "ChunkedCausal: size=True must be a whole number"),
        (lambda: Neighbourhood(1, -1), "Neighbourhood: columns=-1"),
    ],
)
def test_values_that_mean_nothing_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_facts_that_tokens_lack_are_named():
    info = facts([[0] * 4])
    with pytest.raises(ConfigError, match="have 1 coordinate axes; axis 1 does not exist"):
        _ = Visibility(Neighbourhood(1, 1), info).mask
    info.extra.pop("prefix")
    with pytest.raises(ConfigError, match=r"task=language_modelling and task.prefix=0.5"):
        _ = Visibility(PrefixLM(), info).mask
