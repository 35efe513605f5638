"""Looking for secrets wherever Airflow and the emulator keep something."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


def spellings(secret: str) -> set[bytes]:
    """A secret in lower case, and in the other forms in which it would be as readable."""
    plain = secret.encode()
    forms = {plain, quote(secret, safe="").encode(), plain.hex().encode(), base64.b64encode(plain).rstrip(b"=")}
    with suppress(ValueError):
        forms.add(base64.b64decode(secret, validate=True).hex().encode())
    return {form.lower() for form in forms}


def in_files(secrets: Mapping[str, str], files: Iterable[Path]) -> set[tuple[str, str]]:
    """Pairs of a secret's name and a file that holds it."""
    return {(name, file.name) for file in files for name in _found(secrets, file.read_bytes())}


def in_database(secrets: Mapping[str, str], database: Path) -> set[tuple[str, str]]:
    """Pairs of a secret's name and a column of the SQLite database, as `table.column`, that holds it."""
    return {(name, column) for column, content in _cells(database) for name in _found(secrets, content)}


def _found(secrets: Mapping[str, str], content: bytes) -> list[str]:
    content = content.lower()
    return [name for name, secret in secrets.items() if any(form in content for form in spellings(secret))]


def _cells(database: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = connection.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in rows.description]
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    if value is not None:
                        yield f"{table}.{column}", value if isinstance(value, bytes) else str(value).encode()
