"""Dates as people write them in many languages, and in the form of ISO 8601."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from functools import partial

from mmattn.data.source import SPLITS, Lazy, Sample, Source, Split
from mmattn.data.split import split_sizes
from mmattn.data.written_dates import LANGUAGES, forms, lower, upper
from mmattn.errors import ConfigError
from mmattn.limits import whole

APART = 0.1  # the share of all days that is for the test, and the one for validation
AS_IT_IS = 0.7  # the share of texts whose case is CLDR's


class Dates(Source):
    """Pairs `{"source": "Donnerstag, 26. November 2026", "target": "2026-11-26"}` without labels, written as they are
    read, in any of the languages and one of its forms, now and then in small letters, in capitals or with one in front.

    No day is in two splits, whatever their sizes. Sample i of a split depends on (seed, split, i) alone, and on the
    arguments after `seed`. No text stands for two days: see `written_dates.forms`. The names are those of the installed
    Babel, so they differ a little between its versions.

    Args:
        train, validation, test: how many samples; after as many as a split has days, these come again.
        first_year, last_year: the days are those from the beginning of the one to the end of the other.
        languages: some of `written_dates.LANGUAGES`, or one; None takes all.

    Raises `ConfigError`, when made, for numbers outside their range, an unknown language, and where Babel is missing.
    """

    def __init__(
        self,
        train: int = 40000,
        validation: int = 1000,
        test: int = 2000,
        seed: int = 0,
        first_year: int = 1900,
        last_year: int = 2099,
        languages: Sequence[str] | str | None = None,
    ) -> None:
        self.sizes = split_sizes(train, validation, test)
        whole("data.first_year", first_year, 1000, 9999)  # years of four digits
        whole("data.last_year", last_year, first_year, 9999)
        named = [languages] if isinstance(languages, str) else languages
        self.seed, self.languages = seed, tuple(LANGUAGES if named is None else named)
        if not self.languages:
            raise ConfigError("data.languages is empty: name one of them, or null for all.")
        self.forms = [forms(language) for language in self.languages]
        self._days = _days(first_year, last_year, seed)

    def samples(self, split: Split) -> Sequence[Sample] | None:
        return Lazy(self.sizes[split], partial(self._read, split)) if self.sizes[split] else None

    def _read(self, split: Split, index: int) -> Sample:
        days = self._days[split]
        day = date.fromordinal(days[index % len(days)])
        chance = random.Random(f"{self.seed}/{split}/{index}")  # a string seed is the same on every run
        form = chance.choice(chance.choice(self.forms))
        text = in_some_case(form.write(day), form.language, chance)
        return Sample(f"dates.{split}[{index}]", {"source": text, "target": day.isoformat()})


def _days(first_year: int, last_year: int, seed: int) -> dict[Split, list[int]]:
    """The days of each split, as ordinals, in an order of chance."""
    days = list(range(date(first_year, 1, 1).toordinal(), date(last_year, 12, 31).toordinal() + 1))
    random.Random(f"{seed}/days").shuffle(days)
    apart = round(APART * len(days))
    return dict(zip(SPLITS, (days[2 * apart :], days[apart : 2 * apart], days[:apart]), strict=True))


def in_some_case(text: str, language: str, chance: random.Random) -> str:
    """The text as it is, in small letters, in capitals, or with one in front."""
    if chance.random() < AS_IT_IS:
        return text
    return chance.choice((lower(text, language), upper(text, language), upper(text[0], language) + text[1:]))
