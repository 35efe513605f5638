"""Makes a page from a template of this folder, and writes it for its owner's eyes only."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from airflow_healthcare_deid import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

# Control characters and lone surrogates have no place in HTML, and direction marks let text pass for another.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff\ud800-\udfff]"
)

_BREAKS = re.compile(r"(?<=[._])(?=\w)|(?<=[a-z])(?=[A-Z])")


def render(template: str, **context: object) -> str:
    """Return a page.

    Whatever a template prints is escaped. The page forbids the browser every script and style but its own two.

    :param template: a file of this folder.
    :param context: what it shows.
    """
    from markupsafe import Markup

    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    # Both are this package's own files.
    own = {"style": Markup(style), "script": Markup(script), "policy": policy, "version": __version__}  # noqa: S704
    return _environment().get_template(template).render(**own, **context)


def write_page(page: str, path: str) -> None:
    """Write a page that only its owner can read: at no moment is there a file of that name that is open or half done.

    :raises click.BadParameter: when it cannot be written.
    """
    target = Path(path)
    temporary = ""
    try:
        # Created anew with mode 600, by a name that nobody can foresee.
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
        Path(temporary).replace(target)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise click.BadParameter(f"{path} cannot be written: {error.strerror}", param_hint="-o") from None


def visible(text: str) -> str:
    """Return a text with what cannot be seen written out: a zero-width space as ``\\u200b``."""
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        autoescape=True,
        finalize=finalize,
        loader=PackageLoader(__package__, ""),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )

    def breakable(text: str) -> Markup:
        """Return the name of something with places where a line may break."""
        return Markup("<wbr>").join(_BREAKS.split(visible(text)))

    environment.filters["breakable"] = breakable
    return environment


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
