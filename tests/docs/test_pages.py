"""The README leads where it says, and stays one screen."""

from __future__ import annotations

import re

import pytest

from tests.docs.snippets import ROOT

README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_a_link_of_the_readme_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_readme_is_one_screen() -> None:
    assert len(README.splitlines()) <= 65


def test_nothing_is_fetched_by_a_page() -> None:
    settings = (ROOT / "docs" / "conf.py").read_text("utf-8")
    assert "intersphinx" not in settings
    assert "http" not in settings
