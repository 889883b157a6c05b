"""What is shown of a decoding is what one full pass over the tokens that it made reads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.lens.decoded import picture_made, text_made
from mmattn.lens.drawn import readers
from mmattn.lens.words import words_of
from tests.lens.examples import listen
from tests.tasks.pairs import picture, sequence_to_sequence

PROMPT = "red over blue"


def ready(**arguments):
    task = sequence_to_sequence(**arguments).eval()
    task.longest.fill_(5)
    return task


def full_pass(task, batch, ids):
    """The mean over heads (tokens made, tokens read) of the layer that reads, from all tokens at once."""
    with torch.no_grad():
        memory = task.encode(batch)
        calls = listen(task.backbone)
        earlier = torch.cat([torch.tensor([task.target.bos_id]), ids[:-1]])
        task.backbone(task.target(task.target.collate([{"ids": earlier}])), memory)
    return calls["blocks.1.mixer"][0][0].mean(0)


def test_a_word_said_is_shown_where_it_looked():
    task = ready()
    prepared = task.source.prepare(Sample("a", picture("red", "blue")))
    (row,) = text_made(task, "a", prepared, readers(task))
    batch = task.source.collate([prepared])
    (ids,) = task.ids_for(batch)
    said = [int(token) not in task.target.special_ids for token in ids]
    assert row.title == f"a: {task.target.restore(ids)}" and len(row.words) == sum(said) > 1
    wanted = full_pass(task, batch, ids)[said].view(-1, 2, 2)
    np.testing.assert_allclose(np.stack([heat for _, heat in row.words]), wanted, atol=1e-6)


def test_a_word_asked_for_is_shown_where_it_was_read():
    task = ready(target="image", context="text", drop_context=0.1)
    prepared = task.source.prepare(Sample("a", PROMPT))
    words = words_of(task.source, prepared, PROMPT)
    (row,) = picture_made(task, PROMPT, prepared, words, readers(task), {"seed": 3, "guidance": 2.0})
    batch = task.source.collate([prepared])
    (ids,) = task.ids_for(batch, 0.7, 3, 2.0)
    wanted = full_pass(task, batch, ids)
    assert [name for name, _ in row.words] == PROMPT.split()
    for word, (_, heat) in zip(words, row.words, strict=True):
        np.testing.assert_allclose(heat, wanted[:, list(word.keys)].mean(1).view(2, 2), atol=1e-6)
    (alone,) = task.pictures([prepared], count=1, seed=3, guidance=2.0)
    assert np.array_equal(row.picture, alone)


def test_maps_that_do_not_fit_are_refused():
    task = ready()
    prepared = task.source.prepare(Sample("a", picture("red", "blue")))
    with pytest.raises(ConfigError, match="5 × 1 × 4 weights"):
        text_made(task, "a", prepared, readers(task), limit=79)
