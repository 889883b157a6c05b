"""Trainings at the same budget: parameters, samples and operations are what they are said to be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from mmattn.build import build, build_data
from mmattn.cli.main import main
from mmattn.compare import Kept
from mmattn.compare.asked import Task, asked_task
from mmattn.compare.budget import sized
from mmattn.compare.flops import flops
from mmattn.compare.matched import Matched
from mmattn.compare.trained import Trained, findings
from mmattn.compare.training import train
from mmattn.composition.compose import composed, composed_comparison
from mmattn.composition.words import experiment
from mmattn.errors import ConfigError, Diverged, RunError, TrainingError

DIGITS = {"words": ["image", "backbone.dim=32", "backbone.depth=1"], "form": "both", "steps": 4, "metric": "accuracy"}
SMALL_TEXT = ["text", "backbone.dim=32", "backbone.depth=1", "backbone.mlp.ratio=2"]
ATTENTION = {"both": ["mixer=attention"]}
LSTM = {"both": ["mixer=recurrent", "mixer.both_ways=true"]}


SEEN = """
from lightning import Callback


class Seen(Callback):
    def __init__(self, path):
        self.path = path

    def on_train_batch_start(self, trainer, task, batch, index):
        with open(self.path, "a") as file:
            file.write(" ".join(batch["names"]) + "\\n")
"""
"""A callback that notes which samples a training is shown."""


ENDS = """
import os, signal, time
from pathlib import Path
from lightning import Callback


class Ends(Callback):
    def on_train_start(self, trainer, task):
        os.kill(os.getpid(), signal.SIGKILL)


class Waits(Callback):
    def __init__(self, path, stops, by):
        self.path, self.stops, self.by = path, stops, by

    def on_train_start(self, trainer, task):
        Path(self.path, "training").write_text(str(os.getpid()))
        os.kill(self.stops or os.getppid(), self.by)
        time.sleep(60)
