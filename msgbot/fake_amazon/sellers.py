"""Who may call: the application, the sellers that authorised it, and the access tokens of both (domain.md section 7)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from msgbot.amazon.marketplaces import by_id
from msgbot.fake_amazon.call import Call, Refusal, Reply, denied

GRANTLESS_SCOPE = "sellingpartnerapi::notifications"
LIFETIME = timedelta(seconds=3600)


@dataclass(slots=True)
class FakeSeller:
    """A seller who authorised the application. A `revoked` one took that back; `suspended` marketplaces have no participation."""

    id: str
    refresh_token: str
    marketplaces: tuple[str, ...] = ("ATVPDKIKX0DER",)
    suspended: tuple[str, ...] = ()
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token lets: calls for one seller, or grantless ones when `seller_id` is empty."""

    seller_id: str
    expires_at: datetime


class Access:
    """The sellers, the application's credentials and the tokens given out."""

    def __init__(self) -> None:
        self.client_id = "amzn1.application-oa2-client.example"
        self.client_secret = "amzn1.oa2-cs.v1.example"  # noqa: S105 - made up
        self.sellers: dict[str, FakeSeller] = {}
        self.tokens: dict[str, AccessToken] = {}

    def give(self, call: Call) -> Reply:
        """Answers POST /auth/o2/token."""
        form = {name: values[0] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
        if not call.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            return _no(400, "invalid_request", "The request is not form-encoded")
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return _no(401, "invalid_client", "Client authentication failed")
        if form.get("grant_type") == "refresh_token":
            seller = next((each for each in self.sellers.values() if each.refresh_token == form.get("refresh_token")), None)
            if seller is None or seller.revoked:
                return _no(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
            return self._token(seller.id, call.at, {"refresh_token": seller.refresh_token})
        if form.get("grant_type") == "client_credentials":
            if form.get("scope") != GRANTLESS_SCOPE:
                return _no(400, "invalid_scope", "The request has an invalid scope")
            return self._token("", call.at, {})
        return _no(400, "unsupported_grant_type", "The authorization grant type is not supported")

    def seller_of(self, call: Call, *, grantless: bool) -> str:
        """The id of the seller that the call is for, empty for a grantless one. Raises Refusal (403) as Amazon does."""
        given = call.headers.get("x-amz-access-token", "")
        if not given:
            raise denied("Access token is missing in the request header.")
        token = self.tokens.get(given)
        if token is None:
            raise denied("The access token you provided is revoked, malformed or invalid.")
        if token.expires_at <= call.at:
            raise denied("The access token you provided has expired.")
        if bool(token.seller_id) == grantless:
            raise denied("The access token you provided is not for this kind of operation.")
        if token.seller_id and self.sellers[token.seller_id].revoked:
            raise denied("The access token you provided is revoked, malformed or invalid.")
        return token.seller_id

    def expire_tokens(self) -> None:
        """Makes every token given out so far one that has expired."""
        for name, token in self.tokens.items():
            self.tokens[name] = AccessToken(token.seller_id, token.expires_at - 10 * LIFETIME)

    def check_marketplaces(self, call: Call, marketplaces: tuple[str, ...]) -> None:
        """Raises Refusal when the seller does not sell in one of them, or it belongs to another region."""
        for each in marketplaces:
            if by_id(each) is None:
                raise Refusal(400, "InvalidInput", "Marketplace ids are invalid.", each)
            if each not in self.sellers[call.seller_id].marketplaces:
                raise denied(f"The seller has no access to marketplace {each}.")

    def participations(self, call: Call) -> Reply:
        """Answers getMarketplaceParticipations."""
        seller = self.sellers[call.seller_id]
        rows = []
        for each in seller.marketplaces:
            place = by_id(each)
            assert place is not None  # noqa: S101 - the fake's own world
            country = "GB" if place.domain.endswith(".uk") else "US" if place.domain == "amazon.com" else place.domain[-2:].upper()
            rows.append(
                {
                    "marketplace": {
                        "id": place.id,
                        "name": place.domain.capitalize(),
                        "countryCode": country,
                        "defaultCurrencyCode": "USD",
                        "defaultLanguageCode": f"{place.languages[0]}_{country}",
                        "domainName": f"www.{place.domain}",
                    },
                    "participation": {"isParticipating": each not in seller.suspended, "hasSuspendedListings": False},
                    "storeName": "Sample Store",
                }
            )
        return Reply(200, {"payload": rows})

    def _token(self, seller_id: str, now: datetime, more: dict[str, str]) -> Reply:
        name = f"Atza|{secrets.token_urlsafe(24)}"
        self.tokens[name] = AccessToken(seller_id, now + LIFETIME)
        return Reply(200, {"access_token": name, "token_type": "bearer", "expires_in": int(LIFETIME.total_seconds()), **more})


def _no(status: int, error: str, description: str) -> Reply:
    return Reply(status, {"error": error, "error_description": description})
