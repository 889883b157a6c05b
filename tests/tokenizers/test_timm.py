from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.timm_features import TimmTokenizer
from tests.tokenizers.examples import picture


def tokenizer_of(**arguments: Any) -> TimmTokenizer:
    return TimmTokenizer(8, **{"model": "test_resnet", "mean": 0.4, "std": 0.2, **arguments})


def forward(tokenizer: TimmTokenizer) -> torch.Tensor:
    samples = [Sample(f"photo {i}", picture(64, 64, seed=i)) for i in range(2)]
    return tokenizer(tokenizer.collate([tokenizer.prepare(sample) for sample in samples])).embeddings


def test_a_frozen_backbone_stays_as_it_is() -> None:
    tokenizer = tokenizer_of(trainable=False).train()
    before = {name: value.clone() for name, value in tokenizer.backbone.state_dict().items()}
    forward(tokenizer).sum().backward()
    assert not any(module.training for module in tokenizer.backbone.modules())
    assert all(torch.equal(value, before[name]) for name, value in tokenizer.backbone.state_dict().items())
    assert [name for name, each in tokenizer.named_parameters() if each.grad is not None and each.numel()] == [
        "projection.weight",
        "projection.bias",
    ]


def test_a_trained_backbone_learns() -> None:
    tokenizer = tokenizer_of().train()
    forward(tokenizer).sum().backward()
    assert all(each.grad is not None for each in tokenizer.backbone.parameters())


def test_weights_from_a_file(tmp_path: Path) -> None:
    whole = timm.create_model("test_resnet", num_classes=7)
    torch.save(whole.state_dict(), tmp_path / "weights.pt")
    tokenizer = tokenizer_of(weights=str(tmp_path / "weights.pt")).eval()
    with pytest.raises(ConfigError, match="weights of TimmTokenizer are not loaded yet: call fit"):
        forward(tokenizer)
    tokenizer.fit([])
    image = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(tokenizer.backbone(image), whole.eval().forward_features(image))


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"weights=.*none.pt is not there"):
        tokenizer_of(weights=str(tmp_path / "none.pt")).fit([])
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(ConfigError, match=r"other.pt does not fit test_resnet: it lacks .* more"):
        tokenizer_of(weights=str(tmp_path / "other.pt")).fit([])


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"model": "resnet81"}, "model=resnet81 is not a model of timm. Did you mean 'resnet18'"),
        ({"out_index": 9}, "model=test_resnet gives no feature map 9"),
        ({"pretrained": True, "weights": "a.pt"}, "exclude each other"),
    ],
)
def test_bad_configs(arguments: Any, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        tokenizer_of(**arguments)


def test_a_size_that_the_model_cannot_take_is_named() -> None:
    with pytest.raises(
        BadSample, match=r"photo 3: has 33×64 pixels, which test_vit cannot take .* set tokenizer.resize"
    ):
        tokenizer_of(model="test_vit").prepare(Sample("photo 3", picture(33, 64)))


def test_cells_are_described() -> None:
    tokenizer = tokenizer_of()
    prepared = tokenizer.prepare(Sample("x", picture(64, 96)))
    assert tokenizer.count(prepared) == 6
    assert tokenizer.describe(prepared, 4) == "cell 1, 1 of 2 × 3"
