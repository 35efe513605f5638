"""What the engine does with identifiers whose every place is known: the figures of `python -m quality`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from quality.__main__ import measured, planted
from quality.corpus import Corpus, make_corpus
from quality.measures import Comparison, measure
from quality.people import Inventor
from quality.plants import Kind, Place, Profile
from quality.runs import Run, run
from quality.search import Haystack

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator import Emulator

NAMES = (
    "tag_retained",
    "text_notnull",
    "text_retained",
    "text_removed",
    "date_shifted",
    "uid_changed",
    "uid_consistent",
    "patid_consistent",
    "pixels_hidden",
    "pixels_retained",
)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus()


def test_the_set_has_every_kind_of_identifier_in_every_place(corpus: Corpus) -> None:
    assert len(corpus.plants) >= 2_000
    places = Counter(plant.place for plant in corpus.plants)
    kinds = Counter(plant.kind for plant in corpus.plants)
    assert min(places[place] for place in Place) >= 12
    assert min(kinds[kind] for kind in Kind) >= 100
    assert planted(corpus).startswith(f"{len(corpus.plants)} identifiers in 11 instances and 35 resources\n")


def test_a_seed_makes_one_set_and_another_seed_another() -> None:
    first, again, other = (Inventor(seed).person(0) for seed in (1, 1, 2))
    assert first == again != other


def test_what_was_planted_is_there_to_be_found(corpus: Corpus) -> None:
    haystacks = {name: Haystack(one.data) for name, one in corpus.instances.items()}
    haystacks |= {name: Haystack(one) for name, one in corpus.resources.items()}
    for plant in corpus.plants:
        if plant.place is Place.PIXELS:
            continue
        held = [haystacks[plant.source].holds(needle) for needle in plant.needles]
        assert any(held) if plant.kind is Kind.DATE else all(held), (plant.source, plant.path)


def test_a_mere_copy_fails_every_measure_of_removal(corpus: Corpus) -> None:
    files = {name: one.data for name, one in corpus.instances.items()}
    copy = Run(corpus, Profile.BASIC, files, corpus.resources, failures=0)
    found = {one.name: one for one in measure(copy)}
    assert tuple(found) == NAMES
    for name in ("text_removed", "date_shifted", "uid_changed", "pixels_hidden"):
        assert found[name].correct == 0, name
    for name in ("tag_retained", "text_notnull", "text_retained", "uid_consistent", "pixels_retained"):
        assert not found[name].faults, name
    assert all(picture.shows(text) for picture in Comparison(copy).pictures for text in picture.texts)


@pytest.mark.parametrize("profile", Profile)
def test_nothing_is_left_and_nothing_else_is_lost(corpus: Corpus, profile: Profile, session_emulator: Emulator) -> None:
    done = run(corpus, profile, session_emulator.url)
    assert (len(done.files), len(done.resources), done.failures) == (len(corpus.instances), len(corpus.resources), 0)
    found = measure(done)
    assert {one.name: one.faults for one in found} == dict.fromkeys(NAMES, ())
    assert measured({profile: found}).count("100.00 %") == len(NAMES)
