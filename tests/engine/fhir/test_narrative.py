from __future__ import annotations

import itertools
import re
from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.engine.fhir.narrative import (
    Replacement,
    UnreadableNarrativeError,
    narrative_of,
    narrative_text,
    replace_all,
    transform_narrative,
)

XMLNS = 'xmlns="http://www.w3.org/1999/xhtml"'


def find(text: str) -> list[Replacement]:
    return [Replacement(*one.span(), "[X]") for one in re.finditer("Jane Doe|555-1234|<&", text)]


@pytest.mark.parametrize(
    ("source", "result"),
    [
        (f"<div {XMLNS}>Jane Doe</div>", f"<div {XMLNS}>[X]</div>"),
        ("<div><p>Jane Doe, 555-1234</p><br/></div>", "<div><p>[X], [X]</p><br/></div>"),
        ("<div><b>Jane</b> <i>Doe</i>!</div>", "<div><b>[X]</b><i></i>!</div>"),
        ("<div>555-<b>12</b>34 is it</div>", "<div>[X]<b></b> is it</div>"),
        ("<div><td>Jane</td> <td>Doe</td></div>", "<div><td>Jane</td> <td>Doe</td></div>"),
        ("<div><img alt='Jane Doe' src='a.png'/></div>", '<div><img alt="[X]" src="a.png"/></div>'),
        ("<div><img src='data:image/png;base64,AAAA'/></div>", "<div><img/></div>"),
        ("<div>a<!-- Jane Doe -->b</div>", "<div>ab</div>"),
        ("<div><?php Jane Doe?>b</div>", "<div>b</div>"),
        ("<div><![CDATA[<&]]> &lt;b&gt; &amp;</div>", "<div>[X] &lt;b&gt; &amp;</div>"),
        ("<div>Jane Doe&nbsp;&eacute;</div>", "<div>[X]\xa0é</div>"),
        ("<div>Jane Doe &LT;b&GT; &AMP;</div>", "<div>[X] &lt;b&gt; &amp;</div>"),
        ("<x:div xmlns:x='y'>Jane Doe</x:div>", '<x:div xmlns:x="y">[X]</x:div>'),
        ("<div><p></p>Jane Doe</div>", "<div><p/>[X]</div>"),
    ],
)
def test_text_and_attributes_are_transformed_and_markup_stays(source: str, result: str) -> None:
    assert transform_narrative(source, find) == result


@pytest.mark.parametrize("source", ["<div>ok</div>", "<div a = 'b' >\n<p></p>&amp;&nbsp;</div>", "<div/>"])
def test_what_needs_no_change_is_the_very_input(source: str) -> None:
    assert transform_narrative(source, find) is source


@pytest.mark.parametrize(
    "source",
    [
        "",
        "Jane Doe",
        "<div>",
        "<p>Jane Doe</p>",
        "<div>&unheard;</div>",
        "<div>\x00</div>",
        "<div>\ud800</div>",
        "<div/><div/>",
        "<!DOCTYPE div><div/>",
        '<!DOCTYPE div [<!ENTITY a "Jane Doe">]><div>&a;</div>',
        '<!DOCTYPE div SYSTEM "file:///etc/passwd"><div/>',
    ],
)
def test_what_cannot_be_read_is_an_error_without_its_content(source: str) -> None:
    with pytest.raises(UnreadableNarrativeError) as caught:
        transform_narrative(source, find)
    assert "Jane" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_entities_that_multiply_are_refused_before_they_do() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    with pytest.raises(UnreadableNarrativeError):
        narrative_text(f'<!DOCTYPE d [<!ENTITY e0 "x">{levels}]><div>&e11;</div>')


def test_depth_is_no_problem() -> None:
    source = "<div>" * 20_000 + "Jane Doe" + "</div>" * 20_000
    assert transform_narrative(source, find) == source.replace("Jane Doe", "[X]")


def test_text_without_markup() -> None:
    assert narrative_text("<div>a<b>b</b><p>c\n d</p>&lt;</div>") == "ab c d <"


def test_narrative_of_a_text_is_well_formed() -> None:
    assert narrative_text(narrative_of("a < b & c")) == "a < b & c"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")))
def test_any_text_stays_well_formed(text: str) -> None:
    source = narrative_of(text)
    result = transform_narrative(source, lambda whole: [Replacement(0, 1, "<&>")] if whole else [])
    expat.ParserCreate().Parse(result, True)
    assert narrative_text(result) == " ".join(("<&>" + text[1:]).split() if text else [])


@given(st.text("ab", min_size=1, max_size=12), st.integers(0, 12), st.integers(0, 12), st.lists(st.integers(0, 12)))
def test_markup_inside_a_finding_changes_nothing_of_the_text(text: str, one: int, other: int, cuts: list[int]) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    replacements = [Replacement(start, end, "X")] if start < end else []
    edges = [0, *sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    pieces = [f"<b>{text[a:b]}</b>" for a, b in itertools.pairwise(edges)]
    result = transform_narrative(f"<div>{''.join(pieces)}</div>", lambda whole: replacements if whole == text else [])
    assert narrative_text(result) == replace_all(text, replacements)
