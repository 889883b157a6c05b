"""Images with captions, and each mistake a user can make with them."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from mmattn.contracts.source import check_source
from mmattn.data import captioned_files
from mmattn.data.captions_folder import CaptionsFolder
from mmattn.data.coco_captions import CocoCaptions
from mmattn.data.dataset import PreparedDataset
from mmattn.data.readers import read_image
from mmattn.data.source import SPLITS
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.tokenizers.several import SeveralTokenizer
from mmattn.tokenizers.words import WordTokenizer


def images(root, *names):
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), (60 * number, 0, 0)).save(root / name)
    return root


def jsonl(root, *rows):
    (root / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


def pairs(source):
    """(number of the image, text) of all samples, those set apart too."""
    found = [each.value for split in ("train", "validation") for each in source.samples(split)]
    return sorted((round(each["image"].getpixel((0, 0))[0] / 60), each["text"]) for each in found)


@pytest.fixture
def folder(tmp_path):
    return images(tmp_path / "pets", "a.png", "deep/b.jpg", "c.png")


EXPECTED = [(0, "a cat"), (0, "a cat, again"), (1, "a dog"), (2, "a bird")]


def test_a_table_of_lines(folder):
    jsonl(
        folder,
        {"file": "a.png", "text": ["a cat", "a cat, again"]},
        {"file": "deep/b.jpg", "text": " a dog "},
        {"file": "c.png", "text": "a bird"},
    )
    source = CaptionsFolder(folder)
    assert pairs(source) == EXPECTED and check_source(source) == [] and source.samples("test") is None


def test_a_table_of_named_columns(folder):
    (folder / "captions.csv").write_text(
        'path,said\na.png,a cat\nc.png,a bird\na.png,"a cat, again"\ndeep/b.jpg,a dog\n'
    )
    source = CaptionsFolder(folder, file_column="path", text_column="said")
    assert pairs(source) == EXPECTED and check_source(source) == []


def test_a_text_beside_each_image(folder):
    (folder / "a.txt").write_text("a cat\n\na cat, again\n")
    (folder / "deep/b.txt").write_text("a dog\n")
    (folder / "c.txt").write_text("a bird")
    source = CaptionsFolder(folder)
    assert pairs(source) == EXPECTED and check_source(source) == []


def test_no_image_is_on_both_sides(tmp_path):
    rows = [{"file": f"{i}.png", "text": [f"one {i}", f"two {i}", f"three {i}"]} for i in range(20)]
    source = CaptionsFolder(jsonl(images(tmp_path, *(row["file"] for row in rows)), *rows), validation=0.2)
    sides = [{each.value["text"].split()[1] for each in source.samples(split)} for split in ("train", "validation")]
    assert len(sides[0]) == 16 and len(sides[1]) == 4 and not sides[0] & sides[1]
    assert len(source.samples("validation")) == 12


def test_folders_of_splits(tmp_path):
    for split in ("train", "val", "test"):
        jsonl(images(tmp_path / split, "1.png", "2.png"), *({"file": f"{i}.png", "text": split} for i in (1, 2)))
    source = CaptionsFolder(tmp_path)
    assert [len(source.samples(split)) for split in ("train", "validation", "test")] == [2, 2, 2]
    assert source.samples("validation")[0].value["text"] == "val" and check_source(source) == []


def fault(source):
    """The error of the one bad sample, which may be on either side."""
    faults = []
    for split in ("train", "validation"):
        samples = source.samples(split)
        for index in range(len(samples)):
            try:
                dict(samples[index].value)
            except BadSample as error:
                faults.append(str(error))
    (only,) = faults
    return only


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"file": "d.png", "text": "a cow"}, "row 3: names the image {root}/d.png, which is not there; put it there"),
        ({"file": "c.png", "text": " "}, "row 3: is an empty caption of {root}/c.png; write one, or remove it"),
        ({"file": "c.png", "text": None}, "row 3: is an empty caption of"),
        ({"file": "c.png", "text": []}, "row 3: is an empty caption of {root}/c.png; write one"),
        ({"file": "a.png", "text": "more"}, "{root}/c.png: has no caption; write one, or move the image elsewhere"),
    ],
)
def test_a_pair_that_lacks_a_part_is_named(folder, row, message):
    if row["file"] == "d.png":
        (folder / "c.png").unlink()
    rows = [{"file": "a.png", "text": "a cat"}, {"file": "deep/b.jpg", "text": "a dog"}, row]
    assert message.format(root=folder) in fault(CaptionsFolder(jsonl(folder, *rows)))


def test_a_text_without_its_image_and_an_unreadable_image_are_named(folder):
    for name in ("a", "deep/b", "d"):
        (folder / f"{name}.txt").write_text("words")
    (folder / "c.png").unlink()
    missing = f"d.txt: names the image {folder}/d.png, which is not there; put it there, or move d.txt elsewhere"
    assert missing in fault(CaptionsFolder(folder))
    (folder / "d.png").write_bytes(b"no image")
    assert "d.png: is not a readable image" in fault(CaptionsFolder(folder))


def test_what_a_pair_lacks_is_named_in_tables_and_texts(folder):
    rows = "file,text\na.png,a cat\ndeep/b.jpg,a dog\n"
    (folder / "captions.csv").write_text(rows)
    assert f"{folder}/c.png: has no caption; write one" in fault(CaptionsFolder(folder))
    (folder / "captions.csv").write_text(f"{rows}c.png,a bird\nd.png,a cow\n")
    assert f"row 4: names the image {folder}/d.png, which is not there" in fault(CaptionsFolder(folder))
    (folder / "captions.csv").unlink()
    (folder / "a.txt").write_text("a cat")
    (folder / "deep/b.txt").write_text("a dog")
    assert f"{folder}/c.png: has no caption; write one" in fault(CaptionsFolder(folder))
    (folder / "c.txt").write_text("\n")
    assert f"c.txt: is an empty caption of {folder}/c.png" in fault(CaptionsFolder(folder))


@pytest.mark.parametrize(
    ("mode", "given"), [("RGBA", (200, 0, 0, 0)), ("LA", (200, 0)), ("P", None)], ids=["colour", "grey", "palette"]
)
def test_a_transparent_icon_stands_on_the_background(mode, given, tmp_path):
    icon = Image.new(mode, (4, 4), given if given is not None else 1)
    options = {} if given is not None else {"transparency": 1}
    if mode == "P":
        icon.putpalette([9, 9, 9, 200, 0, 0])
    half = {"RGBA": (0, 0, 255, 255), "LA": (0, 255), "P": 0}[mode]
    icon.paste(half, (0, 0, 2, 4))
    for name in ("a", "b"):
        icon.save(tmp_path / f"{name}.png", **options)
        (tmp_path / f"{name}.txt").write_text("an icon")
    shown = {"RGBA": (0, 0, 255), "LA": (0, 0, 0), "P": (9, 9, 9)}[mode]
    for colour, behind in ((None, (255, 255, 255)), ("#102030", (16, 32, 48))):
        samples = CaptionsFolder(tmp_path, **({"background": colour} if colour else {})).samples("train")
        image = samples[0].value["image"]
        assert image.mode == "RGB" and image.getpixel((0, 0)) == shown and image.getpixel((3, 0)) == behind


def test_an_opaque_image_stays_as_it_is_and_a_background_is_a_colour(folder):
    Image.new("L", (4, 3), 7).save(folder / "a.png")
    jsonl(folder, *({"file": name, "text": "grey"} for name in ("a.png", "deep/b.jpg", "c.png")))
    modes = {
        each.value["image"].mode for split in ("train", "validation") for each in CaptionsFolder(folder).samples(split)
    }
    assert modes == {"L", "RGB"}
    with pytest.raises(ConfigError, match="data.background=whit is no colour"):
        CaptionsFolder(folder, background="whit")


@pytest.fixture
def decoded(monkeypatch):
    """Names of the images that are decoded, in order."""
    names = []

    def read(path):
        names.append(path.name)
        return read_image(path)

    monkeypatch.setattr(captioned_files, "read_image", read)
    return names


def test_an_image_of_many_captions_is_decoded_and_kept_once(folder, decoded):
    rows = [{"file": name, "text": [f"{name} {i}" for i in range(5)]} for name in ("a.png", "deep/b.jpg", "c.png")]
    source = CaptionsFolder(jsonl(folder, *rows), validation=0.3)
    parts = {"image": ImageTokenizer(8, patch=2, mean=0.5, std=0.5), "text": WordTokenizer(8, least=1)}
    tokenizer = SeveralTokenizer(8, parts)
    tokenizer.fit(source.samples("train"))
    assert "4" in tokenizer.part("text").words and decoded == []  # words are fitted without the images
    dataset = PreparedDataset(source.samples("train"), tokenizer)
    assert len(dataset) == 10 and len(decoded) == len(set(decoded)) == 2
    patches = [dataset.prepared[index]["image"]["patches"] for index in range(10)]
    assert len({each.data_ptr() for each in patches}) == 2


def test_an_unreadable_image_is_found_when_it_is_asked_for(folder):
    jsonl(folder, *({"file": name, "text": "words"} for name in ("a.png", "deep/b.jpg", "c.png")))
    (folder / "c.png").write_bytes(b"no image")
    source = CaptionsFolder(folder)
    assert all(each.value["text"] == "words" for split in SPLITS[:2] for each in source.samples(split))
    (unreadable,) = check_source(source)
    assert f"cannot be read: {folder}/captions.jsonl, row 3: {folder}/c.png: is not a readable image" in unreadable


def test_folders_that_cannot_be_used_are_named(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"pet: there is no such folder .* should hold images, .*mean 'pets'\?"):
        CaptionsFolder(tmp_path / "pet")
    jsonl(folder, {"fil": "a.png", "text": "a cat"})
    with pytest.raises(ConfigError, match=r"no column 'file'; it has 'fil', 'text': set .*Did you mean 'fil'\?"):
        CaptionsFolder(folder)
    jsonl(folder, {"file": "a.png", "caption": "a cat"})
    with pytest.raises(
        ConfigError, match=r"row 1 has no column 'text'; it has 'file', 'caption': set data.text_column"
    ):
        CaptionsFolder(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"empty holds no image file: put .*\.png.* files there"):
        CaptionsFolder(tmp_path / "empty")
    jsonl(tmp_path / "empty", {"file": "a.png", "text": "a cat"})
    with pytest.raises(ConfigError, match=r"empty holds no image file \(it holds '\.jsonl'\): put"):
        CaptionsFolder(tmp_path / "empty")
    jsonl(folder, {"file": "", "text": "a cat"})
    with pytest.raises(BadSample, match=r"row 1: column 'file' names no file: give the path"):
        CaptionsFolder(folder)
    jsonl(folder, {"file": "a.png", "text": 3})
    with pytest.raises(BadSample, match=r"row 1: column 'text' holds 3, which is no text"):
        CaptionsFolder(folder)
    (folder / "captions.csv").write_text("file,text\na.png,a cat\n")
    with pytest.raises(ConfigError, match=r"captions\.jsonl and captions\.csv: keep one"):
        CaptionsFolder(folder)


def test_two_images_of_one_text_are_named(tmp_path):
    (images(tmp_path, "a.png", "a.jpg") / "a.txt").write_text("words")
    with pytest.raises(ConfigError, match=r"a\.txt stands beside a\.jpg and a\.png: rename one"):
        CaptionsFolder(tmp_path)


def test_a_suffix_in_capitals_a_byte_order_mark_and_hidden_folders(tmp_path):
    images(tmp_path, "a.PNG", "b.Jpg")
    (tmp_path / "a.txt").write_text("a cat", encoding="utf-8-sig")
    (tmp_path / "b.TXT").write_text("a dog")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden/z.txt").write_text("nothing")
    assert pairs(CaptionsFolder(tmp_path)) == [(0, "a cat"), (1, "a dog")]


def test_one_image_may_be_spelled_in_several_ways(folder):
    rows = [
        {"file": file, "text": text}
        for file, text in (("deep/../a.png", "a cat"), (str(folder / "a.png"), "a cat, again"), ("c.png", "a bird"))
    ]
    source = CaptionsFolder(jsonl(folder, *rows, {"file": "./deep/b.jpg", "text": "a dog"}), validation=0.3)
    assert pairs(source) == EXPECTED  # no image lacks a caption
    assert any({"a cat", "a cat, again"} <= {each.value["text"] for each in source.samples(s)} for s in SPLITS[:2])


def test_each_name_of_a_file_has_its_captions(folder):
    (folder / "c.png").unlink()
    (folder / "c.png").symlink_to(folder / "a.png")
    jsonl(folder, *({"file": name, "text": name} for name in ("a.png", "c.png", "deep/b.jpg")))
    assert pairs(CaptionsFolder(folder)) == [(0, "a.png"), (0, "c.png"), (1, "deep/b.jpg")]


def test_files_that_are_not_read_are_told(folder):
    for name in ("a", "deep/b", "c"):
        (folder / f"{name}.txt").write_text("words")
    assert CaptionsFolder(folder).notes == ()
    (folder / "d.heic").touch()
    heic = "1 files left out that are not images: 1 × .heic."
    assert CaptionsFolder(folder).notes == (heic,)
    jsonl(folder, *({"file": name, "text": "words"} for name in ("a.png", "deep/b.jpg", "c.png")))
    unread = f"{folder}/captions.jsonl holds the captions: 3 .txt files are not read."
    assert CaptionsFolder(folder).notes == (unread, heic)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("x.PNG", "move it into one of them"), ("captions.csv", "give each of them a table of its own, with paths from")],
)
def test_what_stands_beside_the_folders_of_splits_is_refused(tmp_path, name, remedy):
    for split in ("train", "val"):
        jsonl(images(tmp_path / split, "1.png", "2.png"), *({"file": f"{i}.png", "text": split} for i in (1, 2)))
    (tmp_path / "README.txt").touch()
    assert len(CaptionsFolder(tmp_path).samples("train")) == 2
    (tmp_path / name).touch()
    with pytest.raises(ConfigError, match=f"{name} stands beside the folders train, val: {remedy}"):
        CaptionsFolder(tmp_path)


# -- COCO ------------------------------------------------------------------------------------------------------------

CONTENT = {
    "images": [{"id": 9, "file_name": "a.png"}, {"id": 7, "file_name": "deep/b.jpg"}, {"id": 8, "file_name": "c.png"}],
    "annotations": [
        {"id": 1, "image_id": 9, "caption": "a cat"},
        {"id": 2, "image_id": 7, "caption": "a dog"},
        {"id": 3, "image_id": 9, "caption": "a cat, again"},
        {"id": 4, "image_id": 8, "caption": "a bird"},
    ],
}


def coco(folder, content=CONTENT, **more):
    (folder.parent / "captions.json").write_text(json.dumps(content))
    return CocoCaptions(folder.parent, **{"files": {"train": "captions.json"}, "images": {"train": "pets"}} | more)


def test_coco_captions(folder):
    source = coco(folder)
    assert pairs(source) == EXPECTED and check_source(source) == []
    both = {"train": "captions.json", "validation": "captions.json"}
    source = coco(folder, files=both, images={"train": "pets", "validation": "pets"})
    assert len(source.samples("train")) == len(source.samples("validation")) == 4


def test_coco_files_that_cannot_be_used_are_named(folder):
    assert "c.png: has no caption" in fault(coco(folder, CONTENT | {"annotations": CONTENT["annotations"][:3]}))
    with pytest.raises(BadSample, match=r"captions\.json: is no json file of COCO captions, .*KeyError: 'annotations'"):
        coco(folder, {"images": []})
    with pytest.raises(BadSample, match="is no json file of COCO captions"):
        coco(folder, CONTENT | {"images": CONTENT["images"][:1]})
    with pytest.raises(ConfigError, match=r"data\.images\.train is missing: name the folder"):
        coco(folder, images={})
    with pytest.raises(
        ConfigError, match=r"data\.images\.train names .*/pet, .*no such folder\. Did you mean 'pets'\?"
    ):
        coco(folder, images={"train": "pet"})
    with pytest.raises(ConfigError, match=r"data\.files\.train names .*Did you mean 'captions\.json'\?"):
        coco(folder, files={"train": "caption.json"})
