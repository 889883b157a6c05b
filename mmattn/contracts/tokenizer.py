"""The rules that every tokenizer adapter keeps, ours or a user's: `mmattn check tokenizer=x` runs them."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch

from mmattn.contracts import tokenizer_samples as sample_rules
from mmattn.contracts import tokenizer_tokens as token_rules
from mmattn.contracts.tokenizer_case import Case, Rule, name_of
from mmattn.data.source import Sample
from mmattn.errors import ContractError, MmattnError
from mmattn.tokenizer import Tokenizer

RULES: tuple[Rule, ...] = (
    sample_rules.prepare_is_pure,
    token_rules.count_agrees_with_forward,
    token_rules.facts_are_well_formed,
    token_rules.prefix_tokens_come_first,
    token_rules.padding_is_zero,
    token_rules.discrete_tokens_have_ids,
    token_rules.content_lines_up,
    token_rules.tokens_ignore_padding_and_batch_mates,
    sample_rules.max_length_is_enforced,
    sample_rules.state_round_trips_through_json,
    sample_rules.augment_is_seeded,
    sample_rules.every_token_is_described,
    sample_rules.restore_inverts_ids,
    sample_rules.cutting_keeps_tokens,
    sample_rules.units_lie_in_the_sample,
)


def check_tokenizer(tokenizer: Tokenizer, samples: Sequence[Sample]) -> list[str]:
    """Names of the rules that a fitted tokenizer passes on raw samples (a few of unlike length are best).

    The tokenizer and the samples stay as they are, and so does torch's global generator. A rule about something that
    the tokenizer does not offer (cutting, restoring) is left out of the list. Raises `ContractError` naming the first
    broken rule and the remedy, and `BadSample` for a sample that `prepare` rejects.
    """
    if not samples:
        raise ContractError("check_tokenizer needs at least one sample.")
    passed = []
    with torch.random.fork_rng(devices=[]):
        for rule in RULES:
            if _offers(tokenizer, samples, rule):
                passed.append(name_of(rule))
    return passed


def _offers(tokenizer: Tokenizer, samples: Sequence[Sample], rule: Rule) -> bool:
    """Try one rule on a copy; whether the tokenizer offers what the rule is about."""
    try:
        own = copy.deepcopy(tokenizer).cpu().double().eval()
        return rule(Case(own, samples, [own.prepare(sample) for sample in samples])) is not False
    except MmattnError:
        raise
    except Exception as error:  # a stranger's code may raise anything
        kind = type(error).__name__
        raise ContractError(f"the tokenizer fails while '{name_of(rule)}' is checked: {kind}: {error}") from error


def pick_samples(samples: Sequence[Sample], count: int = 4) -> list[Sample]:
    """At most `count` samples of a data source, evenly spaced, for `check_tokenizer`."""
    chosen = min(len(samples), count)
    return [samples[i * len(samples) // chosen] for i in range(chosen)]
