"""Every row of operations against Amazon's models."""

from __future__ import annotations

import re

import pytest

from msgbot.errors import ConfigError
from msgbot.spapi.access import base_address
from msgbot.spapi.operations import OPERATIONS, Operation
from tests import amazon_models
from tests.spapi.amazon import application, seller


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_a_row_says_what_the_model_says(row: Operation) -> None:
    model = amazon_models.operation_of(row.method, re.sub(r"\{\w+\}", "x", row.path))
    assert model.template == row.path
    assert model.id == row.name.removeprefix("v0 ")
    text = model.description["description"]
    rate, burst = re.search(r"\|\s*([\d.]+)\s*\|\s*(\d+)\s*\|", text).groups()  # type: ignore[union-attr]
    assert (row.rate, row.burst) == (float(rate), int(burst))
    assert row.grantless == ("grantless" in text)


def test_names_are_given_once() -> None:
    assert len({row.name for row in OPERATIONS}) == len(OPERATIONS)


def test_what_makes_something_is_never_repeatable() -> None:
    assert {row.name for row in OPERATIONS if not row.repeatable} == {
        "createFeed",
        "createReport",
        "createDestination",
        "createSubscription",
    }


@pytest.mark.parametrize(
    ("marketplaces", "address"),
    [
        (["ATVPDKIKX0DER"], "https://sellingpartnerapi-na.amazon.com"),
        (["A1PA6795UKMFR9", "amazon.fr"], "https://sellingpartnerapi-eu.amazon.com"),
        (["amazon.co.jp"], "https://sellingpartnerapi-fe.amazon.com"),
    ],
)
def test_the_address_is_that_of_the_region(marketplaces: list[str], address: str) -> None:
    assert base_address(marketplaces) == address
    assert base_address(marketplaces, sandbox=True) == address.replace("://", "://sandbox.")


@pytest.mark.parametrize(
    ("marketplaces", "says"), [([], "none given"), (["amazon.de", "amazon.com"], "one account for each region"), (["X"], "'X'")]
)
def test_no_address_where_there_is_no_one_region(marketplaces: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        base_address(marketplaces)


def test_secrets_are_not_shown() -> None:
    shown = repr(application("http://x")) + repr(seller("http://x"))
    assert "4711" not in shown
    assert "0815" not in shown
