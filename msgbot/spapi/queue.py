"""The queue that Amazon's notifications come to: long polls, deletes and longer hiding on SQS, in the project's own errors.

The credentials are those of the usual AWS chain: the environment, a profile, the role of the machine.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from yarl import URL

from msgbot.errors import AmazonAway, AmazonDenied, ConfigError
from msgbot.spapi.queue_errors import amazon_error

# The library takes half a second to load, and most of what msgbot does needs none of it: so it is loaded when a queue is used.
if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import BatchResultErrorEntryTypeDef, MessageTypeDef, ResponseMetadataTypeDef

LONGEST_POLL = 20
"""Seconds: SQS waits no longer for a message to come."""
HIDDEN_SECONDS = 60
TOGETHER = 10
"""SQS hands out, deletes and hides at most so many at once."""
_WAITING: Final = "ApproximateNumberOfMessages"
_CONNECT_SECONDS = 10
_ANSWER_SECONDS = LONGEST_POLL + 15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
_HOSTS = (
    re.compile(rf"(?:^|\.)sqs(?:-fips)?\.({_REGION.pattern})\."),
    re.compile(rf"^({_REGION.pattern})\.queue\."),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A message of the queue. `receipt` stands for this one time it was received: with it, it is deleted or kept hidden."""

    id: str
    receipt: str = field(repr=False)
    body: bytes = field(repr=False)
    sent_at: datetime | None
    received_count: int


@dataclass(frozen=True, slots=True)
class Left:
    """A notice with which the queue did not do what it was asked to, and why."""

    notice: Notice
    reason: str


class Queue:
    """Built by `open_queue`. It connects when it is first used, and anew after it was denied: credentials may have come."""

    def __init__(self, url: str, region: str, endpoint: str) -> None:
        self.url = url
        self._region = region
        self._endpoint = endpoint
        self._opening = asyncio.Lock()
        self._client: SQSClient | None = None
        self._stack = AsyncExitStack()

    async def receive(self, seconds: int = LONGEST_POLL, *, hidden_seconds: int = HIDDEN_SECONDS) -> list[Notice]:
        """Up to ten notices, in no order; waits up to `seconds` for the first. Nobody else receives them for `hidden_seconds`.
        Raises AmazonError."""
        async with self._calling("ReceiveMessage") as client:
            answer = await client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=TOGETHER,
                WaitTimeSeconds=min(seconds, LONGEST_POLL),
                VisibilityTimeout=hidden_seconds,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            )
            self._check_is_sqs(answer["ResponseMetadata"], "ReceiveMessage")
        return [_notice(message) for message in answer.get("Messages", [])]

    async def waiting(self) -> int:
        """How many messages wait, as good as SQS knows it; none is received. Raises AmazonError."""
        async with self._calling("GetQueueAttributes") as client:
            answer = await client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[_WAITING])
            self._check_is_sqs(answer["ResponseMetadata"], "GetQueueAttributes")
        return int(answer["Attributes"][_WAITING])

    async def delete(self, notices: Iterable[Notice]) -> list[Left]:
        """Deletes notices for good; those that were not deleted, and will come again. Raises AmazonError."""
        left: list[Left] = []
        for some in _tens(notices):
            async with self._calling("DeleteMessageBatch") as client:
                answer = await client.delete_message_batch(
                    QueueUrl=self.url,
                    Entries=[{"Id": str(number), "ReceiptHandle": notice.receipt} for number, notice in enumerate(some)],
                )
            left += _left(some, answer.get("Failed", []))
        return left

    async def extend(self, notices: Iterable[Notice], seconds: int) -> list[Left]:
        """Keeps notices hidden for `seconds` from now; those of which it could not be done. Raises AmazonError."""
        left: list[Left] = []
        for some in _tens(notices):
            async with self._calling("ChangeMessageVisibilityBatch") as client:
                answer = await client.change_message_visibility_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": notice.receipt, "VisibilityTimeout": seconds}
                        for number, notice in enumerate(some)
                    ],
                )
            left += _left(some, answer.get("Failed", []))
        return left

    async def close(self) -> None:
        """Closes the connections; a later call opens them again."""
        async with self._opening:
            self._client = None
            await self._stack.aclose()

    def _check_is_sqs(self, about: ResponseMetadataTypeDef, operation: str) -> None:
        # The library takes whatever says 200, a hotel's sign-in page too, for an answer with nothing in it.
        if not about.get("RequestId"):
            raise AmazonAway(f"the queue {self.url} cannot be used now: what answers is not SQS", operation=operation)

    @asynccontextmanager
    async def _calling(self, operation: str) -> AsyncIterator[SQSClient]:
        """The client. What goes wrong in the block is raised as AmazonError."""
        try:
            yield await self._opened()
        except Exception as error:  # the library's errors have no one root
            known = amazon_error(error, operation, self.url)
            if known is None:
                raise
            if isinstance(known, AmazonDenied):
                await self.close()
            raise known from error

    async def _opened(self) -> SQSClient:
        from aiobotocore.config import AioConfig
        from aiobotocore.session import get_session

        async with self._opening:
            if self._client is not None:
                return self._client
            config = AioConfig(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_ANSWER_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 2},
            )
            opening = get_session().create_client(
                "sqs", region_name=self._region, endpoint_url=self._endpoint or None, config=config
            )
            client: SQSClient = await self._stack.enter_async_context(opening)
            self._client = client
            return client


@asynccontextmanager
async def open_queue(url: str, region: str = "", endpoint: str = "") -> AsyncIterator[Queue]:
    """The queue at `url`, until the block ends. `region` may be empty where the address tells it; `endpoint` is the address of the
    service, empty for AWS itself.

    Raises ConfigError for what is no address, and when the region is not to be known. That nobody is there, or lets us in, is
    found by the first call."""
    for name, address in (("queue_url", url), ("queue_endpoint", endpoint)):
        if not (_is_address(address) or (not address and name == "queue_endpoint")):
            raise ConfigError(f"the setting '{name}' is no address: {address!r}; it begins with https://")
    region = region or region_of(url)
    if not _REGION.fullmatch(region):
        raise ConfigError(
            f"the setting 'queue_region' is no AWS region: {region!r}; one looks like eu-west-1"
            if region
            else f"the address {url} does not tell its AWS region: give it in the setting 'queue_region'"
        )
    queue = Queue(url, region, endpoint)
    try:
        yield queue
    finally:
        await queue.close()


def region_of(url: str) -> str:
    """The AWS region that the address of a queue tells, empty if it tells none."""
    host = (URL(url).host or "").lower()
    found = next(filter(None, (pattern.search(host) for pattern in _HOSTS)), None)
    return found[1] if found else ""


def _is_address(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in {"https", "http"} and bool(url.host)


def _notice(message: MessageTypeDef) -> Notice:
    known = message.get("Attributes", {})
    sent = known.get("SentTimestamp")
    return Notice(
        message["MessageId"],
        message["ReceiptHandle"],
        message.get("Body", "").encode("utf-8", "replace"),
        _EPOCH + timedelta(milliseconds=int(sent)) if sent else None,
        int(known.get("ApproximateReceiveCount", "1")),
    )


def _tens(notices: Iterable[Notice]) -> Iterator[Sequence[Notice]]:
    rest = list(notices)
    while rest:
        yield rest[:TOGETHER]
        rest = rest[TOGETHER:]


def _left(notices: Sequence[Notice], failed: Sequence[BatchResultErrorEntryTypeDef]) -> list[Left]:
    return [Left(notices[int(each["Id"])], f"{each['Code']} {each.get('Message', '')}".rstrip()) for each in failed]