"""
"""Callbacks: one ends its process as a system without memory does, one ends another while it waits."""


def waiting(folder, stops, by):
    """The words of a training in `folder` that sends a process a signal, or the one that it was copied from."""
    given = {"_target_": "ends.Waits", "path": folder, "stops": stops, "by": by.value}
    (folder / "ends.py").write_text(ENDS)
    return [*small(folder), *(f"+callbacks.waits.{key}={value}" for key, value in given.items())]


def small(folder):
    """The words of a training in `folder`/run, which may have a callback of `folder`."""
    return [*DIGITS["words"], f"run.dir={folder / 'run'}", "--config-dir", str(folder)]


def matched(**changed):
    given = {"experiments": {"digits": DIGITS}, "variants": {"attention": ATTENTION, "lstm": LSTM}, "rates": [1e-3]}
    return Matched(**(given | changed))


def pretended(words, folder):
    """What a training would leave: the higher rate and attention are the better."""
    chosen = dict(word.split("=") for word in words if "=" in word)
    value = float(chosen["optimizer.learning_rate"]) * 100 + (chosen["mixer"] == "attention") * 0.5
    steps, seed = int(chosen["trainer.max_steps"]), int(chosen["seed"])
    figures = {"accuracy": value + seed / 1000}
    curve = [(step, 1 / (step + seed)) for step in range(1, steps + 1)]
    counts = {"train_seconds": 2.0, "steps": steps, "tokens": 64 * steps, "parameters": 14330}
    return {
        "test": figures,
        "validation": figures,
        "seed": seed,
        "curve": curve,
        "names": "same",
        "split": "same",
        **counts,
    }


@pytest.fixture
def told(monkeypatch):
    """The words of each training, none of which takes place."""
    words_of = []
    monkeypatch.setattr(
        "mmattn.compare.matched.train", lambda words, folder: words_of.append(words) or pretended(words, folder)
    )
    return words_of


def test_the_best_rate_is_kept_and_the_best_variants_have_more_seeds(tmp_path, monkeypatch):
    monkeypatch.setattr("mmattn.compare.matched.train", pretended)
    said = []
    kept = Kept(tmp_path, said.append)
    found = matched(rates=[1e-3, 3e-3], search=0.5, finalists=1, seeds=2).measure(kept)
    assert [claim.holds for claim in found.claims] == [True, True]
    attention, lstm = found.tables["digits"].rows
    assert (attention[-1], lstm[-1]) == ("2", "1") and attention[3] == lstm[3] == "0.003"
    assert [cell.startswith("*") for _, cell in found.tables["All"].rows] == [True, False]
    assert set(found.pictures) == {"digits_tokens", "digits_seconds", "digits_flops"}
    count = len(said)
    assert matched(rates=[1e-3, 3e-3], search=0.5, finalists=1, seeds=2).measure(kept) == found
    assert len(said) == count  # nothing was measured again


def diverging(*words):
    """Trainings of which those that are told one of the words diverge, of data without a test."""

    def training(told, folder):
        if any(word in told for word in words):
            return {"diverged": True}
        return {key: value for key, value in pretended(told, folder).items() if key != "test"}

    return training


def test_a_rate_that_diverges_is_not_taken_and_data_without_a_test_are_shown_on_their_validation(tmp_path, monkeypatch):
    monkeypatch.setattr("mmattn.compare.matched.train", diverging("optimizer.learning_rate=0.003"))
    for search in (0.5, 1.0):
        found = matched(rates=[1e-3, 3e-3], search=search).measure(Kept(tmp_path / str(search), lambda line: None))
        assert [row[2] for row in found.tables["digits"].rows] == ["0.001", "0.001"]
        assert found.tables["All"].columns[1] == "digits, validation accuracy"


def test_what_diverges_is_said_and_mended_in_the_same_folder(tmp_path, monkeypatch):
    kept = Kept(tmp_path, lambda line: None)
    monkeypatch.setattr("mmattn.compare.matched.train", diverging("trainer.max_steps=4"))
    with pytest.raises(Diverged, match="attention of digits diverged with .*=0.003 and seed=1: leave that out"):
        matched(rates=[1e-3, 3e-3], search=0.5).measure(kept)
    monkeypatch.setattr("mmattn.compare.matched.train", diverging("optimizer.learning_rate=0.003"))
    with pytest.raises(Diverged, match="attention of digits diverged with optimizer.learning_rate=0.003"):
        matched(rates=[3e-3]).measure(kept)
    monkeypatch.setattr("mmattn.compare.matched.train", diverging("trainer.max_steps=2"))
    with pytest.raises(Diverged, match="diverged at all of comparison.rates within 2 steps"):
        matched(rates=[1e-4, 2e-4], search=0.5).measure(Kept(tmp_path / "other", lambda line: None))
    monkeypatch.setattr("mmattn.compare.matched.train", pretended)
    assert matched(rates=[1e-3]).measure(kept).claims


def test_a_comparison_goes_on_with_another_variant_and_not_with_one_that_was_changed(tmp_path, told):
    kept = Kept(tmp_path, lambda line: None)
    matched(rates=[1e-3, 3e-3], search=0.5).measure(kept)
    count = len(told)
    mine = {"both": ["mixer=recurrent", "mixer.kind=gru", "mixer.both_ways=true"]}
    found = matched(variants={"attention": ATTENTION, "lstm": LSTM, "gru": mine}, rates=[1e-3, 3e-3], search=0.5)
    assert len(found.measure(kept).tables["digits"].rows) == 3 and len(told) == count + 3
    with pytest.raises(RunError, match=r"lstm.size.json was measured with .*both_ways.*, and is asked with .*gru"):
        matched(variants={"attention": ATTENTION, "lstm": mine}, rates=[1e-3, 3e-3], search=0.5).measure(kept)
    with pytest.raises(RunError, match=r"lstm.size.json has the size of another first variant, 14,\d+ parameters"):
        matched(variants={"lstm": LSTM, "attention": ATTENTION}, rates=[1e-3, 3e-3], search=0.5).measure(kept)
    with pytest.raises(ConfigError, match="digits.metric=acuracy is not measured; .*mean 'accuracy'"):
        matched(experiments={"digits": {**DIGITS, "metric": "acuracy"}}, rates=[9e-3]).measure(kept)
    assert len(told) == count + 3
    shorter = {"digits": {**DIGITS, "steps": 2}}  # what a search has trained so far has no test
    with pytest.raises(RunError, match=r"steps_2.figures.json was measured with .*limit_test_batches=0"):
        matched(experiments=shorter, rates=[3e-3]).measure(kept)


@pytest.mark.parametrize("changed", ["names", "split"])
def test_data_that_change_meanwhile_are_noticed(changed, tmp_path, monkeypatch):
    kept, changes = Kept(tmp_path, lambda line: None), {}
    monkeypatch.setattr("mmattn.compare.matched.train", lambda words, folder: {**pretended(words, folder), **changes})
    matched().measure(kept)
    changes[changed] = "other"
    if changed == "names":
        with pytest.raises(RunError, match="seed_2.* was trained on other samples than .*seed_1"):
            matched(seeds=2).measure(kept)
    else:
        matched(seeds=2).measure(kept)  # what is the validation's may follow the seed
    more = {"attention": ATTENTION, "lstm": LSTM, "gru": {"both": [*LSTM["both"], "mixer.kind=gru"]}}
    with pytest.raises(RunError, match="gru.* was trained on other samples than .*the newer of both folders"):
        matched(variants=more).measure(kept)


COMPARISON = """# @package _global_
name: mine
comparison:
  _target_: mmattn.compare.matched.Matched
  experiments: {digits: {words: [image, backbone.dim=32, backbone.depth=1], steps: 4, metric: accuracy}}
  variants: {attention: [mixer=attention]}
  rates: [1.0e-3]
