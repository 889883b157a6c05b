"""What is said of made pictures: by a task that draws what it is told, and by real ones."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmattn.build import build
from mmattn.composition.compose import composed
from mmattn.data.part import Part
from mmattn.data.scenes import Scenes
from mmattn.data.synthetic_audio import SyntheticAudio
from mmattn.errors import ConfigError
from mmattn.tasks.scene_judge import SceneJudge

SMALL = [
    "backbone.dim=32", "backbone.depth=3", "backbone.layers=[grid,cross,self]",
    "data.train=24", "data.validation=8", "data.test=8", "loader.batch_size=8",
    "trainer.max_epochs=1", "task.judge.prompts=3", "task.judge.batch=2", "task.judge.steps=1",
]  # fmt: skip


class Drawer:
    """A task that draws the scenes of its prompts, or others where it mistakes held-out ones."""

    context, asks = "text", ("guidance", "steps")

    def __init__(self, mistakes=False):
        self.source, self.mistakes, self.calls = self, mistakes, []
        self.backbone = torch.nn.Module()  # without a layer that reads
        scenes = Scenes()
        self.known = {each.value["text"]: each.value for each in [*scenes.tests(20), *scenes.held_out(20)]}

    def prepare(self, sample):
        return {"text": sample.value, "held_out": "held_out" in sample.name}

    def pictures(self, prepared, *, count, seed, guidance, steps):
        self.calls.append((count, seed, guidance, steps))
        wrong = Scenes().tests(60)[59].value["image"]
        return [
            np.asarray(wrong if self.mistakes and each["held_out"] else self.known[each["text"]]["image"])
            for each in prepared
        ]


def test_right_pictures_are_found_right_in_batches_of_bounded_size():
    drawer = Drawer()
    found = SceneJudge(Scenes(), prompts=20, batch=8, guidance=2.0, steps=5, seed=7)(drawer)
    assert set(found.values()) == {1.0}
    names = "colour shape relation all one_colour one_shape one_all two_colour two_shape two_relation two_all".split()
    assert {*names, *(f"heldout_{name}" for name in names)} <= set(found)
    assert drawer.calls == [(8, 7, 2.0, 5), (8, 15, 2.0, 5), (4, 23, 2.0, 5)] * 2


def test_pairs_that_training_has_not_are_told_apart():
    found = SceneJudge(Scenes(), prompts=20)(Drawer(mistakes=True))
    assert found["all"] == 1 and found["heldout_all"] < 0.2


def test_a_part_of_scenes_is_judged_as_scenes_are():
    found = [SceneJudge(source, prompts=8)(Drawer()) for source in (Scenes(), Part(Scenes(train=30), train=5))]
    assert found[0] == found[1] and "heldout_all" in found[0]


def test_a_task_is_asked_for_what_it_takes_alone():
    asked = []

    def pictures(prepared, **told):
        asked.append(told)
        return [np.zeros((32, 32, 3), np.uint8)] * len(prepared)

    source = SimpleNamespace(prepare=lambda sample: {})
    task = SimpleNamespace(context="text", asks=("temperature",), source=source, pictures=pictures)
    assert SceneJudge(Scenes(), prompts=2, temperature=0.5)(task)["all"] == 0
    assert asked[0] == {"count": 2, "seed": 0, "temperature": 0.5}


def test_other_data_have_no_figures():
    assert SceneJudge(SyntheticAudio())(None) == {}
    assert SceneJudge(Part(SyntheticAudio()))(None) == {}
    assert SceneJudge({"_target_": "mmattn.data.synthetic_audio.SyntheticAudio"})(None) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"prompts": 0}, "task.judge.prompts=0 must be a whole number, at least 1"),
        ({"steps": 2.5}, "task.judge.steps=2.5 must be a whole number"),
        ({"temperature": float("inf")}, "task.judge.temperature=inf must be a number at least 0 and below inf"),
        ({"guidance": -1}, "task.judge.guidance=-1 must be a number at least 0"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(words, said):
    with pytest.raises(ConfigError, match=said):
        SceneJudge(Scenes(), **words)


def test_the_judge_draws_from_the_runs_own_data():
    built = build(composed(["experiment=text_to_image", *SMALL, "data.most=1", "data.pixels=40"]))
    judge = built.task.judge
    assert judge.source["most"] == 1 and judge.source["pixels"] == 40 and judge.prompts == 3
