"""Measures the service over loopback, in real processes.

    python benchmarks/service.py ingest|detect|memory|postgres [--help]

README.md beside this file says what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ingest
from cluster import Cluster, cluster
from servers import Server, ServerError, bare, client, msgbot, worker

PROCESSES = (1, 2, 4)
ACCOUNTS = 8


def say(text: str) -> None:
    """Says on standard error how far it is."""
    print(text, file=sys.stderr, flush=True)


def run_ingest(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Messages a second on SQLite, beside the bare handler."""
    found = ingest.measure(folder, given.messages or 20_000, given.requests, given.rounds, say)
    print(f"messages a second, {given.requests:.0%} of them requests; median of {given.rounds} rounds")
    print(f"{'':36}{'msgbot':>10}{'bare':>10}{'part':>8}{'p99 ms':>9}{'bare':>9}")
    for way, each in found.items():
        ours, bare = each["msgbot"], each["bare handler"]
        part = ours["per_second"] / bare["per_second"]
        p99 = f"{ours['p99'] * 1e3:9.1f}{bare['p99'] * 1e3:9.1f}"
        print(f"{way:36}{ours['per_second']:10.0f}{bare['per_second']:10.0f}{part:8.2f}{p99}")
    return found


def run_detect(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The top throughput of POST /v1/detect, and how long answers take at half of it, beside the bare handler at the same rate."""
    found: dict[str, Any] = {"msgbot": [], "bare handler": []}
    with msgbot(folder / "msgbot", log_level="warning") as server, bare(folder / "bare") as other:
        job = {"connections": 200, "texts": 2_000, "share": given.requests, "seed": 3}
        ours = {**job, "addresses": [server.address], "token": server.token}
        client({**ours, "job": "hammer", "seconds": 3})
        found["top"] = client({**ours, "job": "hammer", "seconds": given.seconds})
        rate = found["top"]["per_second"] / 2
        for _ in range(given.rounds):
            for name, asked in (("msgbot", ours), ("bare handler", {**job, "addresses": [other.address], "token": ""})):
                found[name].append(client({**asked, "job": "pace", "rate": rate, "seconds": given.seconds}))
    print(f"POST /v1/detect, 200 connections: {found['top']['per_second']:.0f} a second at most; at half of that:")
    print(f"{'':16}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'p99/p50':>9}{'client late':>13}")
    for name in ("msgbot", "bare handler"):
        for each in found[name]:
            times = "".join(f"{each[part] * 1e3:9.1f}" for part in ("p50", "p99", "max"))
            print(f"{name:16}{times}{each['p99'] / each['p50']:9.1f}{each['late_p99'] * 1e3:13.1f}")
    return found


def run_memory(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Resident memory while a stream of lines comes in through one connection; one line is no message."""
    count = given.messages or 1_000_000
    seen: list[tuple[int, float]] = []
    with msgbot(folder, log_level="warning") as server:
        bad = count * 7 // 10
        job = {
            "job": "stream", "addresses": [server.address], "token": server.token, "accounts": [""], "messages": count,
            "bad_line": bad, "share": given.requests, "seed": 4,
        }  # fmt: skip
        done = client(job, lambda told: seen.append((told["answered"], server.memory()[0])))
        peak = server.memory()[1]
    settled = [memory for answered, memory in seen if answered > count // 10]
    print(f"{count:,} lines in {done['seconds']:.0f} s ({count / done['seconds']:.0f} a second): {done['summary']}")
    print(f"the bad line was {bad}; told: {[error['line'] for error in done['errors']]}")
    low, high = min(settled), max(settled)
    print(f"resident memory after the first tenth: {low:.0f} to {high:.0f} MB ({high / low - 1:+.0%}); the most ever {peak:.0f} MB")
    return {**done, "samples": seen, "peak": peak}


def run_postgres(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Ingest with 1, 2 and 4 processes, and answers with 1, 2 and 4 workers, on PostgreSQL."""
    found: dict[str, Any] = {}
    count = given.messages or 10_000
    with cluster(folder, given.server) as server:
        for processes in PROCESSES:
            for accounts in (ACCOUNTS, 1):
                way = f"{processes} serving, {accounts} account{'s' if accounts > 1 else ''}"
                say(way)
                found[way] = _posted(
                    folder / f"p{processes}-{accounts}", server.new_database(), processes, accounts, count, given.requests
                )
                processor = f"{found[way]['processor']:8.0f} us of processor each"
                print(f"{way:28}{found[way]['per_second']:10.0f} messages a second{processor}", flush=True)
                _tell(server)
        for processes in PROCESSES:
            for accounts in (ACCOUNTS, 1):
                way = f"{processes} working, {accounts} account{'s' if accounts > 1 else ''}"
                say(way)
                found[way] = _answered(folder / f"w{processes}-{accounts}", server.new_database(), processes, accounts, count // 5)
                print(f"{way:28}{found[way]:10.0f} requests answered a second", flush=True)
                _tell(server)
    return found


def _tell(server: Cluster) -> None:
    for each in server.dearest():
        print(f"    {each.milliseconds:9.0f} ms in {each.calls:8,} calls: {each.statement}", flush=True)


def _posted(folder: Path, database: str, processes: int, accounts: int, count: int, share: float) -> dict[str, Any]:
    with ExitStack() as stack:
        first = stack.enter_context(msgbot(folder, "--no-work", database=database, log_level="warning"))
        others = [
            stack.enter_context(msgbot(folder, "--no-work", name=f"serve{number}", database=database, log_level="warning"))
            for number in range(1, processes)
        ]
        names = _accounts(first, accounts)
        job = {
            "job": "post", "addresses": [each.address for each in (first, *others)], "token": first.token, "accounts": names,
            "batch": ingest.BATCH, "connections": 8, "share": share,
        }  # fmt: skip
        client({**job, "messages": ingest.WARM_UP, "seed": 1})
        before = sum(each.processor_seconds() for each in (first, *others))
        done = client({**job, "messages": count, "seed": 2})
        used = sum(each.processor_seconds() for each in (first, *others)) - before
        return {**done, "processor": used / count * 1e6}


def _answered(folder: Path, database: str, processes: int, accounts: int, count: int) -> float:
    """Requests that are decided on a second, by workers that find them all waiting."""
    with ExitStack() as stack:
        front = stack.enter_context(msgbot(folder, "--no-work", database=database, log_level="warning"))
        client({
            "job": "post", "addresses": [front.address], "token": front.token, "accounts": _accounts(front, accounts),
            "messages": count, "batch": 20, "connections": 2, "share": 1.0, "seed": 5,
        })  # fmt: skip
        for number in range(processes):
            stack.enter_context(worker(folder, f"worker{number}", database=database, log_level="warning"))
        return count / float(client({"job": "wait", "addresses": [front.address]})["seconds"])


def _accounts(server: Server, count: int) -> list[str]:
    """So many accounts of the installation, made for it; a single one is the usual one."""
    names = [""] if count == 1 else [f"a{number}" for number in range(count)]
    for name in filter(None, names):
        client({"job": "ask", "addresses": [server.address], "token": server.token, "path": f"/v1/accounts/{name}"})
    return names


RUNS: dict[str, Callable[[argparse.Namespace, Path], dict[str, Any]]] = {
    "ingest": run_ingest, "detect": run_detect, "memory": run_memory, "postgres": run_postgres,
}  # fmt: skip


def main() -> int:
    """Runs one measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=RUNS)
    parser.add_argument("--messages", type=int, default=0, help="how many (ingest 20,000, memory 1,000,000, postgres 10,000)")
    parser.add_argument("--requests", type=float, default=0.05, help="which part of them asks to cancel (0.05)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of ingest and of detect (3)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long detect is asked (10)")
    parser.add_argument("--server", default="", help="address of a PostgreSQL server to measure on, where databases may be made")
    parser.add_argument("--json", type=Path, help="write everything to this file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="msgbot-bench-") as folder:
        # The PostgreSQL server may run as another user.
        Path(folder).chmod(0o755)
        try:
            found = RUNS[given.what](given, Path(folder))
        except ServerError as error:
            print(f"{error}", file=sys.stderr)
            return 1
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