"""


def test_a_users_own_comparison_takes_another_variant_and_refuses_other_code(tmp_path, told, monkeypatch, capsys):
    (tmp_path / "own/compare").mkdir(parents=True)
    (tmp_path / "own/mine.py").write_text("")
    yaml = tmp_path / "own/compare/mine.yaml"
    yaml.write_text(COMPARISON)
    monkeypatch.setattr(sys, "path", sys.path[:])
    command = ["compare", "mine", "--config-dir", str(tmp_path / "own"), f"run.dir={tmp_path / 'run'}"]
    assert main(command) == 0 and len(told) == 1
    more = "attention], lstm: [mixer=recurrent, mixer.both_ways=true]}"
    yaml.write_text(COMPARISON.replace("mixer=attention]}", f"mixer={more}"))
    assert main(command) == 0 and len(told) == 2
    monkeypatch.setattr("mmattn.benchmarks.record.commit", lambda: "another")  # of the docs, say
    assert main(command) == 0
    assert (
        main([*command, "comparison.tolerance=0.01"]) == 1 and "key 'comparison.tolerance'" in capsys.readouterr().err
    )
    assert main([*command, "+comparison.tolerance=0.01"]) == 1 and "other settings" in capsys.readouterr().err
    (tmp_path / "own/mine.py").write_text("CHANGED = True")
    assert main(command) == 1 and "other files of --config-dir" in capsys.readouterr().err
    (tmp_path / "own/mine.py").write_text("")
    measured_by = json.loads((tmp_path / "run/measured_by.json").read_text())
    (tmp_path / "run/measured_by.json").write_text(json.dumps({**measured_by, "code": "another"}))
    assert main(command) == 1 and "other code of mmattn" in capsys.readouterr().err
    assert len(told) == 2


@pytest.mark.parametrize(
    ("status", "message"), [(1, r"train image: lower it\.$"), (-9, "It was killed, .* lower loader"), (7, "status 7")]
)
def test_a_training_that_fails_says_why(status, message, tmp_path, monkeypatch):
    said = "mmattn: lower it." if status == 1 else ""
    monkeypatch.setattr("mmattn.compare.training._alone", lambda words: (status, said))
    (tmp_path / "run").mkdir()
    (tmp_path / "run/results.json").write_text("{}")  # of one that was stopped
    with pytest.raises(TrainingError, match=message):
        train(["image"], tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_training_in_a_process_of_its_own_says_what_is_wrong_here(tmp_path, monkeypatch):
    monkeypatch.setenv("MMATTN_TRACEBACK", "1")
    with pytest.raises(TrainingError, match=r"^mmattn train image colour=red: The config has no key 'colour'"):
        train(["image", "colour=red"], tmp_path / "run")
    (tmp_path / "ends.py").write_text(ENDS)
    with pytest.raises(TrainingError, match=r"\+callbacks\S+: It was killed, .* lower loader"):
        train([*small(tmp_path), "+callbacks.ends._target_=ends.Ends"], tmp_path / "run")


@pytest.fixture
def interruptible():
    """Ctrl-C raises here, as it does not in what a shell began in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_a_training_ends_where_it_is_stopped_and_another_goes_on(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(waiting(tmp_path, os.getpid(), signal.SIGINT), tmp_path / "run")
    assert ended(tmp_path)
    with pytest.raises(TrainingError, match="It was killed"):
        train(waiting(tmp_path, 0, signal.SIGKILL), tmp_path / "run")
    assert ended(tmp_path)
    assert train([*small(tmp_path), "trainer.max_steps=1"], tmp_path / "run")["steps"] == 1


@pytest.mark.slow
def test_a_training_ends_with_what_began_it(tmp_path):
    words = waiting(tmp_path, "STOPS", signal.SIGKILL)
    code = "import os, sys; from pathlib import Path; from mmattn.compare.training import train; " \
           "train([word.replace('STOPS', str(os.getpid())) for word in sys.argv[2:]], Path(sys.argv[1]))"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "run"), *words])
    assert done.returncode == -signal.SIGKILL and ended(tmp_path)


