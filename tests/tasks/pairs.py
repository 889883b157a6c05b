"""Pictures of one colour with the words for it, and small tasks that read both."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from PIL import Image

from mmattn import Attention, Backbone, Causal, Rotary
from mmattn.data.arrays import Arrays
from mmattn.data.datamodule import DataModule
from mmattn.heads import Projection, TokenHead
from mmattn.mixers import CrossAttention
from mmattn.optimizers import adamw
from mmattn.schedules import WarmupStableDecay
from mmattn.tasks.contrastive import Contrastive
from mmattn.tasks.pair_losses import SoftmaxLoss
from mmattn.tasks.sequence_to_sequence import SequenceToSequence
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.tokenizers.patch_codebook import PatchCodebookTokenizer
from mmattn.tokenizers.several import SeveralTokenizer
from mmattn.tokenizers.words import WordTokenizer

DIM = 16
COLOURS = {"red": (220, 30, 30), "green": (30, 180, 30), "blue": (30, 30, 220), "white": (250, 250, 250)}
OPTIMISER = {"optimizer": partial(adamw, learning_rate=1e-2), "schedule": WarmupStableDecay(0.1, 0.5)}


def picture(upper, lower):
    """8 × 8 pixels, the upper half of one colour and the lower half of another."""
    rows = [COLOURS[upper]] * 4 + [COLOURS[lower]] * 4
    return Image.fromarray(np.array(rows, dtype=np.uint8)[:, None].repeat(8, 1))


def values(count=16):
    """Samples of two colours each, all different, and the caption with the colours exchanged."""
    pairs = [(upper, lower) for upper in COLOURS for lower in COLOURS][:count]
    return [
        {"image": picture(a, b), "text": f"{a} over {b}", "swapped": f"{b} over {a}" if a != b else f"not {a}"}
        for a, b in pairs
    ]


def data_for(tokenizer, task=None):
    """The samples as a data module with a fitted tokenizer."""
    data = DataModule(Arrays((values(), None), (values(), None)), tokenizer, batch_size=16)
    data.fit_tokenizer()
    data.labels = None if task is None else task.labels
    return data


def several(target, image=None, bos=False, **arguments):
    image = image or ImageTokenizer(DIM, patch=4)
    words = WordTokenizer(DIM, least=1, bos=bos, eos=bos)
    tokenizer = SeveralTokenizer(DIM, {"image": image, "text": words}, target=target, **arguments)
    data_for(tokenizer)
    return tokenizer


def encoder(axes):
    return Backbone(DIM, 1, {"main": partial(Attention, heads=2)}, position=Rotary(axes=axes, base=100))


def contrastive(loss=None, **arguments):
    torch.manual_seed(0)
    tokenizer = several("image", also={"swapped": "text"})
    arguments = {"wrong": ["swapped"], **arguments}
    return Contrastive(
        tokenizer,
        encoder(2),
        Projection(DIM, tokenizer.modelled, None, size=8),
        loss=loss or SoftmaxLoss(),
        encoder=encoder(1),
        encoder_head=partial(Projection, size=8),
        **OPTIMISER,
        **arguments,
    )


def sequence_to_sequence(target="text", context="image", pattern=None, **arguments):
    torch.manual_seed(0)
    image = PatchCodebookTokenizer(DIM, size=8, patch=4, codes=4, bos=True) if target == "image" else None
    tokenizer = several(target, image, bos=target == "text")
    mixers = {
        "main": partial(Attention, heads=2, pattern=pattern or Causal()),
        "cross": partial(CrossAttention, heads=2),
    }
    axes = {"text": 1, "image": 2}
    decoder = Backbone(DIM, 2, mixers, position=Rotary(axes=axes[target], base=100))
    head = TokenHead(DIM, tokenizer.modelled, None)
    read = encoder(axes.get(context, 1))
    return SequenceToSequence(tokenizer, decoder, head, context=context, encoder=read, **OPTIMISER, **arguments)


def whole_batch(task):
    """All samples as one batch."""
    dataset = data_for(task.tokenizer, task).dataset("train")
    return dataset.batch([(0, i) for i in range(len(dataset))])


def learn(task, batch, steps, rate=1e-2):
    """The loss after some steps on a batch."""
    optimizer = torch.optim.Adam(task.train().parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = task.evaluate(batch).loss
        loss.backward()
        optimizer.step()
    task.eval()
    return loss.item()
