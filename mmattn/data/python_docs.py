"""The Python language reference, as every interpreter ships it: prose for language models without a download."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from mmattn.data.source import SPLITS, Sample, Source, Split


class PythonDocs(Source):
    """One document (`str`) a topic of `pydoc_data.topics`, line breaks as they stand; no labels.

    Topics quote each other: "compound" holds most of "for" and "while". A topic that stands mostly in longer ones is
    left out (`notes` names them), and topics that still share a paragraph go to the same split, so that no validation
    text was trained on. `validation` and `test` are fractions of the characters, and no group of topics is more than
    a quarter of either. The text is that of the running Python (PSF licence), so it differs a little between Python
    versions.
    """

    def __init__(self, validation: float = 0.1, test: float = 0.1, seed: int = 0) -> None:
        self.fractions: dict[Split, float] = {"validation": validation, "test": test}
        self.seed = seed

    def samples(self, split: Split) -> Sequence[Sample]:
        return [Sample(f"pydoc_data.topics['{topic}']", self._topics[topic]) for topic in self._splits[split]]

    @property
    def notes(self) -> tuple[str, ...]:
        left_out = sorted(self._topics.keys() - set(distinct(self._paragraphs)))
        return (f"{len(left_out)} topics left out, for they stand in longer ones: {', '.join(left_out)}.",)

    @cached_property
    def _topics(self) -> dict[str, str]:
        from pydoc_data.topics import topics

        return {topic: text for topic, text in sorted(topics.items()) if text.strip()}

    @cached_property
    def _paragraphs(self) -> dict[str, set[str]]:
        return {topic: paragraphs(text) for topic, text in self._topics.items()}

    @cached_property
    def _splits(self) -> dict[Split, list[str]]:
        kept = distinct(self._paragraphs)
        groups = connected({topic: self._paragraphs[topic] for topic in kept})
        random.Random(self.seed).shuffle(groups)
        total = sum(len(self._topics[topic]) for topic in kept)
        splits: dict[Split, list[str]] = {split: [] for split in SPLITS}
        left: dict[Split, float] = {split: fraction * total for split, fraction in self.fractions.items()}
        for group in groups:
            size = sum(len(self._topics[topic]) for topic in group)
            split: Split = "train"
            for part in left:
                if size <= min(left[part], total * self.fractions[part] / 4):
                    split = part
                    left[part] -= size
                    break
            splits[split] += group
        return {split: sorted(topics) for split, topics in splits.items()}


def paragraphs(text: str, shortest: int = 40) -> set[str]:
    """The paragraphs of at least `shortest` characters, white space evened out."""
    evened = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return {part for part in evened if len(part) >= shortest}


def distinct(texts: Mapping[str, set[str]]) -> list[str]:
    """Names of the texts of which at least half does not stand in longer ones, longest first."""
    seen: set[str] = set()
    kept: list[str] = []
    sizes = {name: sum(map(len, parts)) for name, parts in texts.items()}
    for name in sorted(texts, key=lambda name: (-sizes[name], name)):
        if 2 * sum(map(len, texts[name] - seen)) >= sizes[name]:
            kept.append(name)
            seen |= texts[name]
    return kept


def connected(texts: Mapping[str, set[str]]) -> list[list[str]]:
    """Names grouped so that texts which share a paragraph, directly or through others, are together."""
    holders: dict[str, list[str]] = defaultdict(list)
    for name, parts in texts.items():
        for part in parts:
            holders[part].append(name)
    groups, placed = [], set()
    for name in sorted(texts):
        group, todo = [], [name]
        while todo:
            current = todo.pop()
            if current not in placed:
                placed.add(current)
                group.append(current)
                todo += [other for part in texts[current] for other in holders[part]]
        if group:
            groups.append(sorted(group))
    return groups
