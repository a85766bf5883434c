"""Messages that arrive over HTTP: one by one, in batches, in streams of any length, as raw mail."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import ValidationError

from msgbot.channels.decoding import storable
from msgbot.channels.mail import read_mail
from msgbot.channels.rows import message_of
from msgbot.domain.access import Permission as May
from msgbot.domain.message import Message, Source
from msgbot.errors import InputError, MsgbotError, NotFound
from msgbot.plain.verdicts import verdict_data
from msgbot.receive import Received
from msgbot.web.answers import BatchData, TakenData
from msgbot.web.bodies import LONGEST_LINE, parse_json, read_lines
from msgbot.web.problems import Problem, invalid, problem_of
from msgbot.web.routing import LINES_OUT, NDJSON, OCTETS, Call, Media, Route, answer
from msgbot.web.shapes import MessageIn, canonical
from msgbot.web.spool import Spool

MAIL = "message/rfc822"
RAW_MAIL = Media(MAIL, "The mail as it came, headers and all.")
_LINES_IN = Media(NDJSON, "One message a line, as many as there are. The answer has one line for each, and a summary.")
_LINES = 500
_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class _Bad:
    """An item of a batch that is no message."""

    problem: Problem


_Item = tuple[Message, bytes] | _Bad


async def post_messages(call: Call) -> web.StreamResponse:
    """One message, a JSON array of them, or a stream of lines."""
    if call.request.content_type == NDJSON:
        return await _stream(call)
    given = parse_json(call.raw)
    if not isinstance(given, list):
        item = await _read(call, given)
        if isinstance(item, _Bad):
            raise item.problem
        [received] = await call.service.intake.take([item])
        if received.clash:
            raise Problem(409, "id_taken", _clash(received))
        data = _taken(received)
        return answer(data, 201 if received.new else 200, headers={"Location": _location(data["id"])})
    limit = call.service.settings.max_batch
    if len(given) > limit:
        raise Problem(413, "too_many", f"an array holds {limit} messages at most; send more as lines ({NDJSON})")
    results = []
    for start in range(0, len(given), _LINES):
        # In pieces: whoever else asks meanwhile is answered in between.
        results += await _take(call, [await _read(call, each) for each in given[start : start + _LINES]])
    return answer({"results": results, "summary": _summary(results)})


async def post_mail(call: Call) -> web.StreamResponse:
    """A raw mail, as mail-forwarding services post it."""
    if not call.raw:
        raise Problem(422, "invalid", "the body is empty; post the raw mail, headers and all")
    own = await call.service.own_addresses(call.account)
    origin = f"POST /v1/mail by {call.who}"
    message = await asyncio.to_thread(read_mail, call.raw, account=call.account, own_addresses=own, origin=origin)
    [received] = await call.service.intake.take([(replace(message, request_id=call.request_id), call.raw)])
    data = _taken(received)
    return answer(data, 201 if received.new else 200, headers={"Location": _location(data["id"])})


async def _read(call: Call, given: Any) -> _Item:
    """The message in a JSON value, or what is wrong with it."""
    try:
        made = read_fields(given)
        account = made.account or call.account
        if account != call.account:
            actor = call.actor
            if actor is None or not actor.may_use(account) or not await call.service.has_account(account):
                return _Bad(problem_of(NotFound(f"no account {account!r} for {call.who}")))
        message, raw = read_message(made, account, await call.service.own_addresses(account))
        origin = f"POST /v1/messages by {call.who}"
        return replace(message, source=Source.API, origin=origin, request_id=call.request_id), raw
    except Problem as problem:
        return _Bad(problem)
    except InputError as error:
        return _Bad(problem_of(error))


def read_fields(given: Any) -> MessageIn:
    """The fields of a message in a JSON value. Raises Problem with every fault."""
    try:
        return MessageIn.model_validate(canonical(given) if isinstance(given, dict) else given)
    except ValidationError as error:
        raise invalid(error) from error


def read_message(made: MessageIn, account: str, own_addresses: frozenset[str]) -> tuple[Message, bytes]:
    """The message that a client sent, and the form it is kept in: the same content always gives the same bytes. Raises
    InputError."""
    raw = made.model_dump_json(by_alias=True, exclude_none=True).encode()
    values = {
        "id": storable(made.id or "").strip(),
        "text": storable(made.text).strip(),
        "orders": " ".join(made.order_ids or ()),
        "from": (made.sender or "").strip(),
        "to": (made.to or "").strip(),
        "subject": made.subject or "",
        "sent_at": made.sent_at.isoformat() if made.sent_at is not None else "",
        "language": made.language or "",
        "marketplace": made.marketplace or "",
        "direction": made.direction or "",
    }
    return message_of(values, raw, account=account, own_addresses=own_addresses), raw


async def _take(call: Call, items: Sequence[_Item]) -> list[dict[str, Any]]:
    """Takes the sound items in; what became of each."""
    sound = [item for item in items if not isinstance(item, _Bad)]
    received = iter(await call.service.intake.take(sound) if sound else [])
    return [_result(item if isinstance(item, _Bad) else next(received)) for item in items]


def _result(taken: Received | _Bad) -> dict[str, Any]:
    if isinstance(taken, _Bad):
        return {"error": taken.problem.data()}
    if taken.clash:
        return {"error": Problem(409, "id_taken", _clash(taken)).data()}
    return dict(_taken(taken))


def _clash(received: Received) -> str:
    return f"another message is on file under the id {received.turn.message.id[:200]}; it was left as it is"


def _taken(received: Received) -> TakenData:
    message = received.turn.message
    return {
        "id": message.id,
        "account": message.account,
        "new": received.new,
        "kind": message.kind.value,
        "order_ids": list(message.order_ids),
        "flaws": list(message.flaws),
        "verdict": verdict_data(received.turn.verdict),
    }


def _location(message_id: str) -> str:
    return f"/v1/messages/{quote(message_id, safe='')}"


def _summary(results: Sequence[dict[str, Any]]) -> dict[str, int]:
    failed = sum("error" in each for each in results)
    new = sum(bool(each.get("new")) for each in results)
    return {"messages": len(results), "new": new, "known": len(results) - new - failed, "failed": failed}


async def _stream(call: Call) -> web.StreamResponse:
    """Lines in, lines out, in the same order, while the stream goes on. What was answered is on file."""
    settings = call.service.settings
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    totals = {"messages": 0, "new": 0, "known": 0, "failed": 0}
    async with Spool(call.request, response, settings.scratch, settings.idle_seconds) as spool:
        batch: list[tuple[int, bytes]] = []
        size = answered = 0
        try:
            async for line in read_lines(call.request, settings.idle_seconds):
                if call.service.stopping.is_set():
                    raise Problem(503, "stopping", "the service stops: send this line and those after it again in a moment")
                if line is not None and line[1].strip():
                    batch.append(line)
                    size += len(line[1])
                if batch and (line is None or len(batch) >= _LINES or size >= _BYTES):
                    await _answer_lines(call, batch, totals, spool)
                    answered = batch[-1][0]
                    batch, size = [], 0
            if batch:
                await _answer_lines(call, batch, totals, spool)
        except (Problem, MsgbotError) as error:
            # Everything before this line is on file; what comes after it was not looked at.
            problem = error if isinstance(error, Problem) else problem_of(error)
            spool.put(_line({"line": batch[0][0] if batch else answered + 1, "error": problem.data(call.request_id)}))
        spool.put(_line({"summary": totals}))
    with contextlib.suppress(ConnectionError):
        await response.write_eof()
    return response


async def _answer_lines(call: Call, batch: Sequence[tuple[int, bytes]], totals: dict[str, int], spool: Spool) -> None:
    await call.go_on()
    items = [await _read_line(call, line) for _, line in batch]
    results = await _take(call, items)
    for name, count in _summary(results).items():
        totals[name] += count
    spool.put(b"".join(_line({"line": number, **result}) for (number, _), result in zip(batch, results, strict=True)))


async def _read_line(call: Call, line: bytes) -> _Item:
    if len(line) > LONGEST_LINE:
        return _Bad(Problem(413, "too_large", f"a line is {LONGEST_LINE} bytes long at most"))
    try:
        return await _read(call, parse_json(line))
    except Problem as problem:
        return _Bad(problem)


def _line(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


ROUTES = (
    Route(
        method="POST",
        path="/v1/messages",
        handler=post_messages,
        tag="Messages",
        says="Take messages in.\n\nOne message, a JSON array, or a stream of lines of any length. Each is read at once, and "
        "its verdict comes back; it is answered a moment later. Idempotent by account and id: one that is on file already "
        "changes nothing. In an array or a stream a bad message is told in its place and keeps no other one out.",
        permission=May.WRITE_MESSAGES,
        body=MessageIn | list[MessageIn],
        media=(_LINES_IN,),
        answers={201: TakenData, 200: (TakenData | BatchData, LINES_OUT)},
        changes=True,
        again=True,
    ),
    Route(
        method="POST",
        path="/v1/mail",
        handler=post_mail,
        tag="Messages",
        says="Take a raw mail in.\n\nWhat mail-forwarding services post. What it is (a buyer's words, a notice, a bounce "
        "...) is read from its headers.",
        permission=May.WRITE_MESSAGES,
        media=(RAW_MAIL, OCTETS, Media("text/plain", "The same.")),
        answers={201: TakenData, 200: TakenData},
        changes=True,
        again=True,
    ),
)
