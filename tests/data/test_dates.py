"""Written dates: no text stands for two days, no day is in two splits, and forms are those that people use."""

from __future__ import annotations

import random
import re
import sys
import unicodedata
from collections import Counter
from datetime import date, timedelta

import pytest

from mmattn.contracts.source import check_source
from mmattn.data import written_dates
from mmattn.data.dates import AS_IT_IS, Dates, in_some_case
from mmattn.data.source import SPLITS
from mmattn.data.written_dates import LANGUAGES, Form, forms, lower, upper
from mmattn.errors import ConfigError

pytest.importorskip("babel")
THURSDAY = date(2026, 11, 26)


def days_of(year):
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(1)


def cases(form, day):
    text = form.write(day)
    language = form.language
    return {text, lower(text, language), upper(text, language), upper(text[0], language) + text[1:]}


def test_no_text_stands_for_two_days_whatever_its_language():
    """All texts of two years; the year stands in each as four digits, so those of other years are other texts."""
    meant = {}
    for language in LANGUAGES:
        for form in forms(language):
            for day in (*days_of(2026), *days_of(2028)):
                for text in cases(form, day):
                    assert meant.setdefault(text, day) == day, (text, language)
    assert len(meant) > 200_000


def test_a_year_has_four_digits_and_no_other_number_has_more_than_two():
    for language in LANGUAGES:
        for form in forms(language):
            for day in (date(1900, 2, 28), THURSDAY, date(2099, 12, 1)):
                text = "".join(str(unicodedata.decimal(c, c)) for c in form.write(day))
                lengths = sorted(map(len, re.findall(r"\d+", text)))
                assert lengths[-1] == 4 and str(day.year) in text and max(lengths[:-1]) <= 2, text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Donnerstag, 26. November 2026"),
        ("en", "Nov 26, 2026"),
        ("en_GB", "Thu, 26 Nov 2026"),
        ("fr", "jeudi 26 novembre 2026"),
        ("es", "26 de noviembre de 2026"),
        ("ru", "26.11.2026"),
        ("bg", "26 ноември 2026 г."),
        ("el", "Πέμπτη 26 Νοεμβρίου 2026"),
        ("ar_EG", "الخميس، ٢٦ نوفمبر ٢٠٢٦"),
        ("mr", "गुरुवार, २६ नोव्हेंबर, २०२६"),
        ("ja", "2026年11月26日木曜日"),
        ("ko", "2026년 11월 26일"),
        ("hr", "26. studenoga 2026."),
    ],
)
def test_forms_are_those_of_the_language(language, text):
    assert text in [form.write(THURSDAY) for form in forms(language)]


def test_numbers_between_slashes_are_left_out_unless_the_year_comes_first():
    texts = [form.write(THURSDAY) for language in LANGUAGES for form in forms(language)]
    assert all(text.startswith("2026/11/26") for text in texts if "/" in text)
    assert "2026/11/26" in texts and not any(re.search(r"\b26-11|11-26-", text) for text in texts)


def test_there_are_many_languages_and_several_forms_of_each():
    assert len(LANGUAGES) >= 20
    assert all(4 <= len(set(forms(language))) for language in LANGUAGES)


def test_capitals_are_those_of_the_language():
    assert upper("15 Nis 2026 Cuma, iki", "tr") == "15 NİS 2026 CUMA, İKİ" and lower("KASIM İKİ", "tr") == "kasım iki"
    assert upper("Πέμπτη 26 Νοεμβρίου", "el") == "ΠΕΜΠΤΗ 26 ΝΟΕΜΒΡΙΟΥ" and lower("ΜΆΙΟΣ", "el") == "μάιος"
    assert upper("březen", "cs") == "BŘEZEN"


def test_case_varies_a_bit():
    chance = random.Random(0)
    counts = Counter(in_some_case("jeudi 26 Novembre", "fr", chance) for _ in range(2000))
    assert set(counts) == {"jeudi 26 Novembre", "jeudi 26 novembre", "JEUDI 26 NOVEMBRE", "Jeudi 26 Novembre"}
    assert counts["jeudi 26 Novembre"] / 2000 == pytest.approx(AS_IT_IS, abs=0.04)


def test_the_default_fulfils_the_contract_and_says_what_the_days_are():
    source = Dates()
    assert [len(source.samples(split)) for split in SPLITS] == [40000, 1000, 2000]
    assert check_source(source, limit=40) == []
    texts = [each.value for each in source.samples("test")]
    assert len({each["source"] for each in texts}) > 1900
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", each["target"]) for each in texts)
    years = [int(each["target"][:4]) for each in texts]
    assert 1900 <= min(years) < 1910 and 2090 < max(years) <= 2099
    assert Dates(test=0).samples("test") is None


@pytest.mark.parametrize("first_year", [1990, 2026])
def test_no_day_is_in_two_splits_whatever_their_sizes(first_year):
    years = {"first_year": first_year, "last_year": 2026}
    small, large = Dates(train=3000, validation=200, test=300, **years), Dates(train=300, test=5000, **years)
    days = {split: {each.value["target"] for each in small.samples(split)} for split in SPLITS}
    more = {each.value["target"] for each in large.samples("test")}
    assert days["test"] <= more and not more & (days["train"] | days["validation"])
    assert not days["train"] & days["validation"]


def test_samples_depend_on_the_seed_and_their_place_alone():
    few, many = Dates(train=5), Dates(train=50)
    assert [each.value for each in few.samples("train")] == [each.value for each in many.samples("train")[:5]]
    assert few.samples("train")[0].value != Dates(seed=1).samples("train")[0].value


def test_languages_are_chosen():
    source = Dates(train=40, languages=["ja", "ko", "zh"])
    assert all(re.match(r"\d{4}(年|년|/|\. )", each.value["source"]) for each in source.samples("train"))
    assert Dates(languages="de").languages == ("de",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"languages": ["de", "en_GR"]}, r"names 'en_GR', which is none of ar_EG, .*, zh\. Did you mean 'en_GB'\?"),
        ({"languages": []}, "data.languages is empty"),
        ({"train": 0}, "data.train=0 must be at least 1"),
        ({"first_year": 99}, "data.first_year=99 must be a whole number, at least 1000"),
        ({"first_year": 2000, "last_year": 1999}, "data.last_year=1999 must be a whole number, at least 2000"),
    ],
)
def test_what_cannot_be_used_is_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Dates(**arguments)


def test_a_missing_babel_is_named_before_anything_is_read(monkeypatch):
    for cached in (written_dates._locale, forms):
        cached.cache_clear()
    monkeypatch.setitem(sys.modules, "babel", None)
    with pytest.raises(ConfigError, match=r"data=dates needs the package babel: pip install 'mmattn\[dates\]'"):
        Dates()


def test_a_form_is_a_value():
    assert Form("de", "d. MMMM y") in forms("de") and Form("de", "d. MMMM y").write(THURSDAY) == "26. November 2026"
