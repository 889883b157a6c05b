"""A value that cannot be used ends before the first step in one message, which names its key, itself and the remedy."""

from __future__ import annotations

import math

import pytest

from mmattn.cli.main import main
from mmattn.composition.compose import composed
from mmattn.errors import ConfigError
from mmattn.limits import whole, within
from mmattn.optimizers import adamw, muon
from mmattn.schedules import WarmupCosine, WarmupStableDecay
from tests.cli.small import SMALL

WHOLE, PART = "must be a whole number, at least", "must be a number at least 0 and below 1"
COMPOSED = {
    "run.dir=5": "run.dir=5 must be a path, or null; for a folder of that name write run.dir=./5",
    "run=5": "run=5 must hold settings",
    "init_from=5": "init_from=5 must be a path",
    "init_parts=5": "init_parts=5 must be a list, such as [backbone]",
    "init_parts=[1]": "init_parts=[1] must be a list",
    "seed=abc": f"seed=abc {WHOLE} 0",
    "seed=null": f"seed=null {WHOLE} 0",
    "seed=-1": f"seed=-1 {WHOLE} 0",
    "~seed": "lacks 'seed', which every run needs: leave out ~seed",
    "~callbacks": "lacks 'callbacks'",
    "~task": "task names no constructor: choose one by task=NAME",
    "loader=null": "loader=null must hold settings",
    "+callbacks.ema.decay=0.9": "callbacks.ema has no _target_: choose callbacks=ema, or leave it out by ~",
    "name=null": "name=null must be a text",
    "pattern=null": "pattern=null chooses nothing: choose one of ",
    "head=null": "head=null chooses nothing",
}
STOPPING = "+callbacks.stop={_target_: lightning.pytorch.callbacks.EarlyStopping, monitor: "
BUILT = {
    "+loader.x=1": "loader.x: DataModule takes no 'x'",
    "+loader.worker=1": "loader.worker: DataModule takes no 'worker'. Did you mean 'workers'?",
    "loader.batch_size=abc": f"loader.batch_size=abc {WHOLE} 1",
    "loader.batch_size=2.5": f"loader.batch_size=2.5 {WHOLE} 1",
    "loader.batch_size=0": f"loader.batch_size=0 {WHOLE} 1",
    "loader.evaluation_batch_size=0": f"loader.evaluation_batch_size=0 {WHOLE} 1",
    "loader.workers=abc": f"loader.workers=abc {WHOLE} 0",
    "loader.seed=x": f"loader.seed=x {WHOLE} 0",
    "loader.kept_gigabytes=-1": "loader.kept_gigabytes=-1 must be a number at least 0",
    "optimizer.betas=3": "optimizer.betas=3 must be two numbers",
    "optimizer.learning_rate=abc": "optimizer.learning_rate=abc must be a number above 0",
    "schedule.warmup=1": f"schedule.warmup=1 {PART}",
    "task.label_smoothing=3": f"task.label_smoothing=3 {PART}",
    "task.optimizer=5": "task.optimizer=5 makes none: leave it as it is, and choose by optimizer=NAME",
    "head.pool=null": "head.pool=null pools nothing",
    "head.dropout=2": "head (mmattn.heads.Classifier) cannot be built: ValueError: dropout probability",
    "position.grid=5": "backbone.position (mmattn.positions.Learned) cannot be built: TypeError",
    "trainer.max_epochs=abc": f"trainer.max_epochs=abc {WHOLE} -1",
    "+trainer.max_epoch=1": "trainer.max_epoch: Trainer takes no 'max_epoch'. Did you mean 'max_epochs'?",
    "+callbacks.x=5": "callbacks.x cannot be built",
    f"{STOPPING}validation/acuracy}}": "acuracy is never measured. Did you mean 'validation/accuracy'?",
    f"{STOPPING}test/accuracy}}": "callbacks.stop.monitor=test/accuracy is never measured",
}


@pytest.mark.parametrize("word", COMPOSED)
def test_a_config_of_which_no_run_can_be_made_is_not_composed(word):
    with pytest.raises(ConfigError) as caught:
        composed(["experiment=image", word])
    assert COMPOSED[word] in str(caught.value)


