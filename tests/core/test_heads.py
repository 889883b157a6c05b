"""Heads: scores of classes, of a vocabulary, and the content of patches."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmattn import ConfigError, TokenInfo, TokenSequence
from mmattn.heads import Classifier, ContentHead, FirstPool, MeanPool, TokenClassifier, TokenHead
from mmattn.tokenizers.audio import AudioTokenizer
from mmattn.tokenizers.text import ByteTokenizer

TOKENS = TokenSequence(torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0)), TokenInfo.from_lengths([3, 2]))


@pytest.mark.parametrize("pool", [MeanPool, FirstPool])
def test_a_classifier_is_a_pool_and_a_linear_map(pool):
    head = Classifier(8, ByteTokenizer(8), 5, pool=pool, dropout=0.5).eval()
    pooled = pool(8)(TOKENS, 2)
    torch.testing.assert_close(head(TOKENS, 2), pooled @ head.out.weight.T + head.out.bias)
    assert not torch.equal(head.train()(TOKENS, 2), head.eval()(TOKENS, 2))


def test_a_token_classifier_scores_each_token_alone():
    head = TokenClassifier(8, ByteTokenizer(8), 3)
    out = head(TOKENS)
    assert out.shape == (2, 3, 3)
    alone = head(TOKENS.with_embeddings(TOKENS.embeddings[:1, 1:2]))
    torch.testing.assert_close(out[:1, 1:2], alone)


@pytest.mark.parametrize("kind", [Classifier, TokenClassifier])
def test_classes_are_needed(kind):
    with pytest.raises(ConfigError, match="the data has none; choose data with labels, or task=language_modelling"):
        kind(8, ByteTokenizer(8), None)


def test_a_tied_head_scores_by_the_tokenizers_own_vectors():
    tokenizer = ByteTokenizer(8)
    model = nn.ModuleDict({"tokenizer": tokenizer, "head": TokenHead(8, tokenizer, None)})
    out = model["head"](TOKENS)
    torch.testing.assert_close(out, TOKENS.embeddings @ tokenizer.embedding.weight.T)
    out[..., 7].sum().backward()
    assert tokenizer.embedding.weight.grad.abs().sum(1).nonzero().tolist() == [[7]]
    assert [name for name in model.state_dict() if "head" in name] == ["head.bias"]


def test_a_tied_head_follows_a_vocabulary_that_is_restored_later():
    tokenizer = ByteTokenizer(8)
    head = TokenHead(8, tokenizer, None)
    tokenizer.embedding = nn.Embedding.from_pretrained(torch.ones(259, 8))
    torch.testing.assert_close(head(TOKENS)[..., 0], TOKENS.embeddings.sum(-1))


def test_an_untied_head_has_a_matrix_of_its_own():
    tokenizer = ByteTokenizer(8)
    head = TokenHead(8, tokenizer, None, tied=False)
    out = head(TOKENS)
    torch.testing.assert_close(out, TOKENS.embeddings @ head.weight.T)
    out.sum().backward()
    assert tokenizer.embedding.weight.grad is None and head.weight.grad is not None


def test_a_content_head_gives_the_values_of_a_patch():
    head = ContentHead(8, AudioTokenizer(8, patch=[4, 16], mean=0.0, std=1.0), None)
    assert head(TOKENS).shape == (2, 3, 64)


def test_tokens_of_the_other_kind_are_named():
    with pytest.raises(ConfigError, match="head=tokens predicts discrete tokens, and AudioTokenizer has none"):
        TokenHead(8, AudioTokenizer(8), None)
    with pytest.raises(ConfigError, match="head=content predicts continuous tokens, and ByteTokenizer has none"):
        ContentHead(8, ByteTokenizer(8), None)
