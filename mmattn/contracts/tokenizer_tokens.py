"""Rules about the tokens that a tokenizer makes: their shape, their facts, and what they may depend on."""

from __future__ import annotations

import copy

import torch

from mmattn.contracts.sameness import in_double
from mmattn.contracts.tokenizer_case import SIDES, TOLERANCE, Case, require
from mmattn.prefix import PrefixTokens
from mmattn.sequence import PADDING, Layout


def count_agrees_with_forward(case: Case) -> None:
    rule = count_agrees_with_forward
    for sample, prepared in zip(case.samples, case.prepared, strict=True):
        count, tokens = case.tokenizer.length(prepared), case.tokens([prepared])
        require(
            case.tokenizer.count(prepared) > 0, rule, f"'{sample.name}' makes no token; prepare must raise BadSample"
        )
        shape = (1, count, case.tokenizer.dim)
        seen = tuple(tokens.embeddings.shape)
        require(seen == shape, rule, f"embeddings of '{sample.name}' are {seen}, and count and dim promise {shape}")
        require(
            int(tokens.info.real.sum()) == count, rule, f"of {count} tokens of '{sample.name}' some are marked padding"
        )


def prefix_tokens_come_first(case: Case) -> None:
    rule, count = prefix_tokens_come_first, max(case.tokenizer.prefix.count, 2)
    without, with_prefix = copy.deepcopy(case.tokenizer), copy.deepcopy(case.tokenizer)
    without.prefix, with_prefix.prefix = (PrefixTokens(case.tokenizer.dim, n).double() for n in (0, count))
    for prepared in case.prepared:
        bare = Case(without, case.samples, []).tokens([prepared])
        full = Case(with_prefix, case.samples, []).tokens([prepared])
        kept = torch.equal(full.embeddings[:, count:], bare.embeddings)
        require(kept, rule, "forward must be prefix(embed(batch)), and embed must not count prefix tokens")
        require((full.info.coordinates[:, :count] == PADDING).all(), rule, "prefix tokens have the coordinate -1")
        longer = with_prefix.length(prepared) - without.length(prepared)
        require(longer == count, rule, "length must be prefix.count + count; do not override it")


def padding_is_zero(case: Case) -> None:
    rule = padding_is_zero
    for where, tokens in case.batches():
        require(tokens.embeddings.isfinite().all(), rule, f"embeddings are not finite with {where}")
        zero = (tokens.embeddings[~tokens.info.real] == 0).all()
        require(zero, rule, f"embeddings are not exactly 0 at padding with {where}; end embed with .zero_padding()")


def facts_are_well_formed(case: Case) -> None:
    rule = facts_are_well_formed
    for where, tokens in case.batches():
        info, (batch, length) = tokens.info, tokens.embeddings.shape[:2]
        shapes = {fact.shape for fact in (info.order, info.document, info.modality, info.is_global)}
        require(shapes == {(batch, length)}, rule, f"facts must be (batch, length) as the embeddings are, {where}")
        placed = info.coordinates.ndim == 3 and info.coordinates.shape[:2] == (batch, length)
        require(placed, rule, f"coordinates must be (batch, length, axes), not {tuple(info.coordinates.shape)}")
        whole = not (info.coordinates.is_floating_point() or info.order.is_floating_point())
        require(whole, rule, "order and coordinates must be whole numbers")
        for row in range(batch):
            real = info.real[row]
            order, document = info.order[row][real], info.document[row][real]
            require(
                torch.equal(order, torch.arange(len(order))), rule, f"order must run 0, 1, 2, … in a document, {where}"
            )
            require((document == row).all(), rule, f"row {row} of a collated batch must be document {row}, {where}")
            one_end = not bool(real.any()) or int(real.nonzero().max() - real.nonzero().min()) + 1 == int(real.sum())
            require(one_end, rule, f"padding stands between tokens, {where}")
        seen, known = Layout.of(info.document), info.layout
        true = known.one_document and known.padded >= seen.padded and (not seen.padded or known.side == seen.side)
        require(true, rule, f"the layout says {known} and the facts say {seen}; build facts by token_info(batch)")


def discrete_tokens_have_ids(case: Case) -> bool:
    rule, vocabulary = discrete_tokens_have_ids, case.tokenizer.vocabulary
    for where, tokens in case.batches():
        require(
            (tokens.ids is None) == (vocabulary is None), rule, "ids and vocabulary go together: give both, or neither"
        )
        if tokens.ids is None or vocabulary is None:
            continue
        own = case.tokenizer.own(tokens.info)
        require((tokens.ids[~own] == PADDING).all(), rule, f"ids must be -1 at padding and prefix tokens, {where}")
        known = (tokens.ids[own] >= 0) & (tokens.ids[own] < len(vocabulary))
        require(known.all(), rule, f"ids must lie in the vocabulary of {len(vocabulary)} tokens, {where}")
        named = {case.tokenizer.bos_id, case.tokenizer.eos_id, case.tokenizer.mask_id} - {None}
        require(named <= case.tokenizer.special_ids, rule, "special_ids must hold the ids of bos, eos and mask")
    return vocabulary is not None


def content_lines_up(case: Case) -> bool:
    rule = content_lines_up
    for side in SIDES:
        batch = in_double(case.tokenizer.collate(case.prepared, side))
        content, info = case.tokenizer.content(batch), case.tokenizer.embed(batch).info
        if content is None:
            return False
        agrees = content.ndim == 3 and content.shape[:2] == info.order.shape
        require(agrees, rule, f"content must be (batch, length, values), not {tuple(content.shape)}")
        require((content[~info.real] == 0).all(), rule, "content must be 0 at padding")
    return True


def tokens_ignore_padding_and_batch_mates(case: Case) -> None:
    rule = tokens_ignore_padding_and_batch_mates
    alone = [case.tokens([prepared]) for prepared in case.prepared]
    for where, tokens in case.batches():
        for row, (sample, own) in enumerate(zip(case.samples, alone, strict=True)):
            real = tokens.info.real[row]
            error = (tokens.embeddings[row][real] - own.embeddings[0]).abs().max()
            cause = f"'{sample.name}' has other tokens in a batch with {where} than alone (by {float(error):.1e})"
            require(error <= TOLERANCE, rule, f"{cause}; no batch statistics, and nothing may read padding")
            placed = torch.equal(tokens.info.coordinates[row][real], own.info.coordinates[0])
            require(placed, rule, f"'{sample.name}' has other coordinates in a batch with {where} than alone")