@pytest.mark.parametrize(
    "words", [["pattern=window"], ["pattern=window", "pattern.before=4"], ["+pattern.x=1"]], ids=str
)
def test_a_pattern_that_no_part_reads_is_not_left_out_in_silence(words):
    words = ["experiment=text", *words]
    for mixer in ("mamba2", "recurrent"):
        expected = r"pattern.* changes nothing: mixer=(Mamba2|Recurrent) has no pattern.* such as mixer=attention"
        with pytest.raises(ConfigError, match=expected):
            composed([*words, f"mixer={mixer}"])
    composed(words)
    composed([*words, "mixer=mamba2", "+mixer@backbone.mixers.near=attention"])  # a layer reads it


def test_where_the_layers_have_their_own_patterns_their_key_is_named():
    with pytest.raises(ConfigError, match="pattern=window changes nothing: .* set backbone.mixers.NAME.pattern"):
        composed(["experiment=text_to_image", "pattern=window"])


@pytest.mark.parametrize("experiment", ["text", "image"])
def test_what_an_experiment_sets_of_a_pattern_is_no_choice(experiment):
    composed([f"experiment={experiment}", "mixer=mamba2"])


@pytest.mark.parametrize("word", BUILT)
def test_a_value_that_its_part_cannot_take_is_named(word, tmp_path, capsys):
    small = [each for each in SMALL if word.split("=")[0] not in each]
    assert main(["train", "image", *small, word, f"run.dir={tmp_path / 'run'}"]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("mmattn: ") and BUILT[word] in shown.err and len(shown.err.splitlines()) == 1
    assert "epoch 1" not in shown.out and not (tmp_path / "run").exists()


def test_what_is_never_validated_cannot_be_waited_for(tmp_path, capsys):
    words = [*SMALL, "+trainer.limit_val_batches=0", f"{STOPPING}validation/loss}}", f"run.dir={tmp_path / 'run'}"]
    assert main(["train", "image", *words]) == 1
    assert "monitor=validation/loss is never measured. Did you mean" in capsys.readouterr().err


@pytest.mark.parametrize(
    "make, settings, expected",
    [
        (adamw, {"learning_rate": -1}, "optimizer.learning_rate=-1 must be a number above 0"),
        (adamw, {"learning_rate": math.nan}, "optimizer.learning_rate=nan must be a number above 0"),
        (adamw, {"learning_rate": 1e-3, "weight_decay": -1}, "optimizer.weight_decay=-1 must be a number at least 0"),
        (adamw, {"learning_rate": 1e-3, "betas": [0.9]}, r"optimizer.betas=\[0.9\] must be two numbers"),
        (adamw, {"learning_rate": 1e-3, "betas": [0.9, 1.5]}, rf"optimizer.betas\[1\]=1.5 {PART}"),
        (muon, {"learning_rate": 1e-3, "momentum": 2}, f"optimizer.momentum=2 {PART}"),
        (muon, {"learning_rate": 0}, "optimizer.learning_rate=0 must be a number above 0"),
    ],
)
def test_rates_with_which_nothing_is_learned_are_named(make, settings, expected):
    with pytest.raises(ConfigError, match=expected):
        make(None, **settings)


@pytest.mark.parametrize(
    "make, settings, expected",
    [
        (WarmupCosine, {"warmup": 1}, f"schedule.warmup=1 {PART}"),
        (WarmupCosine, {"warmup": "abc"}, f"schedule.warmup=abc {PART}"),
        (WarmupCosine, {"floor": 2}, "schedule.floor=2 must be a number at least 0 and at most 1"),
        (WarmupStableDecay, {"warmup": -1}, f"schedule.warmup=-1 {PART}"),
        (WarmupStableDecay, {"decay": 0}, "schedule.decay=0 must be a number above 0 and at most 1"),
    ],
)
def test_a_schedule_without_meaning_is_named(make, settings, expected):
    with pytest.raises(ConfigError, match=expected):
        make(**settings)


@pytest.mark.parametrize("schedule", [WarmupCosine(0, 0), WarmupCosine(0.99, 1), WarmupStableDecay(0, 1)], ids=repr)
def test_schedules_at_their_limits_stay_factors(schedule):
    assert all(0 <= schedule(step / 100) <= 1 for step in range(1, 101))


@pytest.mark.parametrize("value", [True, None, "1", 1.0, 0, 9])
def test_what_is_no_whole_number_within_the_limits(value):
    with pytest.raises(ConfigError, match="must be a whole number, at least 1 and at most 8"):
        whole("x", value, 1, 8)


@pytest.mark.parametrize("value", [True, None, "1", math.nan, 0, 8, [1]])
def test_what_is_no_number_within_the_limits(value):
    with pytest.raises(ConfigError, match="must be a number above 0 and below 8"):
        within("x", value, above=0, below=8)
