"""Every tokenizer config, found by itself, builds a tokenizer that keeps the contract."""

from __future__ import annotations

from importlib import resources

import pytest
import torch
from hydra.utils import get_class
from omegaconf import OmegaConf

from mmattn.build import parameters
from mmattn.contracts.tokenizer import RULES, check_tokenizer
from mmattn.contracts.tokenizer_case import name_of
from tests.tokenizers.examples import KINDS, build, samples_for

FOLDER = resources.files("mmattn.conf") / "tokenizer"
CONFIGS = sorted(file.name.removesuffix(".yaml") for file in FOLDER.iterdir() if file.name.endswith(".yaml"))
OF_TEXTS = {"cutting keeps tokens", "units lie in the sample"}
DISCRETE = {"discrete tokens have ids", "restore inverts ids", *OF_TEXTS}


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("prefix", [0, 2])
def test_keeps_the_contract(config: str, prefix: int) -> None:
    torch.manual_seed(0)
    samples = samples_for(config)
    tokenizer = build(config, prefix=prefix)
    tokenizer.fit(samples)
    passed = set(check_tokenizer(tokenizer, samples))
    missing = {name_of(rule) for rule in RULES} - passed
    needless = DISCRETE if tokenizer.vocabulary is None else OF_TEXTS if KINDS.get(config) == "image" else set()
    assert missing <= needless | {"content lines up"}


@pytest.mark.parametrize("config", CONFIGS)
def test_a_config_shows_every_argument(config: str) -> None:
    text = (FOLDER / f"{config}.yaml").read_text()
    assert text.startswith("# ")
    assert "mmattn train" in text
    raw = OmegaConf.create(text)
    if "_target_" in raw:
        defaults = [
            each for each in raw.get("defaults", []) if each != "_self_"
        ]  # such as {/tokenizer@parts.image: image}
        parts = {next(iter(each)).partition("@")[2].partition(".")[0] for each in defaults}
        assert set(raw) - {"_target_", "defaults"} | parts == (parameters(get_class(raw._target_)) or set()) - {"self"}


@pytest.mark.parametrize("config", CONFIGS)
def test_is_learned(config: str) -> None:
    samples = samples_for(config)
    tokenizer = build(config)
    tokenizer.fit(samples)
    batch = tokenizer.collate([tokenizer.prepare(sample) for sample in samples])
    tokenizer(batch).embeddings.square().sum().backward()
    learned = [each for each in tokenizer.parameters() if each.requires_grad and each.numel()]
    assert learned
    assert all(each.grad is not None and each.grad.isfinite().all() for each in learned)
