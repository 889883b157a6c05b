"""Every mixer of conf/mixer fulfils the contract of mixers, and the contract finds what breaks it."""

from __future__ import annotations

from functools import partial
from importlib import import_module, resources
from inspect import isabstract, isclass
from pkgutil import iter_modules

import pytest
import torch
from hydra import compose, initialize_config_module
from hydra.utils import get_object, instantiate
from omegaconf import OmegaConf

import mmattn.mixers
from mmattn import Causal, ConfigError, Memory, Position, Rotary, TokenInfo, TokenSequence
from mmattn.context import Context
from mmattn.contracts.mixer import check_mixer
from mmattn.contracts.mixer_rows import facts
from mmattn.mixers import (
    AdditiveAttention,
    Attention,
    BothWays,
    Convolution,
    CrossAttention,
    DeltaRule,
    Gated,
    GatedLinearAttention,
    GridConvolution,
    KeyValueAttention,
    LinearAttention,
    Mamba2,
    Mixer,
    Recurrent,
    Retention,
)

DIM = 32
CONFIGS = {
    file.name.removesuffix(".yaml"): OmegaConf.create(file.read_text())
    for file in (resources.files("mmattn.conf") / "mixer").iterdir()
    if file.name.endswith(".yaml")
}
NAMES = sorted(CONFIGS)


def configured(name, **changes):
    with initialize_config_module("mmattn.conf", version_base=None):
        config = compose("config", [f"+mixer@own={name}", "pattern=causal", f"backbone.dim={DIM}"]).own
    torch.manual_seed(0)
    return instantiate(config, _convert_="all", **changes)(DIM)


@pytest.mark.parametrize("name", NAMES)
def test_each_mixer_keeps_the_contract(name):
    assert check_mixer(configured(name), DIM) == []


def test_every_mixer_has_a_config():
    """Of all files of the folder, so that a new one is tried whether or not somebody exports it."""
    files = [import_module(f"mmattn.mixers.{each.name}") for each in iter_modules(mmattn.mixers.__path__)]
    found = {each for file in files for each in vars(file).values() if isclass(each) and issubclass(each, Mixer)}
    concrete = {each for each in found if not isabstract(each) and each.__module__.startswith("mmattn.mixers.")}
    assert {get_object(config._target_) for config in CONFIGS.values()} == concrete
    assert concrete <= {getattr(mmattn.mixers, name) for name in mmattn.mixers.__all__}


