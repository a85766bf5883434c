"""Amazon check: tries what msgbot needs of Amazon, for one account, and says what works and what to fix."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from msgbot.amazon.marketplaces import by_id
from msgbot.amazon.order_feeds import ACKNOWLEDGEMENT_FEED
from msgbot.amazon_settings import AmazonSettings
from msgbot.clock import Clock
from msgbot.errors import AmazonAway, AmazonDenied, AmazonError, AmazonRefused, ConfigError, InputError
from msgbot.spapi.client import SpApi
from msgbot.spapi.feeds import Feeds
from msgbot.spapi.orders import Orders
from msgbot.spapi.queue import open_queue
from msgbot.spapi.sellers import Sellers
from msgbot.subscribe import Subscribe, queue_name

_PATIENCE = 5.0
_SKEWED = timedelta(minutes=2)
_LOOK_BACK = timedelta(hours=1)
_TOKEN = "the access token"  # noqa: S105 - what the client calls it
_OF_QUEUE = "GetQueueAttributes"
_ASKED_TOO_OFTEN = 429


@dataclass(frozen=True, slots=True)
class Finding:
    """What was tried, whether it works, what was found or went wrong, and what to do about it: where it works, what would be
    better."""

    what: str
    works: bool
    text: str
    advice: str = ""


class _Hopeless(Exception):
    """Nothing else needs to be tried."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


class AmazonCheck:
    """The use case."""

    def __init__(self, amazon: SpApi, clock: Clock, settings: AmazonSettings) -> None:
        self._amazon = amazon
        self._clock = clock
        self._settings = settings

    async def findings(self, account: str) -> AsyncIterator[Finding]:
        """What is found, as soon as it was tried. Where Amazon gives no token or does not answer, no more is tried."""
        try:
            for what, work in (
                ("token and marketplaces", self._marketplaces),
                ("orders", self._orders),
                ("feeds", self._feeds),
                ("notifications", self._notifications),
            ):
                yield await self._try(what, work, account)
        except _Hopeless as hopeless:
            yield hopeless.finding
        skew = self._amazon.skew
        if skew is not None and abs(skew) > _SKEWED:
            where = "behind" if skew > timedelta() else "ahead of"
            text = f"this machine's clock is {abs(skew).total_seconds():.0f} s {where} Amazon's"
            yield Finding("clock", False, text, "set the clock, and keep it right (NTP)")

    async def _try(self, what: str, work: Callable[[str], Awaitable[Finding]], account: str) -> Finding:
        try:
            return await work(account)
        except AmazonError as error:
            finding = Finding(what, False, str(error), self._advice(error, account))
            nobody = isinstance(error, AmazonAway) and error.status != _ASKED_TOO_OFTEN
            nowhere = isinstance(error, AmazonRefused) and not error.status
            if error.operation == _TOKEN or ((nobody or nowhere) and what != "notifications"):
                raise _Hopeless(finding) from error
            return finding
        except ConfigError as error:
            return Finding(what, False, str(error), "correct the setting")
        except InputError as error:
            return Finding(what, False, f"Amazon's answer cannot be read: {error}", "please report it: msgbot should read it")

    def _advice(self, error: AmazonError, account: str) -> str:
        """Where to look; the error itself says what for."""
        own = f"amazon.accounts.{account}"
        if error.operation == _OF_QUEUE:
            return "see the settings amazon.queue_url, queue_region and queue_endpoint, and the AWS credentials of this machine"
        if isinstance(error, AmazonDenied) and error.operation == _TOKEN:
            if error.code == "invalid_client":
                return "see the settings amazon.client_id and amazon.client_secret (or client_secret_file)"
            return f"see the settings {own}.refresh_token (or refresh_token_file) and amazon.client_id"
        if isinstance(error, AmazonDenied) and error.status:
            return f"see the setting {own}.marketplaces, and the application's roles (Seller Central > Develop Apps)"
        if isinstance(error, AmazonRefused) and not error.status:
            return "correct the setting amazon.endpoint; without it, the address is that of the marketplaces' region"
        if isinstance(error, AmazonAway) and not error.status:
            given = [name for name in ("endpoint", "token_endpoint") if name in self._settings.model_fields_set]
            settings = f", and the setting amazon.{' and amazon.'.join(given)}" if given else ""
            return f"see whether this machine may connect to Amazon (network, firewall){settings}"
        return ""

    async def _marketplaces(self, account: str) -> Finding:
        what = "token and marketplaces"
        known = await Sellers(self._amazon).participations(account, patience=_PATIENCE)
        taking_part = [each.marketplace for each in known if each.takes_part]
        wanted = self._amazon.seller(account).marketplaces
        missing = [_name(each) for each in wanted if each not in taking_part]
        if missing:
            where = ", ".join(map(_name, taking_part)) or "none"
            text = f"the seller does not sell in {', '.join(missing)}; in this region these are the seller's marketplaces: {where}"
            advice = (
                f"correct the setting amazon.accounts.{account}.marketplaces; a seller's other regions are accounts of their own"
            )
            return Finding(what, False, text, advice)
        return Finding(what, True, f"the seller sells in {', '.join(map(_name, wanted))}")

    async def _orders(self, account: str) -> Finding:
        changed = await Orders(self._amazon).changed(account, self._clock() - _LOOK_BACK, patience=_PATIENCE)
        version = self._amazon.seller(account).orders_api
        page = changed.page
        more = " or more" if page.next_token else ""
        text = f"{len(page.orders) + len(page.flaws)}{more} changed in the last hour (Orders API {version})"
        if page.flaws:
            return Finding(
                "orders", False, f"{text}, of which {len(page.flaws)} cannot be read: {page.flaws[0]}", "please report it"
            )
        return Finding("orders", True, text)

    async def _feeds(self, account: str) -> Finding:
        if not self._amazon.seller(account).seller_id:
            return Finding("feeds", False, "the seller id is missing: nothing can be cancelled", self._seller_id_advice(account))
        since = self._clock() - timedelta(days=1)
        listed = await Feeds(self._amazon).find(account, ACKNOWLEDGEMENT_FEED, since, patience=_PATIENCE)
        return Finding("feeds", True, f"can be asked for; {len(listed)} of cancellations in the last day")

    async def _notifications(self, account: str) -> Finding:
        what, settings = "notifications", self._settings
        if not settings.queue_url:
            text = "no queue is set: changed orders are found by polling only, within minutes"
            return Finding(what, True, text, "set amazon.queue_url and run `msgbot amazon subscribe` to know within moments")
        fault = await Subscribe(self._amazon, queue_name(settings.queue_url, settings.queue_region)).fault(account)
        if fault:
            again = "" if "not subscribed" in fault else " --replace"
            return Finding(what, False, fault, f"run `msgbot amazon subscribe{again}`")
        if not self._amazon.seller(account).seller_id:
            text = "the seller id is missing: nobody knows for whom a notification is"
            return Finding(what, False, text, self._seller_id_advice(account))
        async with open_queue(settings.queue_url, settings.queue_region, settings.queue_endpoint) as queue:
            # None is received: each time brings a message nearer to the queue for those that nobody can read.
            waiting = await queue.waiting()
        return Finding(what, True, f"the seller's order changes come to the queue; messages waiting there: {waiting}")

    def _seller_id_advice(self, account: str) -> str:
        return f"set amazon.accounts.{account}.seller_id (Seller Central > Account Info > Merchant Token)"


def _name(marketplace_id: str) -> str:
    place = by_id(marketplace_id)
    return place.domain if place is not None else marketplace_id