def ended(folder):
    """Whether a training that waits has ended within seconds; what no process waits for may stay as a zombie."""
    stat = Path("/proc", (folder / "training").read_text(), "stat")
    for _ in range(50):
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_a_training_whose_loss_is_no_number_has_diverged(tmp_path):
    words = [*small(tmp_path), "optimizer.learning_rate=1e30", "trainer.max_steps=9"]
    assert train(words, tmp_path / "run") == {"diverged": True}


def trained(name, runs):
    """Of each variant the losses of its seeds."""
    counts = {
        "train_seconds": 2.0,
        "steps": 2,
        "tokens": 2,
        "parameters": 5,
        "rate": 0.1,
        "flops": 1,
        "curve": [(1, 1.0)],
    }
    return Trained(
        name,
        Task((), 2, "loss", True),
        {
            each: [{"test": {"loss": x}, "validation": {"loss": x}, **counts} for x in losses]
            for each, losses in runs.items()
        },
    )


@pytest.mark.parametrize(
    ("there", "holds"),
    [
        ({"a": [2.0, 2.2], "b": [1.0, 1.2]}, [True]),
        ({"a": [2.0], "b": [1.0, 1.2]}, [True]),  # no finalist there
        ({"a": [1.1, 1.3], "b": [1.0, 1.2]}, [False]),  # ahead by less than seeds differ
        ({"a": [1.0, 1.2], "b": [2.0, 2.2]}, [False]),  # the same one
        ({"a": [2.0], "b": [1.0]}, []),  # one seed tells nothing
    ],
)
def test_other_variants_are_the_best_elsewhere_only_by_more_than_seeds_differ(there, holds):
    here = trained("here", {"a": [1.0, 1.2], "b": [2.0, 2.1]})
    claims = findings([here, trained("there", there)], 0.02).claims
    assert [claim.holds for claim in claims if claim.claim.startswith("Different variants")] == holds


def test_trainings_find_what_a_users_folder_has(tmp_path, monkeypatch, told):
    (tmp_path / "own/mixer").mkdir(parents=True)
    (tmp_path / "own/mixer/mine.yaml").write_text("_target_: mmattn.mixers.Attention\n_partial_: true\nheads: 2\n")
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.chdir(tmp_path)
    config = composed_comparison("mixers", [f"root={tmp_path}"], "own")
    variants = {"attention": ATTENTION, "mine": {"both": ["mixer=mine"]}}
    matched(variants=variants, config_dir=config.comparison.config_dir).measure(Kept(tmp_path / "kept"))
    assert [words[-2:] for words in told] == [["--config-dir", str(tmp_path / "own")]] * 2


