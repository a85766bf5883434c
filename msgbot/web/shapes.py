"""What clients send: bodies and query parameters. Strict, so that a slip in a field is told instead of guessed at."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from msgbot.channels.rows import FIELDS, field_name
from msgbot.domain.cancellation import CancelReason
from msgbot.domain.events import EventType
from msgbot.domain.message import ORDER_ID, Kind
from msgbot.domain.order import Fulfilment, OrderStatus, RequestKnowledge
from msgbot.domain.policy import Action
from msgbot.domain.verdict import Intent
from msgbot.store.cancellations import CancellationState
from msgbot.store.replies import ReplyState

PAGE = 50
LONGEST_PAGE = 200
LONGEST_TEXT = 200_000


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _is_text(value: Any) -> Any:
    # The library would take a number for seconds since 1970, also as text.
    if not isinstance(value, str) or not _DAY.match(value):
        raise ValueError("a time is written as text: 2026-11-20T14:30:00Z")
    return value


def _aware(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time that no calendar has") from error


def _no_nul(value: str) -> str:
    if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError("a character that no text holds: NUL or half of a pair")
    return value


def _order_id(value: str) -> str:
    if not ORDER_ID.fullmatch(value):
        raise ValueError("no order id; one looks like 114-0000001-0000001")
    return value


Moment = Annotated[datetime, BeforeValidator(_is_text), AfterValidator(_aware)]
"""A time; UTC unless it says otherwise."""
Word = Annotated[StrictStr, AfterValidator(_no_nul), Field(max_length=255)]
OrderId = Annotated[StrictStr, Field(pattern=r"^[0-9]{3}-[0-9]{7}-[0-9]{7}$"), AfterValidator(_order_id)]


class Body(BaseModel):
    """A JSON body; fields that it does not have are refused."""

    model_config = ConfigDict(extra="forbid")


class MessageIn(BaseModel):
    """A message. Only `text` is needed; without an id, its content gives it one. A field that is null counts as left out, and those
    that msgbot does not know are passed over."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    text: Annotated[
        StrictStr, Field(min_length=1, max_length=LONGEST_TEXT, description="What was written; may be the whole frame.")
    ]
    id: Annotated[StrictStr, Field(max_length=998)] | None = Field(
        None, description="The sender's id; with the account it is unique."
    )
    order_ids: Annotated[list[Word], Field(max_length=100)] | None = Field(None, description="The orders it is about.")
    sender: Annotated[StrictStr, Field(max_length=998)] | None = Field(None, alias="from", description="The buyer's relay address.")
    to: Annotated[StrictStr, Field(max_length=998)] | None = Field(None, description="The seller's address.")
    subject: Annotated[StrictStr, Field(max_length=2_000)] | None = None
    sent_at: Moment | None = Field(None, description="When it was written.")
    language: Annotated[StrictStr, Field(max_length=16)] | None = Field(
        None, description="What the source says of the language: en, de, ja ..."
    )
    marketplace: Annotated[StrictStr, Field(max_length=64)] | None = Field(None, description="Marketplace id or domain.")
    direction: Literal["inbound", "outbound"] | None = Field(None, description="From the buyer (if not given) or from the seller.")
    account: Annotated[StrictStr, Field(max_length=64)] | None = Field(
        None, description="The account, where it is not that of the request."
    )


_NAMES = {name: "order_ids" if field == "orders" else field for field, names in FIELDS.items() for name in names}


def canonical(row: dict[str, Any]) -> dict[str, Any]:
    """A message's fields under their own names: `Order-ID`, `body` and `date` are understood, too."""
    made: dict[str, Any] = {}
    for name, value in row.items():
        plain = field_name(name)
        field = _NAMES.get(plain, plain)
        if plain == "order_id" and isinstance(value, str):
            value = value.split()
        if made.get(field) is None:
            made[field] = value
    return made


class DetectIn(Body):
    """A text to read."""

    text: Annotated[StrictStr, Field(max_length=LONGEST_TEXT)]
    language: Annotated[StrictStr, Field(max_length=16, description="The language you think it is in; breaks ties.")] = ""


class EditIn(Body):
    """Other words for a suggestion."""

    body: Annotated[StrictStr, AfterValidator(_no_nul), Field(min_length=1, max_length=4_000)]


