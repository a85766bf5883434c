"""The bare handler that msgbot is measured beside: aiohttp, JSON, the same rows in the same tables, and nothing else.

    python benchmarks/bare.py FILE

It reads no text, knows no tokens and no accounts, checks nothing and enqueues nothing. Each request is one transaction, set up as
msgbot's own (msgbot/store/connections.py). One transaction runs at a time: to wait here is faster than at SQLite's lock.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import insert

from msgbot.store.database import Database, open_database
from msgbot.store.schema import decisions, message_orders, messages, raw_messages

ACCOUNT = "main"
VERDICT = {
    "intent": "none", "score": 1.0, "rule": "-", "says": "nothing in it speaks of cancelling", "evidence": [], "against": [],
    "language": "en", "part": [], "filed": False, "opposes": False, "notes": [],
}  # fmt: skip


def answer(data: Any, status: int = 200) -> web.Response:
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return web.Response(status=status, body=body, content_type="application/json")


class Bare:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()

    async def post_messages(self, request: web.Request) -> web.Response:
        given = json.loads(await request.read())
        taken = given if isinstance(given, list) else [given]
        now = datetime.now(UTC)
        rows = [_message(each, now) for each in taken]
        raw = [_raw(each) for each in taken]
        about = [_about(each, order_id) for each in taken for order_id in each["order_ids"]]
        decided = [_decision(each, now) for each in taken]
        async with self._turn, self._database.transaction() as connection:
            await connection.execute(insert(messages), rows)
            await connection.execute(insert(raw_messages), raw)
            await connection.execute(insert(message_orders), about)
            await connection.execute(insert(decisions), decided)
        results = [{"id": each["id"], "new": True} for each in taken]
        return answer({"results": results} if isinstance(given, list) else results[0], 200 if isinstance(given, list) else 201)

    async def post_detect(self, request: web.Request) -> web.Response:
        json.loads(await request.read())
        return answer(VERDICT)


def _message(each: dict[str, Any], now: datetime) -> dict[str, Any]:
    alias, _, rest = each["from"].partition("+")
    return {
        "account": ACCOUNT,
        "id": each["id"],
        "kind": "buyer",
        "source": "api",
        "text": each["text"],
        "sent_at": datetime.fromisoformat(each["sent_at"]),
        "order_ids": each["order_ids"],
        "buyer_address": each["from"],
        "buyer_key": f"{alias}@{rest.partition('@')[2]}",
        "buyer_name": "",
        "own_address": "",
        "subject": each["subject"],
        "reply_to_ids": [],
        "marketplace": each["marketplace"],
        "language": "",
        "note": "a buyer wrote through marketplace.amazon.com",
        "flaws": [],
        "origin": "POST /v1/messages by token:first",
        "received_at": now,
        "salt": secrets.token_hex(16),
        "intent": "none",
        "verdict": VERDICT,
        "solicits": False,
        "request_id": "0123456789abcdef",
        "pruned_at": None,
    }


def _raw(each: dict[str, Any]) -> dict[str, Any]:
    return {"account": ACCOUNT, "message_id": each["id"], "content": json.dumps(each, separators=(",", ":")).encode()}


def _about(each: dict[str, Any], order_id: str) -> dict[str, Any]:
    return {"account": ACCOUNT, "order_id": order_id, "message_id": each["id"]}


def _decision(each: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "account": ACCOUNT,
        "message_id": each["id"],
        "at": now,
        "action": "nothing",
        "code": "no_request",
        "reasons": ["nothing in the message speaks of cancelling"],
        "template": None,
        "order_id": each["order_ids"][0],
    }


async def run(file: str) -> None:
    bare = Bare(await open_database(file))
    app = web.Application(client_max_size=100_000_000)
    app.router.add_post("/v1/messages", bare.post_messages)
    app.router.add_post("/v1/detect", bare.post_detect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    host, port = runner.addresses[0]
    print(f"the bare handler serves http://{host}:{port}", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