def test_a_search_looks_at_the_validation_alone(tmp_path, told):
    matched(rates=[1e-3, 3e-3], search=0.5).measure(Kept(tmp_path))
    assert len(told) == 6
    searched = {word for words in told for word in words if "trainer.max_steps=2" in words and word.startswith("++")}
    whole = {word for words in told for word in words if "trainer.max_steps=4" in words and word.startswith("++")}
    assert searched == {"++trainer.limit_test_batches=0"} and not whole


def test_a_search_of_all_steps_is_a_whole_training(tmp_path, told):
    matched(rates=[1e-3, 3e-3], search=0.9).measure(Kept(tmp_path))  # of 4 steps
    assert len(told) == 4 and not any(word.startswith("++") for words in told for word in words)


def test_the_data_of_an_experiment_are_prepared_once(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("mmattn.compare.planned.build_data", lambda config: asked.append(1) or build_data(config))
    monkeypatch.setattr("mmattn.compare.matched.train", pretended)
    wide = {"both": ["mixer=attention", "backbone.dim=48", "backbone.mlp.ratio=1"]}
    matched(variants={"a": wide, "b": LSTM, "c": ATTENTION}, tolerance=0.9).measure(Kept(tmp_path, lambda line: None))
    size = [json.loads((tmp_path / f"digits/{name}/size.json").read_text()) for name in "abc"]
    assert len(asked) == 1 and all(each["flops"] > 0 for each in size)
    for name, words in zip("ac", (wide, ATTENTION), strict=True):
        task = build(composed(experiment([*DIGITS["words"], *words["both"]]))).task
        assert json.loads((tmp_path / f"digits/{name}/size.json").read_text())["parameters"] == sum(
            each.numel() for each in task.parameters()
        )


@pytest.mark.parametrize(
    ("metric", "said", "less"),
    [("loss", {}, True), ("word_error_rate", {}, True), ("accuracy", {}, False), ("cost", {"less": True}, True)],
)
def test_less_of_some_metrics_is_better(metric, said, less):
    assert asked_task("x", {"words": [], "steps": 1, "metric": metric, **said}).less is less


def test_variants_that_would_share_a_folder_are_refused():
    with pytest.raises(ConfigError, match="would share folders"):
        matched(variants={"two heads": ATTENTION, "two-heads": LSTM})


@pytest.mark.slow
def test_variants_train_with_as_many_parameters_on_the_same_samples(tmp_path):
    (tmp_path / "seen.py").write_text(SEEN)
    words = ["+callbacks.seen._target_=seen.Seen", f"+callbacks.seen.path={tmp_path / 'seen.txt'}"]
    seeing = {**DIGITS, "words": [*DIGITS["words"], *words]}
    found = matched(experiments={"digits": seeing}, config_dir=str(tmp_path)).measure(Kept(tmp_path / "kept"))
    assert [claim.holds for claim in found.claims] == [True, True]
    assert all(float(row[1]) > 0 for row in found.tables["digits"].rows)
    seen = (tmp_path / "seen.txt").read_text().splitlines()
    assert len(seen) == 8 and seen[:4] == seen[4:] and len(set(seen)) == 4  # the batches of two trainings


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"variants": {"attention": ATTENTION, "lstm": {"causal": []}}}, "lstm has no words for digits"),
        (
            {"variants": {"a": ATTENTION, "b": {"both": ["mixer=attention", "backbone.dim=64"]}}},
            "variants.b of digits: it has .* no backbone.mlp.ratio of 0.1 or more",
        ),
        (
            {"variants": {"a": ATTENTION, "b": {"both": ["mixer=attention", "backbone.mlp=null"]}}},
            "b of digits: it has .* no backbone.mlp.ratio to make up for it: .* leave it its MLPs",
        ),
        (
            {"variants": {"a": ATTENTION, "b": {"both": ["mixer=attention", "mixer.heads=5"]}}},
            "variants.b of digits: .*heads",
        ),
        (
            {"experiments": {"digits": {**DIGITS, "words": [*DIGITS["words"], "loader.batch_size=0"]}}},
            "experiments.digits: loader.batch_size=0",
        ),
        (
            {"variants": {"a": ATTENTION, "b": {"both": ["mixer=atention"]}}},
            "variants.b of digits: There is no mixer 'atention'",
        ),
        (
            {"variants": {"a": ATTENTION, "b": {"both": ["data.seed=1"]}}},
            "b of digits: it has data.seed=1 and the first variant 0: .* in comparison.experiments.digits.words",
        ),
        ({"variants": {"a": ATTENTION, "b": {"both": ["optimizer=muon"]}}}, "b of digits: it has optimizer._target_="),
        ({"variants": {"a": ATTENTION, "b": {"both": ["init_from=runs/x"]}}}, "it has init_from=runs/x"),
        (
            {"variants": {"a": ATTENTION, "b": {"both": ["schedule=stable"]}}},
            "b of digits: it has schedule._target_=",
        ),
        (
            {
                "experiments": {"text": {"words": SMALL_TEXT, "steps": 2, "metric": "loss"}},
                "variants": {"a": ["mixer=attention"], "b": ["mixer=recurrent", "mixer.both_ways=true"]},
            },
            "variants.b of text: .* shows tokens before they are guessed",
        ),
        ({"experiments": {"a/b": DIGITS}}, "experiments.a/b: its name is a folder's"),
        ({"experiments": {5: DIGITS}}, "experiments.5: its name is a folder's"),
        ({"experiments": {"All": DIGITS}}, "and not All"),
        ({"variants": {5: ATTENTION}}, "comparison.variants has the name 5: it must be a text"),
        ({"experiments": {"digits": {**DIGITS, "less": "yes"}}}, "digits.less=yes must be true where less of accuracy"),
        ({"variants": {"a": ATTENTION, "b": {"both": ["loader.seed=0"]}}}, r"loader.seed=0 and the first variant \$"),
        ({"variants": {"a": ATTENTION, "b": {"both": ["loader.batch_size=8"]}}}, "loader.batch_size=8"),
        (
            {"variants": {"a": ATTENTION, "b": {"both": ["+trainer.accumulate_grad_batches=2"]}}},
            "first variant nothing",
        ),
        (
            {"variants": {"a": ATTENTION, "b": {"both": ["seed=9"]}}},
            "variants.b.both has seed=9, which the comparison sets",
        ),
        (
            {"variants": {"a": ATTENTION, "b": {"both": ["optimizer.learning_rate=0.5"]}}},
            "b.both has optimizer.learning_r",
        ),
        ({"experiments": {"digits": {**DIGITS, "words": ["image", "+trainer.max_steps=5"]}}}, "digits.words has +trai"),
        ({"experiments": {"digits": {**DIGITS, "steps": 0}}}, "digits.steps=0"),
        ({"search": 0}, "comparison.search=0"),
        ({"rates": []}, "comparison.rates=.* must be a list of learning rates"),
        ({"rates": 1}, "comparison.rates=1 must be a list"),
        ({"rates": [1e-3, -1]}, "comparison.rates=-1 must be a number above 0"),
        ({"rates": ["abc"]}, "comparison.rates=abc must be a number"),
        ({"seeds": 0}, "comparison.seeds=0 must be a whole number"),
        ({"seeds": "abc"}, "comparison.seeds=abc must be a whole number"),
        ({"variants": {}}, "comparison.variants={} must hold at least one, by its name"),
        ({"experiments": 5}, "comparison.experiments=5 must hold at least one"),
        ({"variants": {"a": ATTENTION, "b": None}}, "variants.b=null must be a list of words"),
        ({"variants": {"a": ATTENTION, "b": {"both": 5}}}, "variants.b.both=5 must be a list of words"),
        ({"experiments": {"digits": None}}, "digits=null must hold words, steps and metric"),
        ({"experiments": {"digits": {**DIGITS, "words": "image"}}}, "digits.words=image must be a list of words"),
        ({"experiments": {"digits": {**DIGITS, "metric": None}}}, "digits.metric=null must name"),
        ({"experiments": {"digits": {**DIGITS, "metrik": "loss"}}}, "metrik: an experiment takes no .* mean 'metric'"),
        ({"experiments": {"digits": {**DIGITS, "metric": "acuracy"}}}, "known: accuracy, .*mean 'accuracy'"),
    ],
)
def test_what_cannot_be_matched_is_said_before_anything_trains(changed, message, tmp_path):
    with pytest.raises(ConfigError, match=message.replace("+", r"\+")):
        matched(**changed).measure(Kept(tmp_path))
    assert not list(tmp_path.rglob("metrics.csv"))


