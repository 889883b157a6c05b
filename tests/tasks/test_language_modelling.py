"""The next token: no backbone sees it before, a prefix is given and not learned, and generation is the forward pass."""

from __future__ import annotations

import pytest
import torch

from mmattn import Causal, Full, GlobalTokens, PrefixLM, SlidingWindow
from mmattn.build import build
from mmattn.composition.compose import composed
from mmattn.data.dataset import PreparedDataset
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.tasks.language_modelling import with_prefix
from mmattn.tasks.next_token import next_tokens

SMALL = ["experiment=text", "backbone.dim=32", "backbone.depth=2", "backbone.dropout=0", "tokenizer.stride=200"]
PREFIX = ["pattern=prefix_lm", "task.prefix=0.5"]


def model(*words):
    """A small language model whose scores are not all alike."""
    torch.manual_seed(0)
    task = build(composed([*SMALL, *words])).task.eval()
    for parameter in task.parameters():
        torch.nn.init.normal_(parameter, std=1.0)
    return task


def with_pattern(task, pattern):
    for block in task.backbone.blocks:
        block.mixer.pattern = pattern
    return task


def batch_of(task, *texts, side="right"):
    return task.tokenizer.collate([task.tokenizer.prepare(Sample(text, text)) for text in texts], side)


def whole(task, ids, count):
    """The likeliest ids, each by a forward pass over all before it."""
    out = list(ids)
    for _ in range(count):
        tokens = task.tokenizer(task.tokenizer.collate([{"ids": torch.tensor(out)}]))
        if task.prefix is not None:
            tokens = with_prefix(tokens, torch.tensor([task.tokenizer.prefix.count + len(ids)]))
        out.append(int(task.head(task.backbone(tokens))[0, -1].argmax()))
    return out


@pytest.mark.parametrize("position", ["rotary_1d", "sinusoidal", "learned"])
@pytest.mark.parametrize("words", [[], PREFIX], ids=["causal", "prefix_lm"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_generation_is_the_forward_pass(count, words, position):
    words = [*words, f"position={position}", "tokenizer.bos=true", f"tokenizer.prefix={count}"]
    task = model(*words, *(["position.grid=[257]"] if position == "learned" else []))
    ids = task.tokenizer.prepare(Sample("x", "prompt"))["ids"].tolist()
    with torch.no_grad():
        assert task.generate(ids, 12, temperature=0) == whole(task, ids, 12)


def test_generation_at_a_low_temperature_is_the_likeliest():
    task = model()
    assert task.generate([65, 66], 5, temperature=1e-38) == task.generate([65, 66], 5, temperature=0)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("count", [0, 2])
def test_a_token_to_be_guessed_is_never_seen_before(count, side):
    """A changed target changes no score of it nor of an earlier one, and a changed prefix changes all."""
    task = model(*PREFIX, f"tokenizer.prefix={count}").double()
    task.setup("fit")
    texts = "0123456789", "abcd"
    scores, target = task(batch_of(task, *texts, side=side))
    assert target.tolist() == list(b"56789cd")
    for place, text in enumerate(["01234X6789", "012345X789", "0123456X89", "01234567X9", "012345678X"]):
        changed, _ = task(batch_of(task, text, texts[1], side=side))
        assert torch.equal(changed[: place + 1], scores[: place + 1]) and torch.equal(changed[5:], scores[5:])
        assert place == 4 or not torch.equal(changed[place + 1 : 5], scores[place + 1 : 5])
    changed, _ = task(batch_of(task, "0123X56789", texts[1], side=side))
    assert (changed[:5] != scores[:5]).any(-1).all() and torch.equal(changed[5:], scores[5:])


def test_prefixes_are_random_in_training_and_leave_a_token_to_guess():
    task = model(*PREFIX).train()
    batch = batch_of(task, "0123456789")
    counts = [len(task(batch)[1]) for _ in range(200)]
    assert set(counts) == {1, 2, 3, 4, 5, 6, 7, 8, 9}
    assert {len(task.eval()(batch)[1]) for _ in range(5)} == {5}


def test_no_token_of_a_prefix_is_a_target():
    task = model()
    tokens = task.tokenizer(batch_of(task, "abcd", "ef"))
    assert next_tokens(with_prefix(tokens, torch.tensor([3, 0]))).tolist() == [[-1, -1, 100, -1], [102, -1, -1, -1]]


@pytest.mark.parametrize(
    "pattern",
    [
        Full(),
        SlidingWindow(2, 1),
        ~Causal(),
        SlidingWindow(2) | GlobalTokens(),
        Causal() | GlobalTokens(),
    ],
    ids=str,
)
@pytest.mark.parametrize("words", [[], PREFIX], ids=["causal", "prefix_lm"])
def test_attention_that_shows_targets_is_refused(pattern, words):
    with pytest.raises(
        ConfigError, match=r"blocks.0, whose mixer is Attention with .* shows tokens before .*set pattern=causal"
    ):
        with_pattern(model(*words, "tokenizer.prefix=1"), pattern).setup("fit")


@pytest.mark.parametrize("pattern", [Causal(), SlidingWindow(2), Causal() & (SlidingWindow(1) | GlobalTokens())])
def test_causal_attention_is_taken(pattern):
    with_pattern(model("tokenizer.prefix=1"), pattern).setup("fit")


def test_a_prefix_goes_with_its_pattern():
    with pytest.raises(
        ConfigError, match=r"pattern=prefix_lm reads .* set task=language_modelling and task.prefix=0.5"
    ):
        model("pattern=prefix_lm").setup("fit")
    with pytest.raises(ConfigError, match=r"task.prefix=0.5 needs attention that reads it; set pattern=prefix_lm"):
        model("task.prefix=0.5").setup("fit")
    with pytest.raises(ConfigError, match=r"task.prefix=1.0 must be a number above 0 and below 1"):
        model("task.prefix=1.0")
    with_pattern(model(*PREFIX), PrefixLM() & SlidingWindow(9, 9)).setup("fit")


def test_a_report_shows_every_generated_token_of_a_text_that_ends():
    task = model("tokenizer.eos=true", "tokenizer.max_length=8", "tokenizer.stride=8")
    dataset = PreparedDataset([Sample("a", "abc"), Sample("b", "x" * 8)], task.tokenizer)
    assert [each.length for each in dataset.items] == [4, 8, 1]  # the last is the end mark alone
    for each in task.parameters():
        torch.nn.init.zeros_(each)
    torch.nn.init.constant_(task.head.bias[ord("Z") : ord("Z") + 1], 1000.0)
    cards = task.cards(dataset, [0, 1, 2])
    assert [card.parts[0][1] for card in cards] == [
        [("abc", ""), ("Z" * 5, "new")],
        [("x" * 8, ""), ("", "new")],
    ]
