"""A run folder from anyone is opened without running what its config plants."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from mmattn.cli.main import main
from mmattn.errors import ConfigError
from mmattn.trust import check_targets

PLANTED = {
    "os.system": "in no package",
    "torch.load": "in no package",
    "torch.hub.load": "in no package",
    "torch.package.PackageImporter": "in no package",
    "torch.utils.cpp_extension.load": "in no package",
    "mmattnx.Evil": "in no package",
    "lightning.pytorch.cli.LightningCLI": "in no package",
    "lightning.LightningModule.load_from_checkpoint": "in no package",
    "mmattn.run.torch.hub.load": "made elsewhere",
    "mmattn.run.pickle.loads": "made elsewhere",
    "mmattn.run.subprocess.run": "made elsewhere",
    "mmattn.run.Path.write_text": "made elsewhere",
    "mmattn.cli.main.main": "runs whole commands",
    "mmattn.composition.user_folder.bring": "may import other folders",
    "mmattn.compare.training.train": "removes folders",
    "mmattn.compare.matched.Matched": "removes folders",
    "mmattn.benchmarks.record.save": "writes files",
    "mmattn.why.recall.Recall": "starts processes",
    "mmattn.cli.use.build": "builds whatever a config names",
    "mmattn.build.make": "builds whatever a config names",
    "mmattn.cli.train.Run": "writes files",
    "mmattn.run.Run.put": "part of a class",
    "mmattn.report.write.write_report": "writes files",
    "lightning.Trainer.fit": "part of a class",
    "timm.create_model": "loads weights from any address",
    "timm.models.load_checkpoint": "loads weights from any address",
    "timm.data.create_dataset": "may bring code",
    "timm.utils.CheckpointSaver": "writes checkpoints",
    "mmattn.run._git": "private",
    "mmattn.__main__.main": "private",
    "torch.nn.Module.__init__.__globals__": "private",
}


@pytest.mark.parametrize("target", PLANTED)
def test_a_planted_target_is_refused(target):
    planted = OmegaConf.create({"head": {"pool": [{"_target_": target, "_partial_": True}]}})
    with pytest.raises(ConfigError, match=f"head.pool.0.*_target_={target} is not trusted .*{PLANTED[target]}"):
        check_targets(planted)


@pytest.mark.parametrize(
    "value", ["${oc.create:'{_target_: os.system}'}", "${oc.decode:'{_target_: os.system}'}", "\\${oc.env:HOME}"]
)
def test_a_value_that_is_computed_is_refused(value):
    with pytest.raises(ConfigError, match="holds values as they are"):
        check_targets(OmegaConf.create({"data": value}))


@pytest.mark.parametrize("line", ["evaluate RUN", "predict RUN a.png", "train --resume RUN"])
def test_every_verb_that_opens_a_run_refuses(line, image_run, tmp_path, capsys):
    folder, made = tmp_path / "copy", tmp_path / "made"
    shutil.copytree(image_run, folder)
    config = OmegaConf.load(folder / "config.yaml")
    config.data = {"_target_": "os.mkdir", "path": str(made)}
    OmegaConf.save(config, folder / "config.yaml")
    assert main([str(folder) if word == "RUN" else word for word in line.split()]) == 1
    assert "data._target_=os.mkdir is not trusted" in capsys.readouterr().err and not made.exists()


def test_what_our_own_configs_name_is_trusted():
    paths = [path for path in Path("conf").rglob("*.yaml") if "compare" not in path.parts]  # no part of a run
    files = [path.read_text(encoding="utf-8") for path in paths]
    named = {target for text in files for target in re.findall(r"_target_: ([\w.]+)", text)}
    assert len(named) > 60
    for target in named:
        check_targets(OmegaConf.create({"part": {"_target_": target}}))


@pytest.mark.parametrize(
    "target",
    [
        "lightning.pytorch.callbacks.EarlyStopping",
        "torch.nn.Identity",
        "torch.optim.SGD",
        "timm.layers.DropPath",
        "timm.data.random_erasing.RandomErasing",
        "torchvision.transforms.v2.RandomAffine",
        "mmattn.optimizers.adamw",
    ],
)
def test_parts_of_models_are_trusted(target):
    check_targets(OmegaConf.create({"part": {"_target_": target}}))