VARIANTS = {
    "small chunks": partial(LinearAttention, heads=2, chunk=3),
    "linear, both ways": partial(LinearAttention, heads=2, both_ways=True, chunk=4),
    "retention, small chunks": partial(Retention, heads=2, chunk=2),
    "gated linear, small chunks": partial(GatedLinearAttention, heads=2, chunk=2),
    "delta rule, small chunks": partial(DeltaRule, heads=2, chunk=2),
    "delta rule, no convolution": partial(DeltaRule, heads=2, convolution=1, chunk=4),
    "rnn": partial(Recurrent, kind="rnn"),
    "gru": partial(Recurrent, kind="gru"),
    "lstm, both ways": partial(Recurrent, both_ways=True),
    "convolution that looks back": partial(Convolution, windows=[(3, 0), (1, 0)]),
    "groups": partial(Mamba2, head_dim=8, state=5, groups=2, chunk=4),
    "no convolution": partial(Mamba2, head_dim=8, state=5, convolution=1),
    "both ways": partial(BothWays, mixer=partial(Mamba2, head_dim=16, state=4)),
    "both ways, attention": partial(BothWays, mixer=partial(Attention, heads=2, pattern=Causal())),
    "gated": partial(Gated, mixer=partial(Recurrent, kind="gru")),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_their_variants_keep_it_too(name):
    torch.manual_seed(0)
    assert check_mixer(VARIANTS[name](8), 8) == []


def test_all_that_can_have_small_chunks_are_tried_with_them():
    """Rows of the contract have 9 tokens: fewer than a chunk has, unless it is set."""
    chunked = {get_object(config._target_) for config in CONFIGS.values() if "chunk" in config}
    small = {type(each) for each in (make(8) for make in VARIANTS.values()) if getattr(each, "chunk", 9) < 9}
    assert chunked == small


@pytest.mark.parametrize("name", NAMES)
def test_each_mixer_runs_in_half_precision(name):
    """Under autocast, and with weights of half precision."""
    mixer, info = configured(name), facts(torch.tensor([[0] * 5 + [-1], [1] * 6]))
    x, memory = torch.randn(2, 6, DIM), torch.randn(2, 6, getattr(mixer, "memory_dim", DIM))
    expected = mixer(x, Context(info, Position(), Memory(TokenSequence(memory, info))))
    for half in (True, False):
        if half:
            out = mixer.bfloat16()(
                x.bfloat16(), Context(info, Position(), Memory(TokenSequence(memory.bfloat16(), info)))
            )
        else:
            with torch.autocast("cpu", torch.bfloat16):
                out = mixer.float()(x, Context(info, Position(), Memory(TokenSequence(memory, info))))
        torch.testing.assert_close(out.float()[info.real], expected[info.real], atol=0.1, rtol=0.1)


@pytest.mark.parametrize("name", ["linear_attention", "retention", "attention", "both_ways"])
def test_those_that_know_places_keep_it_with_rotary_positions(name):
    changes = {"mixer": partial(Retention, heads=2)} if name == "both_ways" else {}
    assert check_mixer(configured(name, **changes), DIM, Rotary(axes=2)) == []


def test_nothing_is_read_on_the_host():
    """Tensors of the meta device have no values: whatever is read raises."""
    info = TokenInfo.from_lengths([5, 3], device="meta")
    for name in ("linear_attention", "retention", "gated_linear_attention", "delta_rule", "mamba2", "both_ways"):
        out = configured(name).to("meta")(torch.zeros(2, 5, DIM, device="meta"), Context(info, Position()))
        assert out.shape == (2, 5, DIM)


WHOLE = "must be a whole number, at least"
UNUSABLE = [
    (Retention, {"heads": 2, "chunk": 2.5}, f"chunk=2.5 {WHOLE} 1"),
    (LinearAttention, {"heads": None}, f"heads=null {WHOLE} 1"),
    (GatedLinearAttention, {"heads": 2, "key_dim": "a"}, f"key_dim=a {WHOLE} 1"),
    (GatedLinearAttention, {"heads": 2, "rank": 0.5}, f"rank=0.5 {WHOLE} 1"),
    (DeltaRule, {"heads": 2, "convolution": 1.5}, f"convolution=1.5 {WHOLE} 1"),
    (Attention, {"heads": None}, f"heads=null {WHOLE} 1"),
    (Attention, {"heads": 2, "key_heads": 1.5}, f"key_heads=1.5 {WHOLE} 1"),
    (Attention, {"heads": 2, "head_dim": "a"}, f"head_dim=a {WHOLE} 1"),
    (Attention, {"heads": 2, "weight_dropout": None}, "weight_dropout=null must be a number at least 0 and below 1"),
    (CrossAttention, {"heads": 2, "memory_dim": 0}, f"memory_dim=0 {WHOLE} 1"),
    (KeyValueAttention, {"heads": 2, "memory_dim": "a"}, f"memory_dim=a {WHOLE} 2"),
    (AdditiveAttention, {"hidden": "a"}, f"hidden=a {WHOLE} 1"),
    (AdditiveAttention, {"memory_dim": 0.5}, f"memory_dim=0.5 {WHOLE} 1"),
    (Recurrent, {"hidden": "a"}, f"hidden=a {WHOLE} 1"),
    (Recurrent, {"kind": ["gru"]}, "There is no recurrent kind '['gru']'; known: rnn, gru, lstm."),
    (Convolution, {"windows": [2, 0]}, "windows=[2, 0] must be a list of pairs [before, after]"),
    (Convolution, {"windows": [[2]]}, "windows=[[2]] must be a list of pairs"),
    (Convolution, {"windows": None}, "windows=null must be a list of pairs"),
    (Convolution, {"windows": 3}, "windows=3 must be a list of pairs"),
    (Convolution, {"windows": [[1, 1], [0.5, 1]]}, f"windows[1][0]=0.5 {WHOLE} 0"),
    (GridConvolution, {"size": 3.0}, f"size=3.0 {WHOLE} 1"),
    (GridConvolution, {"size": 2}, "size=2 of a grid convolution must be odd"),
    (GridConvolution, {"first_axis": None}, f"first_axis=null {WHOLE} 0"),
    (Mamba2, {"expand": None}, f"expand=null {WHOLE} 1"),
    (Mamba2, {"fading": 3}, "fading=3 must be a pair [least, most]"),
    (Mamba2, {"fading": [1, "a"]}, "the upper end of fading=a must be a number"),
]


@pytest.mark.parametrize(("kind", "settings", "said"), UNUSABLE, ids=[said.split(" must")[0] for *_, said in UNUSABLE])
def test_a_setting_that_cannot_be_used_is_named(kind, settings, said):
    with pytest.raises(ConfigError) as caught:
        kind(8, **settings)
    assert said in str(caught.value)


class Leaky(Mixer):
    """Averages all that came before, whatever it is, and remembers nothing."""

    def forward(self, x, context):
        return x.cumsum(1)

    def step(self, x, context, state):
        return self(x, context), None


def test_what_breaks_it_is_named():
    assert check_mixer(Gated(4, lambda dim: Leaky()), 4)  # a gate that is closed at first hides nothing
    faults = "; ".join(check_mixer(Leaky(), 4))
    for said in (
        "padding on the left: what stands at padding changes",
        "padding on the left: padding has gradients: it was read",
        "several documents in a row: document 1 becomes something else than it does alone",
        "rows without padding: steps of [4, 1, 4] tokens become something else than one pass",
    ):
        assert said in faults


class LeakyBetweenChunks(Leaky):
    """Reads what a chunk of 64 tokens before it ended with, whose ever that was."""

    def forward(self, x, context):
        ends = x[:, 63:-1:64].repeat_interleave(64, 1)
        return x + torch.cat([torch.zeros_like(x[:, :64]), ends], 1)[:, : x.shape[1]]


def test_a_leak_between_chunks_is_found():
    faults = check_mixer(LeakyBetweenChunks(), 4)
    assert faults and all(each.startswith("more tokens than a chunk has: ") for each in faults)


class Refusing(Retention):
    """Looks back alone, and refuses all steps, or all but the first."""

    def __init__(self, dim, all_of_them):
        super().__init__(dim, heads=2)
        self.all_of_them = all_of_them

    def step(self, x, context, state):
        if self.all_of_them or state is not None:
            raise ConfigError("refused")
        return super().step(x, context, state)


@pytest.mark.parametrize(
    ("all_of_them", "said"),
    [
        (True, "step: raises, though no token depends on a later one"),
        (False, "a step of 1 after 1 tokens raises: refused"),
    ],
)
def test_only_what_looks_ahead_may_be_without_a_step(all_of_them, said):
    assert said in "; ".join(check_mixer(Refusing(8, all_of_them), 8))
