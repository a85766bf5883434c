"""The client: a process of its own that does one job given as JSON on its standard input, and prints what came of it.

Jobs: `post` messages as fast as the answers come, `hammer` one route with all connections, `pace` requests on a schedule, `stream`
lines through one connection, `ask` for an account to be made, `wait` until nothing waits in the queue. It speaks HTTP through raw
asyncio streams (wire.py); what it sends is made before the clock starts.
"""

from __future__ import annotations

import asyncio
import json
import re
import selectors
import statistics
import sys
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

from letters import letters
from wire import NDJSON, Connection, WireError, ask_once, head, request

PIECE = 64 * 1024
_DEPTH = re.compile(r'msgbot_queue_depth\{state="(\w+)"\} (\S+)')
TOLD_SECONDS = 0.5
"""So often a stream says how far it is."""
BAD_LINE = b'{"text": 5}\n'


async def post(job: dict[str, Any]) -> dict[str, Any]:
    """Posts `messages` messages, `batch` in a request (1: one, and no array), on `connections` connections to all `addresses` in
    turn; each request is of one of `accounts`."""
    given = list(letters(job["messages"], job["share"], job["seed"]))
    batch, accounts, addresses = job["batch"], job["accounts"], job["addresses"]
    ready: dict[str, list[tuple[int, bytes]]] = {address: [] for address in addresses}
    for number, start in enumerate(range(0, len(given), batch)):
        fields = [letter.fields for letter in given[start : start + batch]]
        address = addresses[number % len(addresses)]
        account = accounts[number // len(addresses) % len(accounts)]
        whole = request(address, "/v1/messages", job["token"], fields[0] if batch == 1 else fields, account)
        ready[address].append((len(fields), whole))
    places = [addresses[number % len(addresses)] for number in range(job["connections"])]
    connections = [await Connection.open(address) for address in places]
    waiting = {address: iter(each) for address, each in ready.items()}
    took: list[float] = []
    start = perf_counter()
    await asyncio.gather(*(_each(connection, waiting[place], took) for connection, place in zip(connections, places, strict=True)))
    seconds = perf_counter() - start
    for connection in connections:
        connection.close()
    return {
        "messages": len(given),
        "requests": sum(letter.is_request for letter in given),
        "seconds": seconds,
        "per_second": len(given) / seconds,
        "mean_length": statistics.fmean(len(letter.fields["text"]) for letter in given),
        **_latencies(took),
    }


async def _each(connection: Connection, waiting: Iterator[tuple[int, bytes]], took: list[float]) -> None:
    for count, whole in waiting:
        start = perf_counter()
        answer = await connection.ask(whole)
        took.append(perf_counter() - start)
        if b'"error"' in answer or answer.count(b'"new":true') != count:
            raise WireError(f"not all of a request was taken in: {answer[:500]!r}")


async def hammer(job: dict[str, Any]) -> dict[str, Any]:
    """Sends texts to be read on all connections for `seconds`, each when the answer to the last is there."""
    connections, ready = await _detecting(job)
    took: list[float] = []
    done = perf_counter() + job["seconds"]

    async def go(number: int, connection: Connection) -> None:
        while (start := perf_counter()) < done:
            number += 1
            await connection.ask(ready[number % len(ready)])
            took.append(perf_counter() - start)

    start = perf_counter()
    await asyncio.gather(*(go(number * 31, connection) for number, connection in enumerate(connections)))
    seconds = perf_counter() - start
    return {"per_second": len(took) / seconds, **_latencies(took)}


async def pace(job: dict[str, Any]) -> dict[str, Any]:
    """Sends texts to be read at the times of a schedule, `rate` a second for `seconds`, whether or not answers have come. A time
    taken counts from the scheduled moment, also where a free connection had to be waited for. `late` is how late requests were
    sent, which is the client's own share."""
    connections, ready = await _detecting(job)
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)
    took: list[float] = []
    late: list[float] = []

    async def one(whole: bytes, due: float) -> None:
        connection = await free.get()
        await connection.ask(whole)
        took.append(perf_counter() - due)
        free.put_nowait(connection)

    start = perf_counter() + 0.1
    going = set()
    count = round(job["rate"] * job["seconds"])
    for number in range(count):
        due = start + number / job["rate"]
        if (wait := due - perf_counter()) > 0:
            await asyncio.sleep(wait)
        late.append(perf_counter() - due)
        task = asyncio.create_task(one(ready[number % len(ready)], due))
        going.add(task)
        task.add_done_callback(going.discard)
    await asyncio.gather(*going)
    return {"rate": job["rate"], "requests": count, "late_p99": _quantile(sorted(late), 0.99), **_latencies(took)}


