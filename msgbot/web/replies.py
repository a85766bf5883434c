"""Replies over HTTP: what is suggested, what would be answered, and what a person does about it."""

from __future__ import annotations

from aiohttp import web

from msgbot.domain.access import Permission as May
from msgbot.plain.messages import decision_data, message_data, reply_data
from msgbot.plain.verdicts import verdict_data
from msgbot.review import Person, Reviewed
from msgbot.store.replies import Decided, Reply, ReplyState
from msgbot.web.answers import PreviewData, RepliesData, ReviewedData, SuggestionsData
from msgbot.web.arrivals import read_posted
from msgbot.web.bodies import parse_json
from msgbot.web.cursors import page_of, read_cursor
from msgbot.web.reading import Bad, read_values
from msgbot.web.routing import Call, Route, answer
from msgbot.web.shapes import DismissIn, EditIn, MessageIn, Paged, RepliesQuery


async def preview(call: Call) -> web.StreamResponse:
    """What would be answered to a message that is not put on file."""
    [item] = await read_posted(call, read_values, [parse_json(call.raw)], len(call.raw))
    if isinstance(item, Bad):
        raise item.problem
    turn, _ = item
    shown = await call.service.review.preview(turn)
    order_id = shown.order_ids[0] if shown.order_ids else ""
    decided = Decided(turn.message.id, shown.decision, order_id, call.service.clock())
    data: PreviewData = {
        "verdict": verdict_data(shown.turn.verdict),
        "order_ids": list(shown.order_ids),
        "decision": decision_data(decided),
        "language": shown.language,
        "body": shown.body,
    }
    return answer(data)


async def list_suggestions(call: Call) -> web.StreamResponse:
    """A page of what waits for a person, the newest first."""
    query = call.query(Paged)
    page, cursor = await _page(call, query, ReplyState.SUGGESTED, "")
    return answer({"suggestions": page, "next_cursor": cursor})


async def list_replies(call: Call) -> web.StreamResponse:
    """A page of replies, the newest first."""
    query = call.query(RepliesQuery)
    page, cursor = await _page(call, query, query.state, query.order_id or "")
    return answer({"replies": page, "next_cursor": cursor})


async def get_reply(call: Call) -> web.StreamResponse:
    """One reply."""
    reviewed = await call.service.review.get(call.account, call.value("reply_id"))
    return answer(_data(reviewed), version=reviewed.reply.version)


async def edit_reply(call: Call) -> web.StreamResponse:
    """Other words for a suggestion."""
    edited = await call.service.review.edit(call.account, call.value("reply_id"), call.body(EditIn).body, _person(call))
    return await _changed(call, edited)


async def send_reply(call: Call) -> web.StreamResponse:
    """Sends a suggestion."""
    return await _changed(call, await call.service.review.send(call.account, call.value("reply_id"), _person(call)), 202)


async def dismiss_reply(call: Call) -> web.StreamResponse:
    """Sets a suggestion aside, or stops a reply that has not gone out."""
    note = call.body(DismissIn).note if call.raw.strip() else ""
    return await _changed(call, await call.service.review.dismiss(call.account, call.value("reply_id"), _person(call), note))


def _person(call: Call) -> Person:
    return Person(call.who, call.if_match(), call.request_id)


async def _changed(call: Call, reply: Reply, status: int = 200) -> web.Response:
    reviewed = await call.service.review.get(call.account, reply.id)
    return answer(_data(reviewed), status, version=reviewed.reply.version)


async def _page(call: Call, query: Paged, state: ReplyState | None, order_id: str) -> tuple[list[ReviewedData], str | None]:
    states = [state] if state is not None else []
    found = await call.service.review.page(call.account, states, read_cursor(query.cursor), query.limit + 1, order_id)
    shown, cursor = page_of(found, query.limit, lambda each: (each.reply.created_at, each.reply.id))
    return [_data(each) for each in shown], cursor


def _data(reviewed: Reviewed) -> ReviewedData:
    return {
        "reply": reply_data(reviewed.reply, reviewed.turn.message),
        "message": message_data(reviewed.turn),
        "decision": decision_data(reviewed.decided) if reviewed.decided is not None else None,
    }


ROUTES = (
    Route(
        method="POST",
        path="/v1/replies/preview",
        handler=preview,
        tag="Replies",
        says="Ask what would be answered, and why.\n\nTo a message that is not put on file, with the orders and the "
        "conversation as they are now.",
        permission=May.READ_REPLIES,
        body=MessageIn,
        answers={200: PreviewData},
    ),
    Route(
        method="GET",
        path="/v1/suggestions",
        handler=list_suggestions,
        tag="Replies",
        says="List what waits for a person.",
        permission=May.READ_REPLIES,
        query=Paged,
        answers={200: SuggestionsData},
    ),
    Route(
        method="GET",
        path="/v1/replies",
        handler=list_replies,
        tag="Replies",
        says="List replies, the newest first.",
        permission=May.READ_REPLIES,
        query=RepliesQuery,
        answers={200: RepliesData},
    ),
    Route(
        method="GET",
        path="/v1/replies/{reply_id}",
        handler=get_reply,
        tag="Replies",
        says="Look at one reply.",
        permission=May.READ_REPLIES,
        answers={200: ReviewedData},
        etag=True,
    ),
    Route(
        method="POST",
        path="/v1/replies/{reply_id}/edit",
        handler=edit_reply,
        tag="Replies",
        says="Put other words into a suggestion.\n\nChecked against Amazon's rules for messages to buyers, and against soliciting.",
        permission=May.WRITE_REPLIES,
        body=EditIn,
        answers={200: ReviewedData},
        changes=True,
        etag=True,
    ),
    Route(
        method="POST",
        path="/v1/replies/{reply_id}/send",
        handler=send_reply,
        tag="Replies",
        says="Send a suggestion.\n\nAlso a reply that failed, once more. It goes out when the time to stop it is over.",
        permission=May.WRITE_REPLIES,
        answers={202: ReviewedData},
        changes=True,
        etag=True,
    ),
    Route(
        method="POST",
        path="/v1/replies/{reply_id}/dismiss",
        handler=dismiss_reply,
        tag="Replies",
        says="Set a suggestion aside.\n\nOr stop a reply that has not gone out yet. The body may be left out.",
        permission=May.WRITE_REPLIES,
        body=DismissIn,
        answers={200: ReviewedData},
        changes=True,
        etag=True,
    ),
)
