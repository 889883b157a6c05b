"""`mmattn kernels`: what it says of a machine and of an experiment, and that measuring is kept."""

from __future__ import annotations

import json

import pytest

from mmattn.cli.main import main
from mmattn.kernels import KERNELS, measure
from mmattn.kernels.crossover import SHIPPED, crossover


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMATTN_CACHE", str(tmp_path / "cache"))
    crossover.cache_clear()
    yield tmp_path / "cache"
    crossover.cache_clear()


def said(capsys, *words: str) -> str:
    assert main(["kernels", *words]) == 0
    return capsys.readouterr().out


def test_without_an_experiment_it_lists_kernels_and_the_crossover(capsys):
    out = said(capsys)
    assert all(each.about in out for each in KERNELS.values())
    assert SHIPPED.measured in out and "4096 tokens" in out


def rows(out: str) -> dict[str, str]:
    return {line.split()[0]: line for line in out.splitlines() if line.split() and line.split()[0] in KERNELS}


def test_an_experiment_is_told_what_its_layers_take_and_why(capsys):
    out = said(capsys, "image", "backbone.depth=2", "loader.batch_size=4")
    assert "Full()" in out and "2 layers: backbone.blocks.0.mixer" in out
    assert "taken" in rows(out)["sdpa"] and "needs no mask" in rows(out)["sdpa"]
    assert "× the one taken" in rows(out)["blockwise"]


def test_what_a_kernel_cannot_do_is_said(capsys):
    out = said(capsys, "image", "+bias@mixer.score_bias=soft_cap", "mixer.kernel=blockwise", "loader.batch_size=4")
    assert "named by the config" in rows(out)["blockwise"]
    assert "cannot" in rows(out)["sdpa"] and "SoftCap does something else" in rows(out)["sdpa"]


def test_a_model_without_attention_has_none(capsys):
    out = said(capsys, "image", "mixer=convolution", "loader.batch_size=4")
    assert "no attention layer" in out


def test_measuring_is_kept_and_read(capsys, cache, monkeypatch):
    monkeypatch.setattr(measure, "LENGTHS", (64,))
    monkeypatch.setattr(measure, "TURNS", 1)
    monkeypatch.setattr(measure, "seconds", lambda compute, request: 1.0 if compute is measure.sdpa.sdpa else 0.5)
    out = said(capsys, "--measure")
    assert "0.50 of the time" in out and str(cache / "crossover.json") in out
    assert list(json.loads((cache / "crossover.json").read_text())["shares"]) == ["64"]
    assert "64 tokens" in said(capsys)


def test_nothing_is_kept_where_skipping_never_pays(capsys, cache, monkeypatch):
    monkeypatch.setattr(measure, "LENGTHS", (64,))
    monkeypatch.setattr(measure, "seconds", lambda compute, request: 1.0)
    assert main(["kernels", "--measure"]) == 1
    assert "Nothing is kept" in capsys.readouterr().err and not cache.exists()
