"""Access to the Selling Partner API: who asks, for which seller, and at which address (domain.md section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgbot.amazon.marketplaces import by_domain, by_id
from msgbot.errors import ConfigError

OrdersApi = Literal["2026-01-01", "v0"]
TOKEN_ENDPOINT = "https://api.amazon.com/auth/o2/token"  # noqa: S105  an address, no secret


@dataclass(frozen=True, slots=True)
class Application:
    """The application that sellers have authorised, as Login with Amazon (LWA) knows it."""

    client_id: str
    client_secret: str = field(repr=False)
    token_endpoint: str = TOKEN_ENDPOINT


@dataclass(frozen=True, slots=True)
class Seller:
    """One seller account: `marketplaces` are ids, all of the region that `base`, the address of the API, stands for."""

    account: str
    seller_id: str
    marketplaces: tuple[str, ...]
    orders_api: OrdersApi
    base: str
    refresh_token: str = field(repr=False)


def base_address(marketplaces: Sequence[str], *, sandbox: bool = False) -> str:
    """The API's address for `marketplaces`, given as ids or domains. Raises ConfigError when one is unknown, or when they are not
    all of one region: a seller has one authorisation, and one account here, for each region."""
    regions: dict[str, str] = {}
    for name in marketplaces:
        place = by_id(name) or by_domain(name)
        if place is None:
            raise ConfigError(f"marketplace {name!r} is not known; give ids like A1PA6795UKMFR9, or domains like amazon.de")
        regions.setdefault(place.region, name)
    if len(regions) != 1:
        named = ", ".join(f"{name} ({region})" for region, name in sorted(regions.items())) or "none given"
        raise ConfigError(f"an account's marketplaces must be of one region ({named}); make one account for each region")
    return f"https://{'sandbox.' if sandbox else ''}sellingpartnerapi-{next(iter(regions))}.amazon.com"