class DismissIn(Body):
    """Why a suggestion is set aside."""

    note: Annotated[StrictStr, AfterValidator(_no_nul), Field(max_length=1_000)] = ""


class ItemIn(Body):
    """One line of an order."""

    id: Annotated[Word, Field(max_length=64)] = ""
    sku: Word = ""
    asin: Word = ""
    title: Annotated[StrictStr, AfterValidator(_no_nul), Field(max_length=1_000)] = ""
    quantity: Annotated[StrictInt, Field(ge=0, le=1_000_000)] | None = None
    formal_request: RequestKnowledge = Field(
        RequestKnowledge.UNKNOWN, description="Whether the buyer filed one; believed from trusted sources only."
    )
    cancel_reason: Word = ""


class OrderIn(Body):
    """What another system says of an order."""

    status: OrderStatus
    fulfilment: Fulfilment = Fulfilment.UNKNOWN
    items: Annotated[list[ItemIn], Field(max_length=500)] = []
    marketplace: Annotated[Word, Field(max_length=32, description="Marketplace id or domain.")] = ""
    purchased_at: Moment | None = None
    ship_by: Moment | None = None
    updated_at: Moment | None = None
    as_of: Moment | None = Field(None, description="When this was true; now, if not given. Not in the future.")


class CancellationIn(Body):
    """A cancellation that somebody wants to make. Without items: the whole order."""

    reason: CancelReason = Field(description="Why, in the spelling of Amazon's feeds.")
    item_ids: Annotated[list[Annotated[Word, Field(min_length=1, max_length=64)]], Field(max_length=500)] = []
    confirm: Annotated[StrictStr, Field(max_length=32, description="The code of a ruling that needs confirmation.")] = ""


class OverrideIn(Body):
    """Why a blocked cancellation is right after all."""

    reason: Annotated[StrictStr, AfterValidator(_no_nul), Field(min_length=10, max_length=2_000)]


class SignInIn(Body):
    """Name and password."""

    name: Annotated[StrictStr, Field(max_length=64)]
    password: Annotated[StrictStr, Field(max_length=1_000)]


class WebhookIn(Body):
    """Where events go, and which."""

    url: Annotated[Word, Field(max_length=2_000, pattern=r"^https?://[^ \s]+$")]
    events: Annotated[list[EventType], Field(min_length=1, max_length=20)]
    enabled: StrictBool = True


class AccountIn(Body):
    """What an account is called under replies, and its own mail addresses, which are never answered."""

    store: Annotated[Word, Field(max_length=200)] = ""
    own_addresses: Annotated[list[Annotated[Word, Field(min_length=3, max_length=254)]], Field(max_length=100)] = []


class Query(BaseModel):
    """Query parameters; one that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Paged(Query):
    """A page of a list."""

    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = PAGE
    cursor: Annotated[str, Field(pattern="^[A-Za-z0-9_-]+$", max_length=2_000)] | None = Field(
        None, description="`next_cursor` of the page before."
    )


class MessagesQuery(Paged):
    """Which messages."""

    order_id: OrderId | None = None
    buyer: Annotated[str, AfterValidator(_no_nul), Field(max_length=320, description="The buyer's relay address.")] | None = None
    intent: Intent | None = None
    kind: Kind | None = None
    action: Action | None = None
    since: Moment | None = None
    until: Moment | None = None


class RepliesQuery(Paged):
    """Which replies."""

    state: ReplyState | None = None
    order_id: OrderId | None = None


class CancellationsQuery(Paged):
    """Which cancellations."""

    state: CancellationState | None = None


class AuditQuery(Query):
    """The period of an audit and its form; without a form, the Accept header decides."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    since: Moment | None = Field(None, alias="from", description="From this time or day on.")
    until: Moment | None = Field(None, alias="to", description="Before this time or day.")
    format: Literal["json", "csv", "ndjson"] | None = None


class EntriesQuery(Query):
    """The part of the audit trail that is wanted."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    since: Moment | None = Field(None, alias="from")
    until: Moment | None = Field(None, alias="to")
    after: Annotated[int, Field(ge=0, le=2**31 - 1, description="Only entries behind this number.")] = 0


class FileQuery(Query):
    """What the file is called, for the record."""

    name: Annotated[str, AfterValidator(_no_nul), Field(min_length=1, max_length=200)] = "cancellations.txt"
