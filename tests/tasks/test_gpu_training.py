"""Experiments train on CUDA, of each kind of data; `make test-gpu` runs this file."""

from __future__ import annotations

import json
import math

import pytest
import torch

from mmattn.cli.main import main
from mmattn.compare.training import train

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]
FEW_STEPS = [
    "backbone.dim=64", "backbone.depth=2", "loader.batch_size=8", "trainer.accelerator=gpu",
    "trainer.max_epochs=1", "+trainer.limit_train_batches=6", "+trainer.limit_val_batches=2",
]  # fmt: skip


def trained(experiment: str, folder, *words: str) -> dict:
    assert main(["train", experiment, *FEW_STEPS, *words, f"run.dir={folder}"]) == 0
    return json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("experiment", ["image", "text", "audio", "protein"])
def test_it_trains_for_some_steps(experiment, precision, tmp_path):
    results = trained(experiment, tmp_path / "run", f"trainer.precision={precision}")
    assert results["steps"] == 6 and math.isfinite(results["validation"]["loss"])


@pytest.mark.parametrize("experiment", ["text_to_image", "image_to_text", "contrastive"])
def test_samples_of_several_kinds_train(experiment, tmp_path):
    words = {
        "text_to_image": ["backbone.layers=[grid,cross]", "task.judge.prompts=2", "task.judge.steps=2"],
        "image_to_text": ["backbone.layers=[main,cross]", "backbone.without_mlp=[main]", "backbone.mixers.near=null"],
    }
    some = ["data.train=48", "data.validation=16", "data.test=16", "loader.evaluation_batch_size=8"]
    results = trained(experiment, tmp_path / "run", *some, *words.get(experiment, []))
    assert results["steps"] == 6 and math.isfinite(results["validation"]["loss"])


def test_a_comparisons_trainings_use_cuda_in_copies_of_a_process_that_did_not(tmp_path):
    assert train(["image", *FEW_STEPS, f"run.dir={tmp_path / 'run'}"], tmp_path / "run")["steps"] == 6


@pytest.mark.parametrize("kernel", ["flex", "varlen"])
def test_it_trains_by_the_kernels_of_cuda(kernel, tmp_path):
    words = ("trainer.precision=bf16-mixed", f"mixer.kernel={kernel}", "mixer.heads=4")
    results = trained("protein", tmp_path / "run", *words)
    assert results["steps"] == 6 and math.isfinite(results["validation"]["loss"])
