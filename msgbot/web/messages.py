"""Messages over HTTP: looked at, and read without keeping them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from aiohttp import web
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.access import Permission as May
from msgbot.domain.conversation import Turn
from msgbot.domain.message import buyer_key_of
from msgbot.errors import NotFound
from msgbot.plain.messages import decision_data, message_data, reply_data
from msgbot.plain.verdicts import VerdictData, verdict_data
from msgbot.reader import Reader
from msgbot.store import messages, replies
from msgbot.web.answers import DetailData, ListedData, MessagesData, VerdictsData
from msgbot.web.bodies import parse_json
from msgbot.web.cursors import page_of, read_cursor
from msgbot.web.problems import Problem, invalid
from msgbot.web.routing import Call, Route, answer
from msgbot.web.shapes import DetectIn, MessagesQuery

_DETECT_AT_ONCE = 1_000


async def list_messages(call: Call) -> web.StreamResponse:
    """A page of messages, the newest first."""
    query = call.query(MessagesQuery)
    wanted = messages.Filter(
        order_id=query.order_id or "",
        buyer=buyer_key_of(query.buyer or ""),
        intent=query.intent,
        kind=query.kind,
        action=query.action,
        since=query.since,
        until=query.until,
    )
    async with call.service.database.reading() as connection:
        found = await messages.page(connection, call.account, wanted, read_cursor(query.cursor), query.limit + 1)
        turns, cursor = page_of(found, query.limit, lambda turn: (cast(datetime, turn.received_at), turn.message.id))
        shown = await listed(connection, call.account, turns)
    return answer({"messages": shown, "next_cursor": cursor})


async def get_message(call: Call) -> web.StreamResponse:
    """One message with the decision on it and its reply."""
    message_id = call.value("message_id")
    async with call.service.database.reading() as connection:
        turn = await messages.get(connection, call.account, message_id)
        if turn is None:
            raise NotFound(f"no message {message_id[:100]} of account {call.account}")
        order_ids = await messages.orders_of(connection, turn.message)
        [shown] = await listed(connection, call.account, [turn])
    data: DetailData = {**shown, "about_orders": list(order_ids)}
    return answer(data)


async def listed(connection: AsyncConnection, account: str, turns: Sequence[Turn]) -> list[ListedData]:
    """Messages with the decision on each and its reply."""
    ids = [turn.message.id for turn in turns]
    decided = await replies.decided(connection, account, ids)
    answers = await replies.to_messages(connection, account, ids)
    return [
        {
            **message_data(turn),
            "decision": decision_data(decided[turn.message.id]) if turn.message.id in decided else None,
            "reply": reply_data(answers[turn.message.id], turn.message) if turn.message.id in answers else None,
        }
        for turn in turns
    ]


async def post_detect(call: Call) -> web.StreamResponse:
    """The verdict on a text, or on each of an array."""
    given = parse_json(call.raw)
    together = given if isinstance(given, list) else [given]
    if len(together) > _DETECT_AT_ONCE:
        raise Problem(413, "too_many", f"{_DETECT_AT_ONCE} texts at most in one request")
    texts = [_text(each, f"/{number}" if isinstance(given, list) else "") for number, each in enumerate(together)]
    data = await call.service.reading.run(sum(len(each.text) for each in texts), _verdicts, texts)
    return answer({"verdicts": data} if isinstance(given, list) else data[0])


def _verdicts(reader: Reader, texts: Sequence[DetectIn]) -> list[VerdictData]:
    return [verdict_data(reader.detector.detect(each.text, each.language)) for each in texts]


def _text(given: Any, prefix: str) -> DetectIn:
    try:
        return DetectIn.model_validate(given)
    except ValidationError as error:
        raise invalid(error, prefix) from error


ROUTES = (
    Route(
        method="GET",
        path="/v1/messages",
        handler=list_messages,
        tag="Messages",
        says="List messages, the newest first.",
        permission=May.READ_MESSAGES,
        query=MessagesQuery,
        answers={200: MessagesData},
    ),
    Route(
        method="GET",
        path="/v1/messages/{message_id}",
        handler=get_message,
        tag="Messages",
        says="Look at one message.\n\nIts id stands percent-encoded in the path.",
        permission=May.READ_MESSAGES,
        answers={200: DetailData},
    ),
    Route(
        method="POST",
        path="/v1/detect",
        handler=post_detect,
        tag="Messages",
        says="Read a text.\n\nThe verdict only; nothing is put on file. An array of up to 1,000 texts gives an array of verdicts.",
        permission=May.DETECT,
        body=DetectIn | list[DetectIn],
        answers={200: VerdictData | VerdictsData},
        account=False,
    ),
)
