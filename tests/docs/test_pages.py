"""What the README and the guides say is true: their Python runs, their commands compose, their links lead to files."""

from __future__ import annotations

import re
import shlex

import pytest
from hydra.utils import get_object
from omegaconf import DictConfig, ListConfig, OmegaConf

from mmattn.build import parameters
from mmattn.cli import bench, check, compare, kernels, launch, look, predict, train, use
from mmattn.cli.main import main
from mmattn.composition.compose import checked_sweep, choices, composed, composed_comparison
from tests.docs.pages import PAGES, ROOT, blocks, commands, write_files

COMMANDS = sorted({line for page in PAGES for line in commands(page)})


def test_commands_are_found_on_every_page_that_tells_how_to_use_it():
    assert {"README.md", "quick-start.md", "data.md", "add-a-modality.md"} <= {p.name for p in PAGES if commands(p)}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    for code in blocks(page, "python"):
        exec(compile(code, page.name, "exec", dont_inherit=True), names)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_parsed_and_its_config_composed(line, tmp_path, monkeypatch, capsys):
    for page in PAGES:
        write_files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    called = []
    for module, verb in [(launch, "launch"), (train, "resume"), (check, "check"), (use, "evaluate"),
                         (predict, "predict"), (use, "generate"), (predict, "show_predictions"),
                         (kernels, "kernels_of"), (kernels, "all_kernels"), (kernels, "measure"),
                         (bench, "bench"), (look, "look"), (compare, "compare")]:  # fmt: skip
        monkeypatch.setattr(module, verb, lambda *given, verb=verb, **_: called.append((verb, *given)) or {})
    words = shlex.split(line)[1:]
    if "--help" in words:
        with pytest.raises(SystemExit, match="0"):
            main(words)
        return
    assert main(words) == 0, capsys.readouterr().err
    verb, *given = called[0]
    if verb == "compare":
        name, *others = given[0].words
        assert name in compare.names()
        assert_constructors_take_their_keys(composed_comparison(name, others).comparison)
    if verb in ("launch", "check", "kernels_of"):
        overrides, config_dir = launch.experiment(given[0]), given[-1]
        if verb == "launch" and "--multirun" in given[1]:
            checked_sweep(overrides, config_dir)
        else:
            assert_constructors_take_their_keys(composed(overrides, config_dir))


def assert_constructors_take_their_keys(node, path=""):
    if isinstance(node, ListConfig):
        for each in node:
            assert_constructors_take_their_keys(each, path)
    if not isinstance(node, DictConfig):
        return
    if "_target_" in node:
        taken = parameters(get_object(node["_target_"]))
        assert taken is None or {key for key in node if not key.startswith("_")} <= set(taken), path
    for key in node:
        if not OmegaConf.is_missing(node, key):
            assert_constructors_take_their_keys(node[key], f"{path}.{key}")


def test_the_data_page_tells_of_every_source():
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    for name in choices("data"):
        assert f"`{name}`" in text or f"mmattn train {name} " in text, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target