def test_the_ratio_is_found_on_the_line():
    def count(words):
        ratio = float(words[0].partition("=")[2]) if words else 4.0
        return 1000 + round(500 * ratio)

    assert sized(count, 3000, 0.02) == ((), 3000)
    found = sized(count, 2000, 0.001)
    assert found.words == ("backbone.mlp.ratio=2.0000",) and found.parameters == 2000
    with pytest.raises(ConfigError, match="3,000 parameters and the first variant 900"):
        sized(count, 900, 0.02)


@pytest.mark.parametrize("backward", [False, True])
def test_operations_that_torch_does_not_count_are_counted(backward):
    tokens, width, hidden = 2 * 5, 16, 24
    network, x = nn.LSTM(width, hidden, batch_first=True), torch.randn(2, 5, width, requires_grad=True)
    one = 2 * tokens * 4 * hidden * (width + hidden)
    assert flops(lambda: network(x)[0].sum().backward() if backward else network(x)) == one * (3 if backward else 1)
    query = torch.randn(2, 4, 64, 32, requires_grad=True)
    product = 2 * 2 * 4 * 64 * 64 * 32
    attend = nn.functional.scaled_dot_product_attention
    found = flops(lambda: attend(query, query, query).sum().backward() if backward else attend(query, query, query))
    assert found == product * (7 if backward else 2)  # the backward pass makes the scores again


