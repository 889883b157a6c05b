"""The `datasets` package, on local folders."""

from __future__ import annotations

import io
import sys

import numpy
import pytest
import soundfile
from PIL import Image

from mmattn.contracts.source import check_source
from mmattn.data.hugging_face import HuggingFace
from mmattn.errors import BadSample, ConfigError

datasets = pytest.importorskip("datasets")


def saved(root, features=None, **splits):
    features = None if features is None else datasets.Features(features)
    made = {name: datasets.Dataset.from_dict(columns, features) for name, columns in splits.items()}
    datasets.DatasetDict(made).save_to_disk(root)
    return root


@pytest.fixture
def texts(tmp_path):
    features = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["bad", "good"])}
    train, hidden = {"text": ["x", "y"], "label": [1, 0]}, {"text": ["z"], "label": [-1]}
    return saved(tmp_path / "texts", features, train=train, validation=train | {"text": ["v", "w"]}, test=hidden)


def test_texts_and_hidden_labels(texts):
    source = HuggingFace(texts, text_column="text")
    assert source.classes == ("bad", "good")
    assert [sample.label for sample in source.samples("train")] == [1, 0]
    assert source.samples("test") is None and "test split" in source.notes[0] and "hidden" in source.notes[0]
    assert check_source(source) == []


def test_labels_that_are_names_and_splits_of_other_names(tmp_path):
    root = saved(
        tmp_path / "d", fit={"text": ["x", "y"], "label": ["b", "a"]}, dev={"text": ["z", "v"], "label": ["a", "b"]}
    )
    source = HuggingFace(root, text_column="text", splits={"train": "fit", "validation": "dev"})
    assert source.classes == ("a", "b") and [sample.label for sample in source.samples("validation")] == [0, 1]
    assert check_source(source) == []


@pytest.mark.parametrize("named", [True, False])
def test_lists_of_labels(tmp_path, named):
    labels = [[1, 0], [], [1]] if named else [["b", "a"], [], ["b"]]
    element = datasets.ClassLabel(names=["a", "b"]) if named else datasets.Value("string")
    features = {"text": datasets.Value("string"), "label": datasets.Sequence(element)}
    train, test = {"text": ["x", "y", "z"], "label": labels}, {"text": ["u", "v", "w"], "label": labels}
    source = HuggingFace(saved(tmp_path / "d", features, train=train, test=test), text_column="text")
    assert source.classes == ("a", "b")
    assert [sample.label for sample in source.samples("train")] == [[1, 0], [], [1]]
    assert source.samples("test") is not None and check_source(source) == []


def test_an_unknown_label_in_a_list_is_named(tmp_path):
    texts = {"text": ["x"], "label": [["spam", "ham"]]}
    source = HuggingFace(
        saved(tmp_path / "d", train=texts, test={"text": ["y"], "label": [["spm"]]}), text_column="text"
    )
    with pytest.raises(ConfigError, match=r"test\[0\]: the label 'spm'.*Did you mean 'spam'\?"):
        source.samples("test")


def test_images_and_sounds(tmp_path):
    wave = io.BytesIO()
    soundfile.write(wave, numpy.zeros((40, 1), dtype="float32"), 8000, format="WAV")
    columns = {
        "image": [Image.new("RGB", (4, 4), (i, 0, 0)) for i in range(2)],
        "audio": [{"bytes": wave.getvalue(), "path": "a"}, {"bytes": b"junk", "path": "b"}],
    }
    stored = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}  # as Audio() stores it in its files
    features = {"image": datasets.Image(), "audio": stored}
    root = saved(tmp_path / "d", features, train=columns)
    images = HuggingFace(root, image_column="image", label_column=None)
    assert images.samples("train")[1].value.getpixel((0, 0)) == (1, 0, 0) and check_source(images) == []
    audio = HuggingFace(root, audio_column="audio", label_column=None).samples("train")
    assert audio[0].value.samples.shape == (1, 40) and audio[0].value.rate == 8000
    with pytest.raises(BadSample, match=r"train\[1\]: is not a readable sound file"):
        audio[1]


def test_pairs_of_an_image_and_a_text(tmp_path):
    columns = {"image": [Image.new("RGB", (4, 4), (i, 0, 0)) for i in range(3)], "said": ["a cat", "a dog", ""]}
    features = {"image": datasets.Image(), "said": datasets.Value("string")}
    root = saved(tmp_path / "d", features, train=columns)
    source = HuggingFace(root, image_column="image", text_column="said", label_column=None)
    second = source.samples("train")[1]
    assert second.value["text"] == "a dog" and second.value["image"].getpixel((0, 0)) == (1, 0, 0)
    assert check_source(source) == [f"train[2] cannot be read: {root}.train[2]: column 'said' is empty"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"Set data\.text_column, data\.image_column or data\.audio_column"),
        ({"text_column": "text", "image_column": "tex"}, r"data\.image_column='tex' .*Did you mean 'text'\?"),
        ({"text_column": "txt"}, r"data\.text_column='txt' is no column .*'text', 'label'.*Did you mean 'text'\?"),
        ({"text_column": "text", "label_column": "labels"}, r"data\.label_column='labels'.*Did you mean 'label'\?"),
        ({"text_column": "text", "splits": {"train": "trian"}}, r"no split 'trian'.*Did you mean 'train'\?"),
        ({"text_column": "text", "splits": {"test": "test"}}, r"no split 'train', .*set data\.splits\.train"),
    ],
)
def test_what_cannot_be_used_is_named(texts, arguments, message):
    with pytest.raises(ConfigError, match=message):
        HuggingFace(texts, **arguments)


def test_an_unknown_label_and_an_empty_text_are_named(tmp_path):
    columns = {"text": ["x", ""], "label": ["spam", "spam"]}
    root = saved(tmp_path / "d", train=columns, test={"text": ["y"], "label": ["spm"]})
    source = HuggingFace(root, text_column="text")
    with pytest.raises(ConfigError, match=r"test\[0\]: the label 'spm'.*Did you mean 'spam'\?"):
        source.samples("test")
    with pytest.raises(BadSample, match=r"train\[1\]: column 'text' is empty"):
        source.samples("train")[1]


def test_a_folder_that_is_no_dataset_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be loaded; check the name and data\.subset"):
        HuggingFace(tmp_path, text_column="text")


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ConfigError, match=r"pip install 'mmattn\[datasets\]'"):
        HuggingFace(tmp_path, text_column="text")
