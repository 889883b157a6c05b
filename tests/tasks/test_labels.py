"""Labels of raw samples become targets: one class, several, one a token; those of another kind are named."""

from __future__ import annotations

import pytest
import torch

from mmattn.build import build
from mmattn.composition.compose import composed
from mmattn.data.arrays import Arrays
from mmattn.data.dataset import PreparedDataset, pieces
from mmattn.data.labels import ClassPerUnit, OneClass, SeveralClasses
from mmattn.data.source import Sample
from mmattn.data.variations import Variations
from mmattn.errors import BadSample, ConfigError
from mmattn.tasks.multi_label import several_hot
from mmattn.tokenizers.bpe import BPETokenizer
from mmattn.tokenizers.characters import CharacterTokenizer
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.tokenizers.protein import ProteinTokenizer
from mmattn.tokenizers.text import ByteTokenizer
from tests.tasks.test_experiments import FEW, data_of


def dataset(labels, tokenizer, *samples, **arguments):
    return PreparedDataset([Sample(f"s{i}", *each) for i, each in enumerate(samples)], tokenizer, labels, **arguments)


def batch_labels(found):
    return found.batch([(0, i) for i in range(len(found))])["labels"].tolist()


def test_one_class_a_sample():
    assert batch_labels(dataset(OneClass(), ByteTokenizer(8), ("abc", 2), ("d", 0))) == [2, 0]


def test_several_classes_and_none_at_all():
    found = batch_labels(dataset(SeveralClasses(), ByteTokenizer(8), ("abc", [2, 0]), ("d", []), ("e", [1])))
    assert found == [[2, 0], [-1, -1], [1, -1]]
    assert several_hot(torch.tensor(found), 4).tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert several_hot(torch.empty(2, 0, dtype=torch.long), 3).sum() == 0


@torch.no_grad()
def test_a_token_in_two_pieces_is_predicted_once():
    words = [
        "backbone.dim=16",
        "backbone.depth=1",
        "tokenizer.max_length=5",
        "tokenizer.stride=2",
        "tokenizer.prefix=1",
    ]
    task = build(composed(["experiment=text_tagging", *words, *FEW["python_code"]])).task.eval()
    cut = pieces(task.tokenizer, "x", task.tokenizer.prepare(Sample("x", "aßcdefg")))
    said = task.said(task.tokenizer.collate(cut))
    assert [len(each) for each in said] == [4, 4, 4]
    tokens = task.predicted(cut, said)["tokens"]
    assert [token["unit"] for token in tokens] == [0, 1, 1, 2, 3, 4, 5, 6]
    assert [token["probability"] for token in tokens[4:6]] == pytest.approx(said[1].max(-1).values[2:].tolist())


def test_residues_are_labelled_and_special_tokens_are_not():
    found = dataset(ClassPerUnit(), ProteinTokenizer(8), ("MKT", [0, None, 1]), ("W", [2]))
    assert batch_labels(found) == [[-1, 0, -1, 1, -1], [-1, 2, -1, -1, -1]]


def test_every_byte_of_a_character_has_its_label():
    assert batch_labels(dataset(ClassPerUnit(), ByteTokenizer(8, eos=True), ("aßc", [0, 1, 2]))) == [[0, 1, 1, 2, -1]]


def test_a_piece_takes_the_label_of_its_first_character_that_is_no_white_space():
    text = "the theme the theme"
    tokenizer = BPETokenizer(8, vocabulary_size=270)
    tokenizer.fit([Sample("x", text)] * 20)
    prepared = tokenizer.prepare(Sample("x", text))
    pairs = [(tokenizer.describe(prepared, i), int(unit)) for i, unit in enumerate(tokenizer.units(prepared))]
    assert pairs == [("the", 0), ("␣theme", 4), ("␣the", 10), ("␣theme", 14)]
    spaces = tokenizer.units(tokenizer.prepare(Sample("y", " \n")))
    assert spaces.tolist() == [0, 1]


def test_pieces_of_a_long_sample_keep_their_labels():
    text, label = "abcdefg", [0, 1, 2, 3, 4, 5, 6]
    found = dataset(ClassPerUnit(), ByteTokenizer(8, max_length=4, stride=3, prefix=1), (text, label))
    assert batch_labels(found) == [[0, 1, 2], [3, 4, 5], [6, -1, -1]]
    shifted = Variations(dataset(ClassPerUnit(), ByteTokenizer(8, max_length=4, stride=3), (text, label)))
    for epoch in range(4):
        batch = shifted.batch([(epoch, 0)])
        assert batch["labels"].tolist() == (batch["ids"] - ord("a")).tolist()


