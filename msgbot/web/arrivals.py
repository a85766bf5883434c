"""Messages that arrive over HTTP: one by one, in batches, in streams of any length, as raw mail."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

from aiohttp import web

from msgbot.channels.mail import read_mail
from msgbot.domain.access import Permission as May
from msgbot.domain.conversation import Turn
from msgbot.errors import MsgbotError, NotFound
from msgbot.plain.verdicts import verdict_data
from msgbot.reader import Reader
from msgbot.receive import Received
from msgbot.web.answers import BatchData, TakenData
from msgbot.web.bodies import parse_json, read_lines
from msgbot.web.problems import Problem, problem_of
from msgbot.web.reading import Bad, Elsewhere, Envelope, Sound, read_json_lines, read_values
from msgbot.web.routing import LINES_OUT, NDJSON, OCTETS, Call, Media, Route, answer
from msgbot.web.shapes import MessageIn
from msgbot.web.spool import Spool

MAIL = "message/rfc822"
RAW_MAIL = Media(MAIL, "The mail as it came, headers and all.")
_LINES_IN = Media(NDJSON, "One message a line, as many as there are. The answer has one line for each, and a summary.")
_LINES = 500
_PILE = 50
"""So many messages at once make whatever is not urgent wait."""
_BYTES = 1_000_000
Item = Sound | Bad
Given = TypeVar("Given")
Made = TypeVar("Made")


async def post_messages(call: Call) -> web.StreamResponse:
    """One message, a JSON array of them, or a stream of lines."""
    if call.request.content_type == NDJSON:
        return await _stream(call)
    given = parse_json(call.raw)
    if isinstance(given, list):
        return await _post_array(call, given)
    [item] = await read_posted(call, read_values, [given], len(call.raw))
    if isinstance(item, Bad):
        raise item.problem
    [received] = await call.service.intake.take([item])
    if received.clash:
        raise Problem(409, "id_taken", _clash(received))
    return _answer_one(received)


async def post_mail(call: Call) -> web.StreamResponse:
    """A raw mail, as mail-forwarding services post it."""
    if not call.raw:
        raise Problem(422, "invalid", "the body is empty; post the raw mail, headers and all")
    own = await call.service.own_addresses(call.account)
    turn = await call.service.reading.run(
        len(call.raw), _read_mail, call.raw, call.account, own, f"POST /v1/mail by {call.who}", call.request_id
    )
    [received] = await call.service.intake.take([(turn, call.raw)])
    return _answer_one(received)


def _read_mail(reader: Reader, raw: bytes, account: str, own: frozenset[str], origin: str, request_id: str) -> Turn:
    message = read_mail(raw, account=account, own_addresses=own, origin=origin)
    return reader.read(replace(message, request_id=request_id))


async def _post_array(call: Call, given: Sequence[Any]) -> web.StreamResponse:
    limit = call.service.settings.max_batch
    if len(given) > limit:
        raise Problem(413, "too_many", f"an array holds {limit} messages at most; send more as lines ({NDJSON})")
    results: list[dict[str, Any]] = []
    characters = len(call.raw) // max(1, len(given))

    async def pieces() -> AsyncIterator[Sequence[Any]]:
        # Whoever else asks meanwhile is answered in between.
        for start in range(0, len(given), _LINES):
            yield given[start : start + _LINES]

    async def read(piece: Sequence[Any]) -> list[Item]:
        return await read_posted(call, read_values, piece, characters * len(piece))

    with call.service.intake.pile() if len(given) >= _PILE else contextlib.nullcontext():
        async with contextlib.aclosing(_one_ahead(pieces(), read)) as ready:
            async for _, items in ready:
                results += await _take(call, items)
    return answer({"results": results, "summary": _summary(results)})


async def _stream(call: Call) -> web.StreamResponse:
    """Lines in, lines out, in the same order, while the stream goes on. What was answered is on file."""
    settings = call.service.settings
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    totals = {"messages": 0, "new": 0, "known": 0, "failed": 0}

    async def read(lines: Sequence[tuple[int, bytes]]) -> list[Item]:
        with call.service.intake.pile() if len(lines) >= _PILE else contextlib.nullcontext():
            return await read_posted(call, read_json_lines, [line for _, line in lines], sum(len(line) for _, line in lines))

    async with Spool(call.request, response, settings.scratch, settings.idle_seconds) as spool:
        at = 1
        try:
            async with contextlib.aclosing(_one_ahead(_batches(call), read)) as ready:
                async for lines, items in ready:
                    at = lines[0][0]
                    await call.go_on()
                    results = await _take(call, items)
                    for name, count in _summary(results).items():
                        totals[name] += count
                    numbered = zip((number for number, _ in lines), results, strict=True)
                    spool.put(b"".join(_line({"line": number, **result}) for number, result in numbered))
                    at = lines[-1][0] + 1
        except (Problem, MsgbotError) as error:
            # Everything before this line is on file; what comes after it was not looked at.
            problem = error if isinstance(error, Problem) else problem_of(error)
            spool.put(_line({"line": at, "error": problem.data(call.request_id)}))
        spool.put(_line({"summary": totals}))
    with contextlib.suppress(ConnectionError):
        await response.write_eof()
    return response


async def _batches(call: Call) -> AsyncIterator[list[tuple[int, bytes]]]:
    """The lines of the body with their numbers, as many together as are read together; fewer where the client pauses."""
    batch: list[tuple[int, bytes]] = []
    size = 0
    async for line in read_lines(call.request, call.service.settings.idle_seconds):
        if call.service.stopping.is_set():
            raise Problem(503, "stopping", "the service stops: send this line and those after it again in a moment")
        if line is not None and line[1].strip():
            batch.append(line)
            size += len(line[1])
        if batch and (line is None or len(batch) >= _LINES or size >= _BYTES):
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _one_ahead(
    given: AsyncIterator[Given], make: Callable[[Given], Coroutine[Any, Any, Made]]
) -> AsyncGenerator[tuple[Given, Made], None]:
    """Each of `given` with what is made of it, which begins while the one before is in use. What `given` raises is raised after
    all that it gave."""
    begun: asyncio.Queue[tuple[Given, asyncio.Task[Made]] | None] = asyncio.Queue()
    places = asyncio.Semaphore(2)

    async def begin() -> None:
        try:
            async for each in given:
                await places.acquire()
                begun.put_nowait((each, asyncio.create_task(make(each))))
        finally:
            begun.put_nowait(None)

    beginning = asyncio.create_task(begin())
    try:
        while (found := await begun.get()) is not None:
            yield found[0], await found[1]
            places.release()
        await beginning
    finally:
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
        while not begun.empty():
            if (left := begun.get_nowait()) is not None:
                left[1].cancel()


async def read_posted(
    call: Call,
    work: Callable[[Reader, Sequence[Any], Envelope], list[Sound | Bad | Elsewhere]],
    values: Sequence[Any],
    characters: int,
) -> list[Item]:
    """What `work` makes of what a client has sent: messages that were read, or what is wrong with them."""
    service = call.service
    own = {call.account: await service.own_addresses(call.account)}
    envelope = Envelope(call.account, own, f"POST /v1/messages by {call.who}", call.request_id)
    items = await service.reading.run(characters, work, values, envelope)
    elsewhere = {number: item.account for number, item in enumerate(items) if isinstance(item, Elsewhere)}
    if elsewhere:
        for account in set(elsewhere.values()):
            if call.actor is not None and call.actor.may_use(account) and await service.has_account(account):
                own[account] = await service.own_addresses(account)
        again = await service.reading.run(characters, work, [values[number] for number in elsewhere], envelope)
        for number, item in zip(elsewhere, again, strict=True):
            items[number] = item
    return [_no_account(call, item) if isinstance(item, Elsewhere) else item for item in items]


def _no_account(call: Call, item: Elsewhere) -> Bad:
    return Bad(problem_of(NotFound(f"no account {item.account!r} for {call.who}")))


async def _take(call: Call, items: Sequence[Item]) -> list[dict[str, Any]]:
    """Takes the sound items in; what became of each."""
    sound = [item for item in items if isinstance(item, tuple)]
    received = iter(await call.service.intake.take(sound) if sound else [])
    return [_result(next(received) if isinstance(item, tuple) else item) for item in items]


def _result(taken: Received | Bad) -> dict[str, Any]:
    if isinstance(taken, Bad):
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


def _answer_one(received: Received) -> web.StreamResponse:
    data = _taken(received)
    location = f"/v1/messages/{quote(data['id'], safe='')}"
    return answer(data, 201 if received.new else 200, headers={"Location": location})


def _summary(results: Sequence[dict[str, Any]]) -> dict[str, int]:
    failed = sum("error" in each for each in results)
    new = sum(bool(each.get("new")) for each in results)
    return {"messages": len(results), "new": new, "known": len(results) - new - failed, "failed": failed}


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
