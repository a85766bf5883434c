"""Messages over HTTP: those on file, and what msgbot reads in a text that nobody keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from msgbot.domain.message import buyer_key_of
from msgbot.errors import NotFound
from msgbot.plain.messages import decision_data, message_data, reply_data
from msgbot.plain.verdicts import VerdictData, verdict_data
from msgbot.reader import Reader
from msgbot.store import messages, replies
from msgbot.web.answers import DetailData, ListedData
from msgbot.web.bodies import parse_json
from msgbot.web.cursors import read_cursor, write_cursor
from msgbot.web.problems import Problem, invalid
from msgbot.web.routing import Call, answer
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
        shown = found[: query.limit]
        ids = [turn.message.id for turn in shown]
        decided = await replies.decided(connection, call.account, ids)
        answers = await replies.to_messages(connection, call.account, ids)
    listed: list[ListedData] = []
    for turn in shown:
        message_id = turn.message.id
        listed.append(
            {
                **message_data(turn),
                "decision": decision_data(decided[message_id]) if message_id in decided else None,
                "reply": reply_data(answers[message_id], turn.message) if message_id in answers else None,
            }
        )
    last = shown[-1] if len(found) > query.limit else None
    cursor = write_cursor(last.received_at, last.message.id) if last is not None and last.received_at is not None else None
    return answer({"messages": listed, "next_cursor": cursor})


async def get_message(call: Call) -> web.StreamResponse:
    """One message with the decision on it and its reply."""
    message_id = call.value("message_id")
    async with call.service.database.reading() as connection:
        turn = await messages.get(connection, call.account, message_id)
        if turn is None:
            raise NotFound(f"no message {message_id[:100]} of account {call.account}")
        order_ids = await messages.orders_of(connection, turn.message)
        decided = (await replies.decided(connection, call.account, [message_id])).get(message_id)
        reply = (await replies.to_messages(connection, call.account, [message_id])).get(message_id)
    data: DetailData = {
        **message_data(turn),
        "about_orders": list(order_ids),
        "decision": decision_data(decided) if decided is not None else None,
        "reply": reply_data(reply, turn.message) if reply is not None else None,
    }
    return answer(data)


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