def test_a_new_sample_is_cut_as_a_dataset_cuts_it():
    tokenizer = ByteTokenizer(8, max_length=4, stride=2, prefix=1)
    prepared = tokenizer.prepare(Sample("x", "abcdefg"))
    cut = [tokenizer.restore(piece["ids"]) for piece in pieces(tokenizer, "x", prepared)]
    found = dataset(None, tokenizer, ("abcdefg",))
    assert cut == ["abc", "cde", "efg"] == [tokenizer.restore(found.fetch(each)[3]["ids"]) for each in found.items]
    with pytest.raises(BadSample, match="makes 7 tokens, and the model takes 4"):
        pieces(ByteTokenizer(8, max_length=4), "x", prepared)


@pytest.mark.parametrize(
    ("labels", "label", "message"),
    [
        (OneClass(), [0, 1], r"s0: has a list of labels.*set task=multi_label, or task=token_classification"),
        (OneClass(), None, r"s0: has the label None, which is no class"),
        (OneClass(), -1, r"s0: has the label -1, which is no class"),
        (SeveralClasses(), 1, r"s0: has the label 1, and task=multi_label takes a list.*set task=classification"),
        (SeveralClasses(), [1, None], r"s0: has the label None, which is no class"),
        (SeveralClasses(), [0, 1, 1], r"s0: has a class twice in \[0, 1, 1\].*token_classification.*booleans"),
        (ClassPerUnit(), 1, r"s0: has the label 1, and task=token_classification takes a list"),
        (ClassPerUnit(), [0, 1], r"s0: has 2 labels for 3 units \(characters, residues\); give each unit a class"),
    ],
)
def test_a_label_of_another_kind_is_named_before_training(labels, label, message):
    with pytest.raises(BadSample, match=message):
        dataset(labels, ByteTokenizer(8), ("abc", label))
    kept = dataset(labels, ByteTokenizer(8), ("abc", label), on_bad_sample="skip")
    assert len(kept) == 0 and len(kept.skipped) == 1


@pytest.mark.parametrize(
    ("experiment", "labels", "message"),
    [
        ("text_classification", [0, 8], "s1: has the label 8, and the 8 classes .* are numbered from 0 to 7"),
        ("text_classification", [-1, 0], "s0: has the label -1"),
        ("audio_tags", [[0, -1], [3, 12]], "s1: has the label 12, and the 12 classes"),
        ("audio_tags", [[-2, -1], [3, 4]], "s0: has the label -2"),
        ("text_tagging", [[0, -1], [99, 1]], "s1: has the label 99"),
    ],
)
def test_a_label_that_is_no_class_is_named(experiment, labels, message):
    small = ["backbone.dim=16", "backbone.depth=1", *FEW.get(data_of(experiment), [])]
    task = build(composed([f"experiment={experiment}", *small])).task
    batch = {"labels": torch.tensor(labels), "names": ["s0", "s1"]}
    for use in (task.evaluate, lambda each: task.transfer_batch_to_device(each, torch.device("meta"), 0)):
        with pytest.raises(BadSample, match=message):
            use(batch)
    with pytest.raises(BadSample, match="sample [01] of a batch: has the label"):
        task.evaluate({"labels": batch["labels"]})


def test_a_tokenizer_without_units_says_so():
    image = torch.zeros(3, 4, 4, dtype=torch.uint8)
    with pytest.raises(ConfigError, match="ImageTokenizer does not say which part .* needs a tokenizer with `units`"):
        dataset(ClassPerUnit(), ImageTokenizer(8, patch=2, mean=0.5, std=0.5), (image, [0, 0, 0]))


def test_prepared_samples_are_not_read_again():
    reads = []

    class Once:
        def __len__(self):
            return 2

        def __getitem__(self, index):
            reads.append(index)
            return Sample(f"s{index}", "abc", index)

    found = PreparedDataset(Once(), ByteTokenizer(8), OneClass())
    assert found.batch([(0, 0), (0, 1)])["labels"].tolist() == [0, 1] and reads == [0, 1]


def test_arrays_of_booleans_and_of_labels_a_unit():
    rows = torch.tensor([[True, False, True], [False, False, False]])
    source = Arrays((["x", "y"], rows))
    assert source.classes == ("0", "1", "2") and [s.label for s in source.samples("train")] == [[0, 2], []]
    with pytest.raises(ConfigError, match=r"train\[0\] has 3 booleans for 2 classes: give one a class"):
        Arrays((["x"], rows[:1]), classes=["a", "b"])
    tagged = Arrays((["ab", "c"], [[1, -1], [None]]))
    assert [s.label for s in tagged.samples("train")] == [[1, None], [None]] and tagged.classes == ("0", "1")


def test_characters_are_their_own_units():
    tokenizer = CharacterTokenizer(8, bos=True)
    tokenizer.fit([Sample("x", "añb")])
    assert tokenizer.units(tokenizer.prepare(Sample("x", "bña"))).tolist() == [-1, 0, 1, 2]
