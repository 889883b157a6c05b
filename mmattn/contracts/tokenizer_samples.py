"""Rules about what a tokenizer does with samples: prepare, augment, cut, describe, restore, state."""

from __future__ import annotations

import copy
import json
import pickle

import torch
from torch import Tensor

from mmattn.contracts.sameness import in_double, same
from mmattn.contracts.tokenizer_case import Case, name_of, require
from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError, ContractError
from mmattn.tokenizer import Prepared, Tokenizer


def prepare_is_pure(case: Case) -> None:
    rule = prepare_is_pure
    for sample, first in zip(case.samples, case.prepared, strict=True):
        before = copy.deepcopy(sample)
        torch.manual_seed(1)
        again = case.tokenizer.prepare(sample)
        require(same(sample, before), rule, f"prepare changed '{sample.name}'; work on a copy of its value")
        require(
            same(again, first), rule, f"two calls gave two results for '{sample.name}'; put randomness into augment"
        )
        require(same(pickle.loads(pickle.dumps(first)), first), rule, "what prepare returns must survive pickling")


def max_length_is_enforced(case: Case) -> None:
    rule, tokenizer = max_length_is_enforced, case.tokenizer
    for sample, prepared in zip(case.samples, case.prepared, strict=True):
        tokenizer.max_length = tokenizer.length(prepared)
        tokenizer.check_length(sample.name, prepared)
        tokenizer.max_length -= 1
        try:
            tokenizer.check_length(sample.name, prepared)
        except BadSample:
            continue
        require(False, rule, "check_length must raise BadSample for a sample of more than max_length tokens")


def state_round_trips_through_json(case: Case) -> None:
    rule, state = state_round_trips_through_json, case.tokenizer.state()
    try:
        stored = json.loads(json.dumps(state))
    except (TypeError, ValueError) as error:
        raise ContractError(
            f"the tokenizer breaks the rule '{name_of(rule)}': state is not json-like ({error})."
        ) from error
    restored = copy.deepcopy(case.tokenizer)
    restored.restore_state(stored)
    require(
        same(json.loads(json.dumps(restored.state())), stored), rule, "state after restore_state is not what was stored"
    )
    again = [restored.prepare(sample) for sample in case.samples]
    require(
        same(again, list(case.prepared)), rule, "prepare differs after restore_state; keep all that fit learns in state"
    )
    other = Case(restored.double(), case.samples, again).tokens(again)
    same_tokens = torch.equal(other.embeddings, case.tokens(case.prepared).embeddings)
    require(
        same_tokens, rule, "tokens differ after restore_state of the tokenizer's own state; it must not reset weights"
    )


def augment_is_seeded(case: Case) -> None:
    rule = augment_is_seeded

    def augmented(sample: Sample, seed: int) -> Prepared:
        return case.tokenizer.prepare(case.tokenizer.augment(sample, torch.Generator().manual_seed(seed)))

    for sample in case.samples:
        before = copy.deepcopy(sample)
        torch.manual_seed(1)
        first = augmented(sample, 7)
        torch.manual_seed(2)
        state = torch.get_rng_state()
        again = augmented(sample, 7)
        require(
            same(first, again), rule, f"one seed gave two variations of '{sample.name}'; draw from the generator only"
        )
        require(
            torch.equal(state, torch.get_rng_state()), rule, "augment must leave torch's global generator as it was"
        )
        require(same(sample, before), rule, f"augment changed '{sample.name}' itself; return a new Sample")


def every_token_is_described(case: Case) -> None:
    rule = every_token_is_described
    for prepared in case.prepared:
        for index in range(case.tokenizer.count(prepared)):
            text = case.tokenizer.describe(prepared, index)
            require(
                isinstance(text, str) and bool(text), rule, f"describe(prepared, {index}) gave {text!r}, not a text"
            )


def restore_inverts_ids(case: Case) -> bool:
    """Raw → ids → raw → ids gives the same ids; what raw data loses on the way (case, say), it loses at once."""
    rule = restore_inverts_ids
    if case.tokenizer.vocabulary is None or type(case.tokenizer).restore is Tokenizer.restore:
        return False
    for sample, prepared in zip(case.samples, case.prepared, strict=True):
        ids = _ids(case, prepared)
        again = _ids(case, case.tokenizer.prepare(Sample(sample.name, case.tokenizer.restore(ids[0]))))
        require(same(again, ids), rule, f"restore(ids) of '{sample.name}' is raw data that makes other ids")
    return True


def _ids(case: Case, prepared: Prepared) -> Tensor:
    ids = case.tokenizer.embed(in_double(case.tokenizer.collate([prepared]))).ids
    assert ids is not None
    return ids


def units_lie_in_the_sample(case: Case) -> bool:
    rule = units_lie_in_the_sample
    for sample, prepared in zip(case.samples, case.prepared, strict=True):
        try:
            units = case.tokenizer.units(prepared)
        except ConfigError:
            return False
        count, most = case.tokenizer.count(prepared), len(sample.value)
        require(units.shape == (count,), rule, f"units of '{sample.name}' are {tuple(units.shape)}, not ({count},)")
        inside = bool(((units >= -1) & (units < most)).all())
        require(inside, rule, f"units of '{sample.name}' must be -1 or places in its value, 0 to {most - 1}")
        try:
            piece = case.tokenizer.units(case.tokenizer.cut(prepared, count // 2, count))
        except ConfigError:
            continue
        require(torch.equal(piece, units[count // 2 :]), rule, "a piece's units are places in the whole sample")
    return True


def cutting_keeps_tokens(case: Case) -> bool:
    rule = cutting_keeps_tokens
    for sample, prepared in zip(case.samples, case.prepared, strict=True):
        count = case.tokenizer.count(prepared)
        try:
            pieces = [
                case.tokenizer.cut(prepared, 0, (count + 1) // 2),
                case.tokenizer.cut(prepared, (count + 1) // 2, count),
            ]
        except ConfigError:
            return False
        lengths = [case.tokenizer.count(piece) for piece in pieces]
        right = lengths == [(count + 1) // 2, count // 2]
        require(right, rule, f"'{sample.name}' of {count} tokens was cut in half and made {lengths[0]} + {lengths[1]}")
    return True
