"""config → objects: what a constructor takes, what is trusted, and which key an error names."""

from __future__ import annotations

from functools import partial

import pytest
from omegaconf import OmegaConf

from mmattn import Attention, Rotary
from mmattn.build import make, parameters
from mmattn.errors import ConfigError
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.trust import check_targets


def part(**values):
    return OmegaConf.create({"part": values})


class Base:
    def __init__(self, one, *, two=2):
        pass


class Through(Base):
    def __init__(self, three, **more):
        pass


class Anything(Base):
    def __init__(self, *args, **more):
        pass


class Endless:
    def __init__(self, **more):
        pass


def a_function(x, *, y=1):
    return x, y


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (Base, {"self", "one", "two"}),
        (Through, {"self", "one", "two", "three"}),
        (Anything, {"self", "one", "two"}),
        (Endless, None),
        (a_function, {"x", "y"}),
        (lambda **more: more, None),
    ],
)
def test_a_constructor_takes_what_its_bases_take_through_kwargs(target, names):
    found = parameters(target)
    assert found is None if names is None else found >= names and not found - names - {"args", "kwargs"}


def test_a_tokenizer_takes_what_all_tokenizers_take():
    assert {"patch", "channels", "max_length", "prefix"} <= parameters(ImageTokenizer)


def test_objects_and_factories_are_made_with_plain_values():
    position = make(part(_target_="mmattn.Rotary", axes=2, scales=[1, 0.5]), "part")
    assert isinstance(position, Rotary) and position.scales == (1, 0.5)
    factory = make(part(_target_="mmattn.Attention", _partial_=True, heads=2), "part")
    assert isinstance(factory, partial) and factory.func is Attention
    nested = make(OmegaConf.create({"a": {"b": {"_target_": "builtins.dict", "x": {"y": [1, 2]}}}}), "a.b")
    assert type(nested["x"]) is dict and type(nested["x"]["y"]) is list


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"_target_": "mmattn.Rotary", "axis": 2}, r"part.axis: mmattn.Rotary takes no 'axis'. Did you mean 'axes'\?"),
        ({"_target_": "mmattn.Rotari"}, "part._target_=mmattn.Rotari cannot be imported: "),
        ({"_target_": "mmattn.Rotary", "axes": "???"}, r"part.axes has no value: give part.axes=… on the command line"),
        ({"_target_": "mmattn.Rotary", "axes": 2, "scales": [1]}, "^position.scales has 1 entries for 2 axes"),
        ({"_target_": "torch.nn.Linear", "in_features": 2}, "part .torch.nn.Linear. cannot be built: .*out_features"),
        (
            {"_target_": "builtins.dict", "x": [{"_target_": "mmattn.Rotary", "bas": 1}]},
            r"part.x\[0\].bas: mmattn.Rotary takes no 'bas'. Did you mean 'base'\?",
        ),
    ],
)
def test_what_cannot_be_made_names_its_key(values, message):
    with pytest.raises(ConfigError, match=message):
        make(part(**values), "part")


GOOD = ["mmattn.Rotary", "torch.nn.Linear", "torch.optim.Adam", "lightning.Trainer", "mmattn.tokenizers.text.Missing"]
BAD = ["os.system", "builtins.eval", "torch.hub.load", "mmattn.run.subprocess.run", "mmattnx.Rotary", "torch.load"]


@pytest.mark.parametrize("target", GOOD)
def test_our_own_and_known_packages_are_trusted(target):
    check_targets(part(_target_=target, more={"_target_": "mmattn.Full"}))


@pytest.mark.parametrize("target", BAD)
@pytest.mark.parametrize("nest", [lambda each: each, lambda each: {"list": [1, {"in": each}]}])
def test_others_are_not_wherever_they_stand(nest, target):
    with pytest.raises(ConfigError, match=rf"_target_={target} is not trusted .* --config-dir DIR"):
        check_targets(part(**nest({"_target_": target})))


def test_a_users_own_module_is_trusted_when_it_is_named():
    own = part(_target_=f"{__name__}.Base", one=1)
    with pytest.raises(ConfigError, match="is not trusted"):
        check_targets(own)
    check_targets(own, also=[__name__])
    assert isinstance(make(own, "part"), Base)