@pytest.mark.parametrize(("groups", "transposed"), [(1, False), (32, False), (4, False), (4, True)])
def test_a_backward_convolution_costs_two_forward_whatever_its_groups(groups, transposed):
    kind = nn.ConvTranspose1d if transposed else nn.Conv1d
    network, x = kind(32, 32, 4, groups=groups), torch.randn(2, 32, 19, requires_grad=True)
    places = 19 if transposed else 16
    one = 2 * 2 * places * 32 * 4 * 32 // groups
    assert flops(lambda: network(x)) == one
    assert flops(lambda: network(x).sum().backward()) == 3 * one
    assert flops(lambda: network(x.detach()).sum().backward()) == 2 * one  # nobody asks for that of x


def test_a_triangular_system_costs_half_a_product():
    system, right = torch.eye(8).expand(3, 8, 8).clone().requires_grad_(), torch.randn(3, 8, 5, requires_grad=True)
    one = 3 * 8 * 8 * 5

    def solved():
        return torch.linalg.solve_triangular(system, right, upper=False, unitriangular=True)

    assert flops(solved) == one
    assert flops(lambda: solved().sum().backward()) == 4 * one  # a system for the right sides, a product for its own


@pytest.mark.slow
def test_the_shipped_comparison_composes_for_each_variant(tmp_path):
    config = composed_comparison("mixers", [f"root={tmp_path}"])
    for task in config.comparison.experiments.values():
        for variant in config.comparison.variants.values():
            assert composed(experiment([*task.words, *variant[task.form]])).backbone.dim > 0


def test_a_comparison_that_reads_data_says_so(capsys):
    assert main(["compare", "mixers"]) == 1
    assert "root=DIR" in capsys.readouterr().err


def test_a_part_that_cannot_be_read_is_named(tmp_path):
    kept = Kept(tmp_path, lambda line: None)
    assert kept("a/b", lambda: {"x": 1.5}) == {"x": 1.5} and json.loads((tmp_path / "a/b.json").read_text())["x"] == 1.5
    (tmp_path / "a/b.json").write_text("{")
    with pytest.raises(Exception, match=r"b\.json cannot be read .* remove it"):
        kept("a/b", dict)
