"""Tokens: who gets one, and what it opens."""

from __future__ import annotations

import pytest

from msgbot.fake_amazon import FakeAmazon
from tests.fake_amazon.conftest import Caller, Watch

PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
DESTINATIONS = "/notifications/v1/destinations"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 200, None),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"refresh_token": "Atzr|wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "sellingpartnerapi::notifications"}, 200, None),
        ({"grant_type": "client_credentials", "scope": "sellingpartnerapi::orders"}, 400, "invalid_scope"),
        ({"grant_type": "client_credentials"}, 400, "invalid_scope"),
    ],
)
async def test_a_token_is_given_for_the_right_credentials(
    nobody: Caller, form: dict[str, str], status: int, error: str | None
) -> None:
    told = await nobody.get_token(**form)
    assert (told.status, told.value.get("error")) == (status, error)
    assert bool(told.value.get("access_token")) == (status == 200)
    if status == 200:
        assert told.value["expires_in"] == 3600


async def test_a_token_is_asked_for_with_a_form(nobody: Caller, fake: FakeAmazon) -> None:
    async with nobody.session.post(fake.token_endpoint, json={"grant_type": "refresh_token"}) as answer:
        assert answer.status == 400


async def test_a_call_needs_a_token_that_is_valid_now(nobody: Caller, fake: FakeAmazon, watch: Watch) -> None:
    denied = []
    denied.append(await nobody("GET", PARTICIPATIONS))
    nobody.token = "Atza|made-up"
    denied.append(await nobody("GET", PARTICIPATIONS))
    await nobody.get_token()
    watch.wait(seconds=3599)
    assert (await nobody("GET", PARTICIPATIONS)).status == 200
    watch.wait(seconds=1)
    denied.append(await nobody("GET", PARTICIPATIONS))
    await nobody.get_token()
    fake.seller.revoked = True
    denied.append(await nobody("GET", PARTICIPATIONS))
    assert [told.status for told in denied] == [403] * 4
    assert {told.code for told in denied} == {"Unauthorized"}
    details = [told.value["errors"][0]["details"] for told in denied]
    assert "missing" in details[0]
    assert "expired" in details[2]
    assert details[1] == details[3]
    assert (await nobody.get_token()).value["error"] == "invalid_grant"


async def test_all_tokens_can_be_made_to_expire(call: Caller, fake: FakeAmazon) -> None:
    fake.access.expire_tokens()
    assert (await call("GET", PARTICIPATIONS)).status == 403


async def test_grantless_calls_and_a_seller_s_calls_need_tokens_of_their_own(call: Caller) -> None:
    assert (await call("GET", DESTINATIONS)).status == 403
    await call.be_grantless()
    assert (await call("GET", DESTINATIONS)).status == 200
    assert (await call("GET", PARTICIPATIONS)).status == 403


async def test_participations_are_those_of_the_seller(nobody: Caller, fake: FakeAmazon) -> None:
    seller = fake.add_seller("A2OTHER", ("A1PA6795UKMFR9", "A1F83G8C2ARO7P"))
    seller.suspended = ("A1F83G8C2ARO7P",)
    await nobody.get_token(seller)
    rows = (await nobody("GET", PARTICIPATIONS)).value["payload"]
    assert [
        (row["marketplace"]["id"], row["marketplace"]["countryCode"], row["participation"]["isParticipating"]) for row in rows
    ] == [
        ("A1PA6795UKMFR9", "DE", True),
        ("A1F83G8C2ARO7P", "GB", False),
    ]
