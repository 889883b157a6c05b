"""Every verb that draws by chance takes the same seeds, and says so before it opens a run."""

from __future__ import annotations

import pytest

from mmattn.cli.main import main

VERBS = {
    "generate": ["generate", "RUN", "--prompt", "a"],
    "look": ["look", "RUN", "--prompt", "a"],
    "editing": ["bench", "editing", "--run", "RUN"],
    "retrieval": ["bench", "retrieval", "--run", "RUN", "--by", "RUN"],
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("seed", [-1, 2**32, 2**70])
def test_seeds_that_no_library_takes_are_refused(verb, seed, capsys):
    assert main([*VERBS[verb], "--seed", str(seed)]) == 1
    assert f"--seed={seed} must be a whole number, at least 0 and at most 4294967295" in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS)
def test_the_largest_seed_is_taken(verb, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*VERBS[verb], "--seed", str(2**32 - 1)]) == 1
    said = capsys.readouterr().err
    assert "RUN" in said and "--seed" not in said
