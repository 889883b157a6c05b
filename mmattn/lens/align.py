"""Which token of one prompt is which of another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

from mmattn.errors import ConfigError


def aligned(words: Sequence[str], other_words: Sequence[str], special: Collection[str] = ()) -> list[int]:
    """For each of `other_words` (tokens) its place in `words`, −1 for one that has none: `Replace`'s mapping.

    Words that both have in the same order belong together; a stretch that is swapped for one as long goes place by
    place, and what is added, or swapped for a stretch of another length, is new.
    Raises ConfigError where nothing belongs together but `special` tokens, such as <bos>: then no map of a word has a
    place to go.
    """
    mapping = [-1] * len(other_words)
    for kind, start, stop, other_start, other_stop in SequenceMatcher(None, words, other_words, False).get_opcodes():
        if kind in ("equal", "replace") and stop - start == other_stop - other_start:
            mapping[other_start:other_stop] = range(start, stop)
    meant = [place for place, word in zip(mapping, other_words, strict=True) if word not in special]
    if meant and all(place < 0 for place in meant):
        raise ConfigError(
            f"{list(words)} and {list(other_words)} have no token in common and differ in length: swap words for as "
            "many, or add words to what stays."
        )
    return mapping
