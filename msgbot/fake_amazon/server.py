"""FakeAmazon: the world behind a door on loopback. Takes each request, lets trouble happen, answers as Amazon does."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs

from aiohttp import web

from msgbot.clock import Clock, system_clock
from msgbot.fake_amazon.call import Call, Refusal, Reply, missing
from msgbot.fake_amazon.feed_calls import FeedCalls
from msgbot.fake_amazon.notification_calls import NotificationCalls
from msgbot.fake_amazon.operations import Buckets, Operation, find
from msgbot.fake_amazon.order_calls import OrderCalls
from msgbot.fake_amazon.report_calls import ReportCalls
from msgbot.fake_amazon.sellers import FakeSeller
from msgbot.fake_amazon.trouble import BEFORE, FOREVER, Ordered, Trouble, Troubles, answer_to
from msgbot.fake_amazon.world import World

TOKEN, UPLOAD, DOWNLOAD, UNKNOWN = "token", "upload", "download", "unknown"
MOST_BYTES = 64 * 1024 * 1024
RATE_TOLD = frozenset({200, 201, 202, 204, 400, 404})
"""Never with 429 (domain.md section 7)."""

Exchange = Callable[[str, str, Mapping[str, list[str]], object, int, object], None]
"""Is told method, path, query, the request's JSON (None: none), status and the answer's JSON (None: none)."""


class FakeAmazon(World):
    """A world that answers over HTTP.

    `calls` is every request, oldest first. `throttled` switches Amazon's token buckets on; their rates are in `buckets.rates`. The
    operations are named as in Amazon's models; besides, there are `token`, `upload` and `download`.
    """

    def __init__(self, clock: Clock = system_clock, *, throttled: bool = False, lag: timedelta = timedelta(minutes=2)) -> None:
        super().__init__(clock, lag=lag)
        self.base = ""
        self.calls: list[Call] = []
        self.throttled = throttled
        self.buckets = Buckets()
        self.feeds = FeedCalls(self)
        self.reports = ReportCalls(self)
        self.notifications = NotificationCalls()
        self._orders = OrderCalls(self)
        self._troubles = Troubles()
        self._exchanges: list[Exchange] = []
        self._runner: web.AppRunner | None = None
        self._handlers: dict[str, Callable[[Call], Reply]] = {
            "getOrders": self._orders.search_v0,
            "getOrder@v0": self._orders.one_v0,
            "getOrderItems": self._orders.items_v0,
            "searchOrders": self._orders.search_v2026,
            "getOrder@2026": self._orders.one_v2026,
            "createFeedDocument": self.feeds.create_document,
            "getFeedDocument": lambda call: self.documents.answer_to(call, "feedDocumentId"),
            "getFeeds": self.feeds.some,
            "getFeed": self.feeds.one,
            "cancelFeed": self.feeds.cancel,
            "getReports": self.reports.some,
            "getReport": self.reports.one,
            "getReportDocument": lambda call: self.documents.answer_to(call, "reportDocumentId"),
            "createDestination": self.notifications.create_destination,
            "getDestinations": self.notifications.list_destinations,
            "getDestination": self.notifications.get_destination,
            "deleteDestination": self.notifications.delete_destination,
            "createSubscription": self.notifications.subscribe,
            "getSubscription": self.notifications.get_subscription,
            "getSubscriptionById": self.notifications.get_subscription_by_id,
            "deleteSubscriptionById": self.notifications.unsubscribe,
            "getMarketplaceParticipations": self.access.participations,
        }

    @property
    def token_endpoint(self) -> str:
        """Where access tokens come from."""
        return f"{self.base}/auth/o2/token"

    async def start(self, port: int = 0) -> str:
        """Opens the door on loopback and gives the base address; 0 takes a free port."""
        application = web.Application(client_max_size=MOST_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.base = self.documents.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.base

    async def stop(self) -> None:
        """Closes the door; the world stays as it is."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[str]:
        """Open until the block ends; gives the base address."""
        try:
            yield await self.start(port)
        finally:
            await self.stop()

    @contextmanager
    def in_thread(self, port: int = 0) -> Iterator[str]:
        """Open in a thread of its own until the block ends, for whoever waits for other processes without an event loop."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="fake-amazon", daemon=True)
        thread.start()
        try:
            yield asyncio.run_coroutine_threadsafe(self.start(port), loop).result(30)
        finally:
            asyncio.run_coroutine_threadsafe(self.stop(), loop).result(30)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def trouble(self, operation: str, kind: Trouble, times: int = 1, *, seconds: float = 1.0) -> None:
        """The next `times` calls of `operation` (`*`: any) meet trouble; `seconds` is how late a slow answer comes."""
        self._troubles.order(operation, kind, times, seconds)

    def go_down(self, duration: timedelta = FOREVER) -> None:
        """Everything answers 503 for so long, by the fake's clock."""
        self._troubles.down(self.clock() + duration)

    def come_back(self) -> None:
        """Ends what `go_down` began."""
        self._troubles.down(None)

    def on_exchange(self, told: Exchange) -> None:
        """`told` is called with each call of the Selling Partner API that was done, and Amazon's answer before trouble met it."""
        self._exchanges.append(told)

    def calls_of(self, operation: str) -> list[Call]:
        """The calls of one operation, oldest first."""
        return [call for call in self.calls if call.operation == operation]

    def write_report(
        self, report_type: str, data: bytes, content_type: str = "text/plain; charset=UTF-8", *, seller: FakeSeller | None = None
    ) -> None:
        """From now on reports of this type say this, until then they end CANCELLED: there is nothing to tell."""
        self.reports.write((seller or self.seller).id, report_type, data, content_type)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        found = find(request.method, request.path)
        operation, names = found or (None, {})
        call = Call(
            operation.name if operation else _other(request),
            request.method,
            request.path,
            parse_qs(request.query_string, keep_blank_values=True),
            request.headers,
            await request.read(),
            self.clock(),
            names,
        )
        self.calls.append(call)
        trouble = self._troubles.meet(call.operation, call.at)
        if trouble is not None and trouble.kind in BEFORE:
            if trouble.kind is Trouble.CUT_BEFORE:
                return _cut(request)
            return self._sent(answer_to(trouble.kind), call, None)
        reply = self._answer(call, operation, trouble)
        if operation is not None:
            for told in self._exchanges:
                told(call.method, call.path, call.query, _json(call.body), reply.status, _json(reply.data()))
        return await self._troubled(request, reply, call, operation, trouble)

    def _answer(self, call: Call, operation: Operation | None, trouble: Ordered | None) -> Reply:
        try:
            if operation is not None:
                return self._serve(call, operation, trouble)
            if call.operation == TOKEN:
                return self.access.give(call)
            if call.operation in {UPLOAD, DOWNLOAD}:
                return self.documents.serve(call)
            raise missing("There is no such resource.")
        except Refusal as refusal:
            return refusal.reply

    def _serve(self, call: Call, operation: Operation, trouble: Ordered | None) -> Reply:
        seller_id = self.access.seller_of(call, grantless=operation.grantless)
        if self.throttled and not self.buckets.take(seller_id, operation.key, call.at):
            return answer_to(Trouble.QUOTA)
        self.feeds.advance()
        call = replace(call, seller_id=seller_id)
        self.calls[-1] = call
        fate = trouble.kind if trouble is not None and trouble.kind in {Trouble.FATAL, Trouble.CANCELLED} else None
        match operation.key:
            case "createFeed":
                return self.feeds.create(call, fate)
            case "createReport":
                return self.reports.create(call, fate)
            case _:
                return self._handlers[operation.key](call)

    async def _troubled(
        self, request: web.Request, reply: Reply, call: Call, operation: Operation | None, trouble: Ordered | None
    ) -> web.StreamResponse:
        """The answer of a call that was done, with whatever may still happen to it."""
        if trouble is not None:
            match trouble.kind:
                case Trouble.CUT_AFTER:
                    return _cut(request)
                case Trouble.ERROR_AFTER:
                    reply = answer_to(trouble.kind)
                case Trouble.TRUNCATED:
                    reply = replace(reply, raw=reply.data()[: len(reply.data()) // 2])
                case Trouble.SLOW:
                    await asyncio.sleep(trouble.seconds)
        return self._sent(reply, call, operation)

    def _sent(self, reply: Reply, call: Call, operation: Operation | None) -> web.Response:
        headers = {"Date": _http_date(call.at), "x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": reply.content_type}
        if operation is not None and reply.status in RATE_TOLD:
            headers["x-amzn-RateLimit-Limit"] = str(self.buckets.rates[operation.key][0])
        return web.Response(status=reply.status, body=reply.data(), headers=headers)


def _other(request: web.Request) -> str:
    """The name of what is no operation of the Selling Partner API."""
    if (request.method, request.path) == ("POST", "/auth/o2/token"):
        return TOKEN
    if request.path.startswith("/storage/") and request.method in {"PUT", "GET"}:
        return UPLOAD if request.method == "PUT" else DOWNLOAD
    return UNKNOWN


def _cut(request: web.Request) -> web.Response:
    """Ends the connection; what is given back goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _json(data: bytes) -> object:
    with suppress(ValueError):
        return json.loads(data)
    return None


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
