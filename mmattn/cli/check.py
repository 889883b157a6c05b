"""`mmattn check tokenizer=x`, `mmattn check mixer=x`: the contracts, on ours or a user's parts."""

from __future__ import annotations

from collections.abc import Sequence

from mmattn.build import make
from mmattn.composition.compose import composed
from mmattn.composition.unread import reads_pattern
from mmattn.composition.words import experiment
from mmattn.contracts.mixer import check_mixer, randomised
from mmattn.contracts.mixer_rows import DOCUMENTS
from mmattn.contracts.mixer_steps import has_step
from mmattn.contracts.tokenizer import check_tokenizer, pick_samples
from mmattn.errors import ContractError

DATA = {
    "text": "python_docs", "bpe": "python_docs", "characters": "python_docs", "words": "python_docs",
    "audio": "synthetic_audio", "protein": "peptides",
}  # fmt: skip


def check(words: Sequence[str], config_dir: str | None = None) -> list[str]:
    """Names of the rules that the mixer of this config fulfils, where words choose one and no tokenizer, or else its
    tokenizer. Raises `ContractError` naming what is broken."""
    overrides = experiment(words)
    chosen = dict(word.split("=", 1) for word in overrides if "=" in word)
    if "mixer" in chosen and "tokenizer" not in chosen:
        return _mixer(overrides, config_dir)
    own = "data" in chosen or "experiment" in chosen
    name = chosen.get("tokenizer", "image")
    if not own and name in DATA:
        overrides.append(f"data={DATA[name]}")
    if not own and name in ("image", "image_conv", "timm"):
        overrides += ["tokenizer.channels=1"] * ("tokenizer.channels" not in chosen)
    config = composed(overrides, config_dir)
    samples = make(config, "data").samples("train")
    tokenizer = make(config, "tokenizer")
    tokenizer.fit(samples)
    return check_tokenizer(tokenizer, pick_samples(samples))


def _mixer(overrides: Sequence[str], config_dir: str | None) -> list[str]:
    config = composed(overrides, config_dir)
    if reads_pattern(config) and not any(word.startswith(("pattern", "mixer.pattern")) for word in overrides):
        config = composed([*overrides, "pattern=causal"], config_dir)  # steps see no later token
    dim = config.backbone.dim
    mixer = make(config, "mixer")(dim)
    try:
        faults = check_mixer(mixer, dim)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise ContractError(f"mixer={config.mixer._target_} fails on tokens of width {dim}: {error}") from error
    if faults:
        raise ContractError("\n  ".join([f"mixer={config.mixer._target_} breaks the contract:", *faults]))
    step = "steps equal one pass" if has_step(randomised(mixer), dim) else "no step, as it looks ahead"
    return [f"mixer, {name}" for name in (*DOCUMENTS, step)]
