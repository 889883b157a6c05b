"""Sources over folders of images and sounds, and each mistake a user can make with them."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import struct

import numpy
import pytest
import soundfile
from PIL import Image

from mmattn.contracts.source import check_source
from mmattn.data.audio_folder import AudioFolder
from mmattn.data.cifar10 import Cifar10
from mmattn.data.files import in_order
from mmattn.data.image_folder import ImageFolder
from mmattn.data.mnist import Mnist
from mmattn.data.source import SPLITS
from mmattn.data.speech_commands import SpeechCommands
from mmattn.errors import BadSample, ConfigError


def images(root, *names):
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), (number, 0, 0)).save(root / name)
    return root


def sounds(root, *names):
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, numpy.full((80, 2), 0.01 * number, dtype="float32"), 8000)
    return root


@pytest.mark.parametrize(
    "labels, ordered",
    [
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["--5", "3"], ("--5", "3")),
        (["-", "2"], ("-", "2")),
        (["07", "7"], ("07", "7")),
    ],
)
def test_labels_are_ordered_by_number_where_all_are_whole(labels, ordered):
    assert in_order(labels) == ordered


def sizes(source):
    return [None if source.samples(split) is None else len(source.samples(split)) for split in SPLITS]


# -- images -----------------------------------------------------------------------------------------------------------


def test_a_folder_a_class(tmp_path):
    source = ImageFolder(images(tmp_path, "dog/1.png", "cat/deep/2.JPG", "cat/3.png", ".hidden/4.png"))
    assert source.classes == ("cat", "dog") and sizes(source) == [3, None, None]
    assert [sample.label for sample in source.samples("train")] == [0, 0, 1] == source.samples("train").labels
    assert str(tmp_path / "dog/1.png") == source.samples("train")[2].name
    assert check_source(source) == [] and source.notes == ()


@pytest.mark.parametrize("validation", ["validation", "valid", "val", "dev"])
def test_folders_of_splits(tmp_path, validation):
    source = ImageFolder(images(tmp_path, "train/a/1.png", "train/b/2.png", f"{validation}/b/3.png", "test/a/4.png"))
    assert source.classes == ("a", "b") and sizes(source) == [2, 1, 1]
    assert source.samples("validation")[0].label == 1
    assert check_source(source) == []


def test_a_class_may_be_called_train(tmp_path):
    assert ImageFolder(images(tmp_path, "train/1.png", "bus/2.png")).classes == ("bus", "train")


def test_other_files_are_counted(tmp_path):
    images(tmp_path, "a/1.png", "a/2.png")
    (tmp_path / "a/notes.txt").write_text("x")
    assert ImageFolder(tmp_path).notes == ("1 files left out that are not images: 1 × .txt.",)


def test_a_corrupt_image_is_named_when_it_is_read(tmp_path):
    images(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "b/2.png").write_bytes(b"no image")
    samples = ImageFolder(tmp_path).samples("train")
    assert samples[0].label == 0
    with pytest.raises(BadSample, match=r"b/2\.png: is not a readable image"):
        samples[1]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "holds no folders: put the images into one folder a class"),
        (["1.png", "a/2.png"], r"1\.png is in no class: move it into one of the folders"),
        (["train/a/1.png", "test/b/2.png"], r"the label 'b' is not among the classes of the training data \('a'\)"),
        (["train/a/1.png", "test/a/2.png", "more/3.png"], "also 'more': move the latter elsewhere"),
        (["train/a/1.png", "val/a/1.png", "dev/a/1.png"], "two validation folders, 'dev' and 'val': keep one"),
        (["val/a/1.png", "test/a/1.png"], "no 'train': add a folder 'train'"),
    ],
)
def test_a_folder_that_cannot_be_used_is_named(tmp_path, names, message):
    images(tmp_path, *names)
    with pytest.raises(ConfigError, match=message):
        ImageFolder(tmp_path)


def test_an_empty_class_says_what_to_put_there(tmp_path):
    images(tmp_path, "a/1.png")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/list.txt").write_text("x")
    with pytest.raises(ConfigError, match=r"b holds no image file \(it holds '.txt'\): put .*\.png.* files there"):
        ImageFolder(tmp_path)


@pytest.mark.parametrize("make", [ImageFolder, AudioFolder, Mnist, SpeechCommands])
def test_a_missing_folder_says_what_is_expected_and_what_is_near(tmp_path, make):
    (tmp_path / "photos").mkdir()
    with pytest.raises(ConfigError, match=r"photo: there is no such folder .* should hold .*Did you mean 'photos'\?"):
        make(tmp_path / "photo")


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(images(tmp_path, "pets/a/1.png", "pets/b/1.png")))
    assert ImageFolder("~/pets").classes == ("a", "b")


def test_a_file_as_root_is_named(tmp_path):
    images(tmp_path, "1.png")
    with pytest.raises(ConfigError, match=r"1\.png is a file: give the folder"):
        ImageFolder(tmp_path / "1.png")


# -- sounds -----------------------------------------------------------------------------------------------------------


def test_sounds_by_folder(tmp_path):
    source = AudioFolder(sounds(tmp_path, "dog/1.wav", "cat/2.flac", "cat/3.ogg"))
    assert source.classes == ("cat", "dog") and sizes(source) == [3, None, None]
    waveform = source.samples("train")[0].value
    assert waveform.samples.shape == (2, 80) and waveform.rate == 8000
    assert check_source(source) == []


def test_sounds_in_folders_of_splits(tmp_path):
    source = AudioFolder(sounds(tmp_path, "train/a/1.wav", "train/b/2.wav", "dev/a/3.wav", "test/b/4.wav"))
    assert sizes(source) == [2, 1, 1] and check_source(source) == []


def test_sounds_by_pattern(tmp_path):
    names = [f"{digit}_{who}_{take}.wav" for digit in (0, 2, 10) for who in ("ann", "bob") for take in range(3)]
    source = AudioFolder(sounds(tmp_path, *names), r"(?P<label>\d+)_.*", validation=r".*_1\.wav", test=r".*_0\.wav")
    assert source.classes == ("0", "2", "10"), "numbers are in the order of numbers"
    assert sizes(source) == [6, 6, 6] and check_source(source) == []
    assert all("_0.wav" in sample.name for sample in source.samples("test"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"1_x\.wav is in no class folder: move it into one named after its class, or set data\.label"),
        ({"label": r"(?P<label>[a-z])_.*"}, r"1_x\.wav does not match data\.label='.*': correct the pattern"),
        ({"label": r"\d_.*"}, r"data\.label='.*' has no group \(\?P<label>\.\.\.\): add one"),
        ({"label": r"(?P<label>\d"}, r"data\.label='.*' is not a regular expression .*: correct it"),
        ({"label": r"(?P<label>\d)_.*", "test": r"z.*"}, r"data\.test='z\.\*' leaves no file for test.*1_x\.wav"),
        ({"label": r"(?P<label>\d)_.*", "validation": r".*"}, r"data\.validation='\.\*' leaves no file for train"),
        ({"label": r"(?P<label>\d)_.*", "test": r"2.*"}, r"2_y\.wav: the label '2' is not among the classes"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_named(tmp_path, arguments, message):
    sounds(tmp_path, "1_x.wav", "2_y.wav")
    with pytest.raises(ConfigError, match=message):
        AudioFolder(tmp_path, **arguments)


def test_a_pattern_beside_a_folder_of_its_split_is_named(tmp_path):
    sounds(tmp_path, "train/a/1.wav", "test/a/2.wav")
    with pytest.raises(ConfigError, match=r"has a test folder: leave data\.test unset"):
        AudioFolder(tmp_path, test=".*1.wav")


def test_a_corrupt_sound_is_named_when_it_is_read(tmp_path):
    (sounds(tmp_path, "a/1.wav") / "a/1.wav").write_bytes(b"RIFF")
    with pytest.raises(BadSample, match=r"a/1\.wav: is not a readable sound file"):
        AudioFolder(tmp_path).samples("train")[0]


# -- Speech Commands --------------------------------------------------------------------------------------------------


@pytest.fixture
def commands(tmp_path):
    place = tmp_path / "SpeechCommands/speech_commands_v0.02"
    sounds(
        place, *(f"{word}/{take}_nohash_0.wav" for word in ("yes", "no") for take in "abcd"), "_background_noise_/n.wav"
    )
    (place / "validation_list.txt").write_text("yes/a_nohash_0.wav\nno/a_nohash_0.wav\n")
    (place / "testing_list.txt").write_text("yes/b_nohash_0.wav\n")
    return tmp_path


def test_speech_commands_are_split_by_their_lists(commands):
    source = SpeechCommands(commands)
    assert source.classes == ("no", "yes") and sizes(source) == [5, 2, 1]
    assert check_source(source) == []
    assert SpeechCommands(commands, words=["yes"]).notes == ("1 words left out by data.words.",)


def test_speech_commands_name_what_is_missing(commands, tmp_path):
    with pytest.raises(ConfigError, match=r"data\.words names 'noo'.*Did you mean 'no'\?"):
        SpeechCommands(commands, words=["noo"])
    place = commands / "SpeechCommands/speech_commands_v0.02"
    (place / "yes/b_nohash_0.wav").unlink()
    with pytest.raises(ConfigError, match=r"yes/b_nohash_0\.wav is listed and missing: unpack"):
        SpeechCommands(commands)
    (place / "testing_list.txt").unlink()
    with pytest.raises(ConfigError, match=r"testing_list\.txt is missing: .*data\.download=true"):
        SpeechCommands(commands)
    with pytest.raises(ConfigError, match=r"v0\.01 is missing: .*data\.download=true"):
        SpeechCommands(commands, version="speech_commands_v0.01")


# -- MNIST and CIFAR-10 -----------------------------------------------------------------------------------------------


def idx(array):
    return struct.pack(f">HBB{array.ndim}i", 0, 8, array.ndim, *array.shape) + array.astype(numpy.uint8).tobytes()


@pytest.fixture(params=["", ".gz"])
def mnist(tmp_path, request):
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    for prefix, count in (("train", 20), ("t10k", 10)):
        pixels = numpy.arange(count * 784).reshape(count, 28, 28) % 251
        for name, array in (("images-idx3", pixels), ("labels-idx1", numpy.arange(count) % 10)):
            content = idx(array)
            content = gzip.compress(content) if request.param else content
            (raw / f"{prefix}-{name}-ubyte{request.param}").write_bytes(content)
    return tmp_path


def test_mnist_is_read_gzipped_or_not(mnist):
    source = Mnist(mnist)
    assert sizes(source) == [20, None, 10] and check_source(source) == []
    image = source.samples("train")[1].value
    assert image.size == (28, 28) and image.mode == "L"
    assert numpy.asarray(image)[0, 0] == 784 % 251


def test_mnist_names_what_is_missing_or_damaged(mnist):
    path = next((mnist / "MNIST/raw").glob("t10k-labels*"))
    whole = path.read_bytes()
    for damaged in (whole[:-2], idx(numpy.zeros(3)) if path.suffix != ".gz" else gzip.compress(idx(numpy.zeros(3)))):
        path.write_bytes(damaged)
        with pytest.raises(BadSample, match=r"t10k-labels-idx1-ubyte"):
            Mnist(mnist).samples("test")
    path.write_bytes(gzip.compress(b"not idx") if path.suffix == ".gz" else b"not idx")
    with pytest.raises(BadSample, match=r"not an idx file .*data\.download=true"):
        Mnist(mnist).samples("test")
    path.unlink()
    with pytest.raises(ConfigError, match=r"t10k-labels-idx1-ubyte is missing .*data\.download=true"):
        Mnist(mnist)


def test_cifar10_is_read_where_its_sums_are_right(tmp_path, monkeypatch):
    from torchvision.datasets import CIFAR10

    place = tmp_path / "cifar-10-batches-py"
    place.mkdir()

    def write(name, content):
        (place / name).write_bytes(pickle.dumps(content))
        return name, hashlib.md5((place / name).read_bytes()).hexdigest()

    pixels = numpy.arange(10 * 3072, dtype=numpy.uint8).reshape(10, 3072)
    batch = {"data": pixels, "labels": list(range(10))}
    monkeypatch.setattr(CIFAR10, "train_list", [write("data_batch_1", batch)])
    monkeypatch.setattr(CIFAR10, "test_list", [write("test_batch", batch)])
    name, md5 = write("batches.meta", {"label_names": list(Cifar10.classes)})
    monkeypatch.setattr(CIFAR10, "meta", {"filename": name, "key": "label_names", "md5": md5})
    source = Cifar10(tmp_path)
    assert sizes(source) == [10, None, 10] and check_source(source) == []
    assert source.samples("test")[3].value.mode == "RGB"
    (place / "test_batch").write_bytes(b"something else")
    with pytest.raises(ConfigError, match=r"missing or damaged; .*cifar-10-batches-py .*data\.download=true"):
        Cifar10(tmp_path)
