"""Feeds: what is sent to Amazon in documents and worked on later (domain.md section 4). The use cases follow them to their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgbot.amazon.fields import Fields
from msgbot.errors import InputError
from msgbot.spapi.answers import id_of_made
from msgbot.spapi.client import PATIENCE, QueryValue, SpApi
from msgbot.spapi.documents import Documents
from msgbot.spapi.moments import written
from msgbot.spapi.operations import CREATE_FEED, CREATE_FEED_DOCUMENT, GET_FEED, GET_FEED_DOCUMENT, GET_FEEDS

ENDED = frozenset({"DONE", "CANCELLED", "FATAL"})
"""The states that a feed or a report stays in. Done is not success: the processing report tells."""
_MOST_PAGES = 50


@dataclass(frozen=True, slots=True)
class FeedState:
    """Where a feed stands: `status` as Amazon spells it (`IN_QUEUE`, `IN_PROGRESS`, or one of ENDED), `result_document_id` of its
    processing report, or empty."""

    id: str
    type: str
    status: str
    created_at: datetime
    result_document_id: str

    @property
    def ended(self) -> bool:
        """Whether Amazon has done with it."""
        return self.status in ENDED


class Feeds:
    """Makes feeds and asks for them."""

    def __init__(self, client: SpApi) -> None:
        self._client = client
        self._documents = Documents(client)

    def now(self) -> datetime:
        """The time by Amazon's clock, as far as its last answer tells."""
        return self._client.clock() + (self._client.skew or timedelta())

    async def create_document(self, account: str, content_type: str, *, patience: float = PATIENCE) -> tuple[str, str]:
        """The id and the address (a secret, good for five minutes) of a new document to put a feed in."""
        answer = await self._client.call(account, CREATE_FEED_DOCUMENT, body={"contentType": content_type}, patience=patience)
        facts = Fields(answer.body)
        return facts.required_text("feedDocumentId"), facts.required_text("url")

    async def upload(self, url: str, data: bytes, content_type: str, *, patience: float = PATIENCE) -> None:
        """Puts the feed's bytes into its document. Raises AmazonAway when the address has expired: make a new document."""
        await self._documents.upload(url, data, content_type, patience=patience)

    async def create(
        self, account: str, feed_type: str, document_id: str, *, patience: float = PATIENCE, not_after: datetime | None = None
    ) -> str:
        """The id of the feed made of a document, in all of the seller's marketplaces; not made after `not_after`.

        Raises AmazonUnclear after any failure that leaves open whether it was made (`find` tells); after any other it was not."""
        body = {
            "feedType": feed_type,
            "marketplaceIds": list(self._client.seller(account).marketplaces),
            "inputFeedDocumentId": document_id,
        }
        answer = await self._client.call(account, CREATE_FEED, body=body, patience=patience, not_after=not_after)
        return id_of_made(answer, CREATE_FEED, account, "feedId")

    async def get(self, account: str, feed_id: str, *, patience: float = PATIENCE) -> FeedState:
        """Where the feed stands. Raises AmazonRefused (status 404) when there is none."""
        answer = await self._client.call(account, GET_FEED, path={"feedId": feed_id}, patience=patience)
        return _feed(Fields(answer.body))

    async def find(self, account: str, feed_type: str, since: datetime, *, patience: float = PATIENCE) -> list[FeedState]:
        """The seller's feeds of this type created at `since` or later by Amazon's clock, the oldest first."""
        query: dict[str, QueryValue] = {"feedTypes": [feed_type], "createdSince": written(since), "pageSize": 100}
        found: dict[str, FeedState] = {}
        for _ in range(_MOST_PAGES):
            answer = await self._client.call(account, GET_FEEDS, query=query, patience=patience)
            facts = Fields(answer.body)
            for value, path in facts.required_list("feeds"):
                feed = _feed(Fields(value, path))
                found[feed.id] = feed
            if not (token := facts.text("nextToken")):
                return sorted(found.values(), key=lambda feed: feed.created_at)
            # With any other parameter beside it the call is refused.
            query = {"nextToken": token}
        raise InputError(f"the list of feeds of account {account} does not end after {_MOST_PAGES} pages")

    async def result(self, account: str, document_id: str, *, patience: float = PATIENCE) -> bytes:
        """The processing report, unpacked."""
        document = await self._documents.fetch(account, GET_FEED_DOCUMENT, {"feedDocumentId": document_id}, patience=patience)
        return document.data


def _feed(facts: Fields) -> FeedState:
    return FeedState(
        facts.required_text("feedId"),
        facts.required_text("feedType"),
        facts.required_text("processingStatus"),
        facts.required_moment("createdTime"),
        facts.text("resultFeedDocumentId"),
    )
