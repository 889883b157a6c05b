"""`mmattn check tokenizer=x`: the adapter contract on ours or a user's tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

from mmattn.build import make
from mmattn.cli.compose import composed
from mmattn.cli.launch import experiment
from mmattn.contracts.tokenizer import check_tokenizer, pick_samples

DATA = {
    "text": "python_docs", "bpe": "python_docs", "characters": "python_docs", "words": "python_docs",
    "audio": "synthetic_audio", "protein": "peptides",
}  # fmt: skip


def check(words: Sequence[str], config_dir: str | None = None) -> list[str]:
    """Names of the rules that the tokenizer of this config fulfils. Raises `ContractError` naming a broken one."""
    overrides = experiment(words)
    chosen = dict(word.split("=", 1) for word in overrides if "=" in word)
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
