"""What routes answer, beyond the values that have shapes of their own."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from msgbot.plain.amazon import AmazonStatusData
from msgbot.plain.messages import DecisionData, MessageData, ReplyData
from msgbot.plain.orders import CancellationData, FormalRequestData, OrderData, RecordedRulingData, RowData, RulingData
from msgbot.plain.verdicts import VerdictData
from msgbot.web.problems import ProblemData


class TakenData(TypedDict):
    """A message taken in. `new` is false when it was on file already; then nothing was done."""

    id: str
    account: str
    new: bool
    kind: str
    order_ids: list[str]
    flaws: list[str]
    verdict: VerdictData


class ItemResultData(TypedDict, total=False):
    """What became of one message of a batch: as for a single one, or `error`. In a stream `line` is its number."""

    line: int
    id: str
    account: str
    new: bool
    kind: str
    order_ids: list[str]
    flaws: list[str]
    verdict: VerdictData
    error: ProblemData


class SummaryData(TypedDict):
    """How many messages a batch had, and what became of them."""

    messages: int
    new: int
    known: int
    failed: int


class BatchData(TypedDict):
    """What became of each message of a batch, in its order."""

    results: list[ItemResultData]
    summary: SummaryData


class ListedData(MessageData):
    """A message with the decision on it and its reply, if there are any."""

    decision: DecisionData | None
    reply: ReplyData | None


class MessagesData(TypedDict):
    """A page of messages. `next_cursor` is null on the last one."""

    messages: list[ListedData]
    next_cursor: str | None


class DetailData(ListedData):
    """A message; `about_orders` are those it is about, also where only the buyer's other messages name one."""

    about_orders: list[str]


class VerdictsData(TypedDict):
    """Verdicts in the order of the texts."""

    verdicts: list[VerdictData]


class PreviewData(TypedDict):
    """What would be done about a message and why. `body` is empty when there would be no reply."""

    verdict: VerdictData
    order_ids: list[str]
    decision: DecisionData
    language: str
    body: str


class ReviewedData(TypedDict):
    """A reply, the message it answers, and the decision on that."""

    reply: ReplyData
    message: MessageData
    decision: DecisionData | None


class RepliesData(TypedDict):
    """A page of replies."""

    replies: list[ReviewedData]
    next_cursor: str | None


class SuggestionsData(TypedDict):
    """A page of suggestions."""

    suggestions: list[ReviewedData]
    next_cursor: str | None


class PushedData(TypedDict):
    """An order as it is on file after the push. `formal_requests` are those that are on file now; `notes` say what was not
    believed."""

    order: OrderData
    new: bool
    changed: bool
    formal_requests: list[FormalRequestData]
    notes: list[str]


class OrderDetailData(TypedDict):
    """Everything about one order. `order` is null when nobody has told anything of it."""

    order: OrderData | None
    formal_requests: list[FormalRequestData]
    messages: list[ListedData]
    rulings: list[RecordedRulingData]
    cancellations: list[CancellationData]


class RequestedData(TypedDict):
    """A cancellation that goes ahead, and the ruling that lets it."""

    cancellation: CancellationData
    ruling: RulingData


class CancellationsData(TypedDict):
    """A page of cancellations."""

    cancellations: list[CancellationData]
    next_cursor: str | None


class AmazonData(AmazonStatusData):
    """The connection of an account to Amazon. `connected` is false when the settings give none; then nothing works, and the rest is
    what was there while they did."""

    connected: bool


class FileData(TypedDict):
    """The rows of a cancellation file with their rulings. `clean` is the file with the allowed rows only."""

    rows: list[RowData]
    allowed: int
    blocked: int
    clean: str


class SignedInData(TypedDict):
    """A token for a person, good for some hours."""

    token: str
    expires_at: str
    name: str
    role: str


class MeData(TypedDict):
    """Who a token speaks for. `accounts` null: all."""

    name: str
    role: str
    permissions: list[str]
    accounts: list[str] | None


class AccountData(TypedDict):
    """A seller account."""

    name: str
    store: str
    own_addresses: list[str]
    created_at: str
    version: int


class AccountsData(TypedDict):
    """The accounts that the token may use."""

    accounts: list[AccountData]


class WebhookData(TypedDict):
    """A webhook. `secret` is only in the answers that make or renew it."""

    id: str
    url: str
    events: list[str]
    enabled: bool
    created_at: str
    version: int
    secret: NotRequired[str]


class WebhooksData(TypedDict):
    """The webhooks of an account."""

    webhooks: list[WebhookData]


class AttemptData(TypedDict):
    """One try to deliver. `status` is null when there was no answer."""

    at: str
    status: int | None
    milliseconds: int
    error: str


class DeliveryData(TypedDict):
    """An event on its way. `state` is waiting, delivered, failed or cancelled."""

    id: str
    webhook_id: str
    event: str
    payload: dict[str, Any]
    created_at: str
    state: str
    attempts: list[AttemptData]
    next_try_at: str | None


class DeliveriesData(TypedDict):
    """A page of deliveries."""

    deliveries: list[DeliveryData]
    next_cursor: str | None


class HealthData(TypedDict):
    """`status` is ok, or says what is wrong."""

    status: str
