"""A database as the first release left it: schema 0001, filled by statements that know nothing of what came later."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from msgbot.domain.trail import EntryKind
from msgbot.store import schema, trail
from msgbot.store.connections import database_url, make_engine
from msgbot.store.database import Database
from msgbot.store.schema_version import upgrade

NOW = datetime(2026, 8, 1, 9, 0, tzinfo=UTC)
VERDICT: dict[str, Any] = {
    "intent": "request",
    "score": 0.97,
    "rule": "asks/en",
    "says": "asks to cancel",
    "evidence": [{"start": 7, "end": 13, "text": "cancel", "role": "cancel"}],
    "against": [],
    "language": "en",
    "partial": False,
    "filed": False,
    "opposes": False,
    "notes": [],
}


async def old_database(address: str | Path, *numbers: int, account: str = "main") -> Database:
    """The database at `address`, new and of schema 0001, with what `take_in` writes for each of `numbers`."""
    url = database_url(address)
    database = Database(url, make_engine(url, 5))
    async with database.transaction() as connection:
        await connection.run_sync(upgrade, "0001")
    for number in numbers:
        async with database.transaction() as connection:
            await take_in(connection, number, account)
    return database


async def take_in(connection: AsyncConnection, number: int, account: str = "main") -> None:
    """What the first release wrote for a request, its decision and its answer, in the transaction of `connection`."""
    message, order = f"<{number}@a>", f"114-0000001-{number:07}"
    await connection.execute(
        insert(schema.messages).values(
            account=account, id=message, kind="buyer", source="mail", text="please cancel", sent_at=NOW, order_ids=[order],
            buyer_address=f"b{number}+1@marketplace.amazon.com", buyer_key=f"b{number}@marketplace.amazon.com", buyer_name="Jane",
            own_address="me@s.example", subject="Inquiry", reply_to_ids=[], marketplace="ATVPDKIKX0DER", language="en", note="",
            flaws=[], origin="inbox.mbox message 1", received_at=NOW, salt="5a", intent="request", verdict=VERDICT, solicits=False,
        )
    )  # fmt: skip
    await connection.execute(insert(schema.raw_messages).values(account=account, message_id=message, content=b"raw"))
    await connection.execute(insert(schema.message_orders).values(account=account, order_id=order, message_id=message))
    await trail.append(connection, account, NOW, EntryKind.MESSAGE_RECEIVED, {"message": message, "orders": [order]})
    await connection.execute(
        insert(schema.decisions).values(
            account=account, message_id=message, at=NOW, action="send", code="instruct", reasons=["the message asks to cancel"],
            template="instruct", order_id=order,
        )
    )  # fmt: skip
    await connection.execute(
        insert(schema.replies).values(
            account=account, id=f"reply{number}", message_id=message, order_id=order, once=f"{order}:instruction",
            template="instruct", language="en", state="sent", automatic=True, mail_id=f"<reply{number}@s.example>", body="Hello",
            created_at=NOW, sent_at=NOW, delivered_to="outbox", note="",
        )
    )  # fmt: skip
    await trail.append(connection, account, NOW, EntryKind.REPLY_SENT, {"reply": f"reply{number}", "message": message})
