"""Loaders: what training and evaluation see, what is kept in memory, and errors from worker processes."""

from __future__ import annotations

import io
import pickle
from multiprocessing.reduction import ForkingPickler

import pytest
import torch
from torchvision.transforms import v2

from mmattn.data.arrays import Arrays
from mmattn.data.datamodule import DataModule
from mmattn.data.dataset import PreparedDataset
from mmattn.data.labels import OneClass
from mmattn.data.source import Sample
from mmattn.data.variations import Variations
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.tokenizers.several import SeveralTokenizer
from mmattn.tokenizers.text import ByteTokenizer

IMAGES = [torch.full((1, 4, 4), i, dtype=torch.uint8) for i in range(40)]


class Fading(ByteTokenizer):
    """Prepares a sample once; then it is gone."""

    def augment(self, sample, generator):
        raise BadSample(sample.name, "was there before")


def images(transforms=(), **arguments):
    tokenizer = ImageTokenizer(8, patch=2, channels=1, mean=0.5, std=0.5, transforms=transforms)
    data = DataModule(Arrays((IMAGES, [0, 1] * 20)), tokenizer, batch_size=8, **arguments)
    data.labels = OneClass()
    return data


def names(loader):
    return [name for batch in loader for name in batch["names"]]


def test_evaluation_of_the_training_split_is_neither_shuffled_nor_augmented():
    data = images([v2.RandomInvert(p=1.0)])
    plain = next(iter(data.loader("train")))
    assert plain["names"] == [data.splits["train"][i].name for i in range(16)]
    values = [int(name[len("train[") : -1]) for name in plain["names"]]
    assert plain["patches"][:, 0, 0].tolist() == values
    varied = next(iter(data.train_dataloader()))
    assert varied["patches"][:, 0, 0].tolist() == [255 - int(name[len("train[") : -1]) for name in varied["names"]]
    assert names(data.train_dataloader()) != names(data.loader("train")) == names(data.loader("train"))
    assert sorted(names(data.train_dataloader())) == sorted(names(data.loader("train")))


@pytest.mark.parametrize("transforms, kept", [([], 36), ([v2.RandomInvert(p=1.0)], 0)])
def test_samples_are_kept_unless_augmentation_makes_new_ones(transforms, kept):
    data = images(transforms)
    names(data.train_dataloader())
    assert len(data.dataset("train").prepared) == kept and len(data.dataset("validation").prepared) == 4


def test_what_does_not_fit_into_memory_is_prepared_again():
    data, whole = images(kept_gigabytes=5e-6), images()
    assert 0 < len(data.dataset("train").prepared) < 10
    for few, all_of_them in zip(data.loader("train"), whole.loader("train"), strict=True):
        assert torch.equal(few["patches"], all_of_them["patches"]) and few["names"] == all_of_them["names"]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_sample_in_a_worker_is_the_same_message(workers):
    data = DataModule(Arrays((["abc", "de"] * 5, None)), Fading(8), workers=workers)
    with pytest.raises(BadSample) as caught:
        next(iter(data.train_dataloader()))
    assert caught.value.fault == "was there before" and "Traceback" not in str(caught.value)


def test_a_spawned_worker_is_sent_few_tensors():
    dataset = PreparedDataset([Sample(f"s{i}", "abc", i % 2) for i in range(50)], ByteTokenizer(8), OneClass())
    sent, tensors = io.BytesIO(), []
    pickler = ForkingPickler(sent)
    reduce_tensor = pickler.dispatch_table[torch.Tensor]
    pickler.dispatch_table[torch.Tensor] = lambda tensor: tensors.append(tensor) or reduce_tensor(tensor)
    pickler.dump(Variations(dataset))
    assert len(tensors) < 5
    other = pickle.loads(pickle.dumps(dataset))
    assert len(other.prepared) == 0 and other.batch([(0, 3)])["labels"].tolist() == [1]


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"workers": -1}, "loader.workers=-1 must be a whole number, at least 0"),
        ({"evaluation_batch_size": -3}, "loader.evaluation_batch_size=-3 must be a whole number, at least 1"),
        ({"validation_fraction": 0}, "loader.validation_fraction=0 must be a number above 0 and below 1"),
    ],
)
def test_settings_that_cannot_be_are_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        images(**settings)


def test_a_digest_tells_names_labels_lengths_and_texts():
    def digest(*samples):
        return PreparedDataset([Sample(*each) for each in samples], ByteTokenizer(8), OneClass()).digest

    one, two = ("a", "xy", 0), ("b", "z", 1)
    others = [(two, one), (one,), (("c", "xy", 0), two), (("a", "xz", 0), two), (("a", "xy", 1), two)]
    assert digest(one, two) == digest(one, two) and len({digest(one, two), *(digest(*each) for each in others)}) == 6


def test_a_digest_tells_the_texts_of_samples_of_several_kinds():
    def digest(**values):
        tokenizer = SeveralTokenizer(8, {"text": ByteTokenizer(8)})
        return PreparedDataset([Sample("a", values)], tokenizer).digest

    one = digest(text="xy", image=IMAGES[0])
    assert one == digest(image=IMAGES[1], text="xy")  # pictures are not compared
    assert (
        len({one, digest(text="xz", image=IMAGES[0]), digest(text="xy", wrong="xz"), digest(text="xy", other="xz")})
        == 4
    )
