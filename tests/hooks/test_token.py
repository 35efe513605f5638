"""A token is renewed by one at a time, whoever else waits for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google.auth.credentials import TokenState
from google.auth.exceptions import RefreshError

from airflow_healthcare_deid.errors import AuthenticationError, TransientApiError
from airflow_healthcare_deid.hooks._token import TokenSource


class Credentials:
    """Counts its refreshes, as long as it may."""

    def __init__(self, state: TokenState = TokenState.INVALID, error: Exception | None = None) -> None:
        self.refreshes = 0
        self.token_state = state
        self.error = error

    @property
    def valid(self) -> bool:
        return self.token_state is TokenState.FRESH

    def refresh(self, _: Any) -> None:
        self.refreshes += 1
        if self.error:
            raise self.error
        self.token_state = TokenState.FRESH

    def apply(self, headers: dict[str, str]) -> None:
        headers["authorization"] = f"Bearer {self.refreshes}"


def together(*calls: Any) -> list[Any]:
    async def gather() -> list[Any]:
        return list(await asyncio.gather(*(call() for call in calls)))

    return asyncio.run(gather())


def source(credentials: Any) -> TokenSource:
    return TokenSource(credentials, "google_cloud_default")


def test_the_first_token_is_fetched_once_for_all() -> None:
    credentials = Credentials()
    tokens = source(credentials)
    assert together(*[tokens.headers] * 20) == [{"authorization": "Bearer 1"}] * 20
    assert credentials.refreshes == 1


def test_a_refused_token_is_renewed_once_for_all() -> None:
    credentials = Credentials(TokenState.FRESH)
    tokens = source(credentials)
    together(*[lambda: tokens.renew("Bearer 0")] * 20)
    assert credentials.refreshes == 1


def test_a_token_near_its_end_serves_while_no_other_can_be_had() -> None:
    credentials = Credentials(TokenState.STALE, RefreshError("down", retryable=True))
    assert together(source(credentials).headers) == [{"authorization": "Bearer 1"}]


@pytest.mark.parametrize(
    ("retryable", "kind"), [(True, TransientApiError), (False, AuthenticationError)], ids=["passing", "staying"]
)
def test_no_token(retryable: bool, kind: type[Exception]) -> None:
    error = RefreshError("https://oauth2.example/secret-detail", retryable=retryable)
    with pytest.raises(kind) as caught:
        together(source(Credentials(error=error)).headers)
    assert "secret-detail" not in str(caught.value)
