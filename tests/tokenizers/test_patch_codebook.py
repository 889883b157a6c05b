"""Pictures as codes: what the codebook holds, what comes back, and where each code lies."""

from __future__ import annotations

import pytest
import torch

from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.tokenizers.code_embedding import CodeEmbedding
from mmattn.tokenizers.k_means import k_means, nearest_centre
from mmattn.tokenizers.patch_codebook import PatchCodebookTokenizer
from tests.tokenizers.examples import picture


def blocks(seed):
    """8 × 8 pixels of four patches, each of one of three colours."""
    colours = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0.2, 0.4, 0.6]])
    choice = torch.randint(3, (2, 2), generator=torch.Generator().manual_seed(seed))
    return colours[choice].permute(2, 0, 1).repeat_interleave(4, 1).repeat_interleave(4, 2)


def fitted(**arguments):
    tokenizer = PatchCodebookTokenizer(16, **{"size": 8, "codes": 3, **arguments})
    tokenizer.fit([Sample(str(seed), blocks(seed)) for seed in range(8)])
    return tokenizer


@pytest.mark.parametrize("bos", [False, True])
def test_pictures_of_few_patches_come_back_as_they_were(bos):
    tokenizer = fitted(bos=bos)
    for seed in range(8, 12):
        ids = tokenizer.prepare(Sample("x", blocks(seed)))["ids"]
        assert len(ids) == 4 + bos
        torch.testing.assert_close(tokenizer.restore(ids), blocks(seed), atol=1e-4, rtol=0)


def test_codes_lie_row_by_row_and_the_beginning_nowhere():
    tokenizer = fitted(size=[8, 12], codes=2, bos=True)
    prepared = tokenizer.prepare(Sample("x", picture(8, 12)))
    info = tokenizer(tokenizer.collate([prepared])).info
    assert info.coordinates[0].tolist() == [[-1, -1], [0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    said = [tokenizer.describe(prepared, index) for index in (0, 1, 6)]
    assert said == ["<bos>", "rows 0–3, columns 0–3", "rows 4–7, columns 8–11"]


def test_token_dropout_hides_whole_codes_in_training_only():
    torch.manual_seed(0)
    tokenizer = fitted(token_dropout=0.5)
    batch = tokenizer.collate([tokenizer.prepare(Sample("x", blocks(seed))) for seed in range(250)])
    hidden = (tokenizer.train()(batch).embeddings == 0).all(-1)
    assert 0.4 < hidden.float().mean() < 0.6
    assert not (tokenizer.eval()(batch).embeddings == 0).any()


def test_what_does_not_fit_is_named():
    with pytest.raises(ConfigError, match="size=10 must be a multiple of tokenizer.patch=4"):
        PatchCodebookTokenizer(16, size=10)
    with pytest.raises(ConfigError, match="codes=1 must be at least 2"):
        PatchCodebookTokenizer(16, size=8, codes=1)
    with pytest.raises(ConfigError, match="codes=4: 4 centres need as many points that differ, and there are 3 in the"):
        fitted(codes=4)
    with pytest.raises(ConfigError, match="no codebook yet"):
        PatchCodebookTokenizer(16, size=8).prepare(Sample("x", blocks(0)))
    with pytest.raises(ValueError, match="3 codes are not the 2 × 2 of a picture"):
        fitted().restore(torch.tensor([2, 3, 4]))


def test_centres_are_the_means_of_their_points():
    generator = torch.Generator().manual_seed(0)
    middles = torch.tensor([[0.0, 0], [10, 0], [0, 10]])
    points = middles.repeat(50, 1) + torch.randn(150, 2, generator=generator)
    centres = k_means(points, 3, generator)
    owner = nearest_centre(points, centres)
    assert torch.equal(owner, torch.cdist(points, centres).argmin(1))
    for number in range(3):
        torch.testing.assert_close(points[owner == number].mean(0), centres[number])
    assert torch.cdist(middles, centres).min(1).values.max() < 0.5


def test_codes_that_look_alike_begin_as_neighbours_and_learn_as_one():
    dark, darker, light = torch.full((1, 12), 0.1), torch.full((1, 12), 0.15), torch.full((1, 12), 0.9)
    torch.manual_seed(0)
    table = CodeEmbedding(2, torch.cat([dark, darker, light]), 16, 0.0)
    near, far = ((table.weight[2] - table.weight[each]).norm() for each in (3, 4))
    assert near < 0.2 * far and table.weight.shape == (5, 16)
    ids = torch.tensor([[0, 4, 2]])
    assert torch.equal(table(ids), table.weight[ids])
    table(torch.tensor([2])).sum().backward()  # what one code teaches moves the others
    assert table.look[0].weight.grad.abs().sum() > 0 and table.table.grad[3:].abs().sum() == 0


def test_vectors_follow_the_codebook_that_is_restored():
    codebooks = [{"codebook": torch.randint(10_000, (4, 12)).tolist()} for _ in range(2)]
    one, other = (PatchCodebookTokenizer(8, size=4, patch=2) for _ in range(2))
    for state in codebooks:
        one.restore_state(state)
    other.restore_state(codebooks[1])
    other.load_state_dict(one.state_dict())
    assert torch.equal(one.embedding.weight, other.embedding.weight)
