"""Amazon's marketplaces: one row each (domain.md section 7). Adding a marketplace is adding a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Marketplace:
    """A marketplace: its id, SP-API region, domain without `www.`, and languages, the main one first.

    `relays_mail` is False where no relay address has been seen: nothing is ever answered there.
    """

    id: str
    region: str
    domain: str
    languages: tuple[str, ...]
    relays_mail: bool = True

    @property
    def relay_domain(self) -> str:
        """The domain of the addresses through which Amazon relays messages (domain.md section 6)."""
        return f"marketplace.{self.domain}"

    @property
    def own_cancel_window(self) -> timedelta:
        """How long after ordering the buyer can cancel without the seller (domain.md section 1): 30 minutes, Japan 5."""
        return timedelta(minutes=5 if self.domain == "amazon.co.jp" else 30)


MARKETPLACES: tuple[Marketplace, ...] = (
    Marketplace("ATVPDKIKX0DER", "na", "amazon.com", ("en", "es")),
    Marketplace("A2EUQ1WTGCTBG2", "na", "amazon.ca", ("en", "fr")),
    Marketplace("A1AM78C64UM0Y8", "na", "amazon.com.mx", ("es",)),
    Marketplace("A2Q3Y263D00KWC", "na", "amazon.com.br", ("pt",)),
    Marketplace("A1F83G8C2ARO7P", "eu", "amazon.co.uk", ("en",)),
    Marketplace("A1PA6795UKMFR9", "eu", "amazon.de", ("de", "en", "nl", "pl", "tr")),
    Marketplace("A13V1IB3VIYZZH", "eu", "amazon.fr", ("fr",)),
    Marketplace("APJ6JRA9NG5V4", "eu", "amazon.it", ("it",)),
    Marketplace("A1RKKUPIHCS9HS", "eu", "amazon.es", ("es",)),
    Marketplace("A1805IZSGTT6HS", "eu", "amazon.nl", ("nl",)),
    Marketplace("AMEN7PMS3EDWL", "eu", "amazon.com.be", ("fr", "nl")),
    Marketplace("A2NODRKZP88ZB9", "eu", "amazon.se", ("sv",)),
    Marketplace("A1C3SOZRARQ6R3", "eu", "amazon.pl", ("pl",)),
    Marketplace("A28R8C7NBKEWEA", "eu", "amazon.ie", ("en",)),
    Marketplace("A33AVAJ2PDY3EV", "eu", "amazon.com.tr", ("tr",)),
    Marketplace("A2VIGQ35RCS4UG", "eu", "amazon.ae", ("en", "ar")),
    Marketplace("A17E79C6D8DWNP", "eu", "amazon.sa", ("ar", "en")),
    Marketplace("ARBP9OOSHTCHU", "eu", "amazon.eg", ("ar", "en")),
    Marketplace("AE08WJ6YKNBMC", "eu", "amazon.co.za", ("en",), relays_mail=False),
    Marketplace("A21TJRUUN4KGV", "eu", "amazon.in", ("en", "hi")),
    Marketplace("A1VC38T7YXB528", "fe", "amazon.co.jp", ("ja",)),
    Marketplace("A39IBJ37TRP1C6", "fe", "amazon.com.au", ("en",)),
    Marketplace("A19VAU5U5O7RUS", "fe", "amazon.sg", ("en",)),
)

_BY_ID = {place.id: place for place in MARKETPLACES}
_BY_DOMAIN = {place.domain: place for place in MARKETPLACES}
_BY_RELAY_DOMAIN = {place.relay_domain: place for place in MARKETPLACES if place.relays_mail}


def by_id(marketplace_id: str) -> Marketplace | None:
    """The marketplace with this id (`A1PA6795UKMFR9`), or None."""
    return _BY_ID.get(marketplace_id.strip())


def by_domain(domain: str) -> Marketplace | None:
    """The marketplace of `amazon.de`, `www.amazon.de` or the report's spelling `Amazon.de`, or None."""
    return _BY_DOMAIN.get(domain.strip().lower().removeprefix("www."))


def by_relay_address(address: str) -> Marketplace | None:
    """The marketplace whose relay domain `address` belongs to, or None: then nobody at Amazon relays it (domain.md section 6)."""
    _, at, domain = address.rpartition("@")
    return _BY_RELAY_DOMAIN.get(domain.strip().lower()) if at else None
