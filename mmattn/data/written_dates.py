"""How a day is written in many languages: by Babel, which holds the forms and names of Unicode's CLDR."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from mmattn.errors import ConfigError, nearest

if TYPE_CHECKING:
    from babel import Locale
    from babel.dates import DateTimePattern

LANGUAGES = tuple(
    "ar_EG bg bn ca cs da de el en en_GB es et fi fr he hi hr hu id it ja ko lt lv mr nb nl pl pt ro ru sk sl sr sv tr "
    "uk vi zh".split()
)
"""As Babel names them. Languages that count years otherwise are left out, for Babel does not (Persian, Thai)."""

WHOLE = ("full", "long", "medium")  # CLDR's short forms have years of two digits
FIELDS = ("yMMMEd", "yMMMd", "yMMMMd", "yMEd", "yMd")  # a weekday or none, a month by name or number
DIGITS = {"ar_EG": "٠١٢٣٤٥٦٧٨٩", "bn": "০১২৩৪৫৬৭৮৯", "mr": "०१२३४५६७८९"}
"""Of the languages whose dates have others than 0 to 9, which Babel does not put in."""

TYPED = {"\u202f": " ", "\u00a0": " ", "\u200e": "", "\u200f": ""}
"""Spaces that keep a line together, and marks of direction."""


@dataclass(frozen=True)
class Form:
    """One way to write a date in a language; `pattern` is CLDR's, such as `EEEE, d. MMMM y`."""

    language: str
    pattern: str

    def write(self, day: date) -> str:
        text = _parsed(self.pattern).apply(day, _locale(self.language))
        return text.translate(_typed(self.language))


@cache
def forms(language: str) -> Sequence[Form]:
    """The forms of a language from which the date can be told without knowing the language.

    Those with a number for the month are kept where the year comes first or dots stand between the numbers: day and
    month then come in one order everywhere, which between slashes they do not.

    Raises `ConfigError` for a language that is not among `LANGUAGES`, and where Babel is not installed.
    """
    if language not in LANGUAGES:
        raise ConfigError(
            f"data.languages names '{language}', which is none of {', '.join(LANGUAGES)}.{nearest(language, LANGUAGES)}"
        )
    locale = _locale(language)
    found = [locale.date_formats[name] for name in WHOLE]
    found += [locale.datetime_skeletons[name] for name in FIELDS if name in locale.datetime_skeletons]
    patterns = dict.fromkeys(each.pattern for each in found)
    return [Form(language, pattern) for pattern in patterns if _is_clear(pattern)]


def lower(text: str, language: str) -> str:
    """Small letters; Turkish has one i with a dot and one without."""
    return (text.replace("I", "ı").replace("İ", "i") if language == "tr" else text).lower()


def upper(text: str, language: str) -> str:
    """Capital letters as the language writes them: Greek ones have no accent."""
    if language == "el":
        text = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).replace("\u0301", ""))
    return (text.replace("i", "İ") if language == "tr" else text).upper()


def _is_clear(pattern: str) -> bool:
    fields = re.sub(r"'[^']*'", "", pattern)
    by_name = re.search(r"MMM|LLL", fields)
    return bool(by_name or re.search(r"y.*M.*d", fields) or re.search(r"d\.\s?M+\.\s?y", fields))


@cache
def _locale(language: str) -> Locale:
    try:
        from babel import Locale
    except ImportError as error:
        raise ConfigError("data=dates needs the package babel: pip install 'mmattn[dates]'.") from error
    return Locale.parse(language)


@cache
def _parsed(pattern: str) -> DateTimePattern:
    from babel.dates import parse_pattern

    return parse_pattern(pattern)


@cache
def _typed(language: str) -> dict[int, str]:
    """What becomes of characters that keyboards lack, or that the language has others for."""
    own = zip("0123456789", DIGITS.get(language, ""), strict=False)
    return str.maketrans({**TYPED, **dict(own)})
