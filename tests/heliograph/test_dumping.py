"""Passwords go to PostgreSQL's programs as they are, and where others cannot read them."""

import pytest

from heliograph.dumping import apart


@pytest.mark.parametrize(
    ("url", "bare", "password"),
    [
        (
            "postgresql://me:p%40ss%2Fw@db:5432/h?sslmode=require",
            "postgresql://me@db:5432/h?sslmode=require",
            "p@ss/w",
        ),
        (
            "postgresql://me@db/h?password=p%40ss&sslmode=require",
            "postgresql://me@db/h?sslmode=require",
            "p@ss",
        ),
        ("postgresql:///h?host=/run/here", "postgresql:///h?host=/run/here", None),
    ],
)
def test_an_address_is_parted_from_its_password(url: str, bare: str, password: str | None) -> None:
    assert (bare, password) == apart(url)