async def _detecting(job: dict[str, Any]) -> tuple[list[Connection], list[bytes]]:
    [address] = job["addresses"]
    ready = [
        request(address, "/v1/detect", job["token"], {"text": letter.fields["text"]})
        for letter in letters(job["texts"], job["share"], job["seed"])
    ]
    return [await Connection.open(address) for _ in range(job["connections"])], ready


async def stream(job: dict[str, Any]) -> dict[str, Any]:
    """Streams `messages` messages as lines through one connection and reads the answers meanwhile. Line `bad_line` is no message.
    Says now and then how many answers have come."""
    [address] = job["addresses"]
    connection = await Connection.open(address)
    more = (f"Content-Type: {NDJSON}", "Transfer-Encoding: chunked")
    connection.writer.write(head(address, "/v1/messages", job["token"], job["accounts"][0], "POST", *more))
    start = told = perf_counter()
    writing = asyncio.create_task(_write_lines(connection, job))
    await connection.answer_head()
    answered = 0
    errors: list[dict[str, Any]] = []
    summary: dict[str, int] = {}
    async for line in connection.lines():
        if line.startswith(b'{"summary"'):
            summary = json.loads(line)["summary"]
            continue
        answered += 1
        if b'"error"' in line:
            errors.append(json.loads(line))
        if perf_counter() - told > TOLD_SECONDS:
            told = perf_counter()
            print(json.dumps({"answered": answered}), flush=True)
    await writing
    return {"answered": answered, "seconds": perf_counter() - start, "summary": summary, "errors": errors[:10]}


async def _write_lines(connection: Connection, job: dict[str, Any]) -> None:
    parts: list[bytes] = []
    size = 0
    for number, letter in enumerate(letters(job["messages"], job["share"], job["seed"]), 1):
        line = json.dumps(letter.fields, ensure_ascii=False).encode() + b"\n"
        parts.append(BAD_LINE if number == job["bad_line"] else line)
        size += len(parts[-1])
        if size >= PIECE:
            await _write(connection, parts)
            parts, size = [], 0
    await _write(connection, parts)
    connection.writer.write(b"0\r\n\r\n")
    await connection.writer.drain()


async def _write(connection: Connection, parts: Sequence[bytes]) -> None:
    if parts:
        data = b"".join(parts)
        connection.writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await connection.writer.drain()


async def ask(job: dict[str, Any]) -> dict[str, Any]:
    """Makes an account."""
    return dict(await ask_once(job["addresses"][0], job["path"], job["token"], {}, "PUT"))


async def wait(job: dict[str, Any]) -> dict[str, Any]:
    """Returns when nothing waits to be answered; how many seconds after the first was begun, or all were done."""
    [address] = job["addresses"]
    start = 0.0
    while True:
        depth = await _depth(address)
        if depth["running"] and not start:
            start = perf_counter()
        if not depth["waiting"] + depth["running"]:
            return {"seconds": perf_counter() - start if start else 0.0}
        await asyncio.sleep(0.1)


async def _depth(address: str) -> dict[str, float]:
    connection = await Connection.open(address)
    connection.writer.write(head(address, "/metrics", "", "", "GET"))
    headers = await connection.answer_head()
    body = (await connection.reader.readexactly(int(headers["content-length"]))).decode()
    connection.close()
    return {state: float(count) for state, count in _DEPTH.findall(body)}


def _latencies(took: list[float]) -> dict[str, float]:
    """Seconds."""
    took.sort()
    return {"p50": _quantile(took, 0.5), "p99": _quantile(took, 0.99), "max": took[-1]}


def _quantile(values: Sequence[float], part: float) -> float:
    return values[min(len(values) - 1, int(part * len(values)))]


JOBS = {"post": post, "hammer": hammer, "pace": pace, "stream": stream, "ask": ask, "wait": wait}


def main() -> int:
    job = json.loads(sys.stdin.read())
    # `select` wakes in time; `epoll` rounds up to whole milliseconds, which would count as the server's.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        try:
            done = runner.run(JOBS[job["job"]](job))
        except (WireError, OSError, EOFError) as error:
            print(f"the client: {error}", file=sys.stderr)
            return 1
    print(json.dumps({"done": done}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
