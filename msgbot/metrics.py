"""Metrics of this process, in Prometheus' format. Counted where things happen; each process tells its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

registry = CollectorRegistry()
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)

messages = Counter(
    "msgbot_messages", "Messages taken in, by what they are and what they ask.", ["kind", "intent"], registry=registry
)
decisions = Counter("msgbot_decisions", "Decisions on messages that call for one.", ["action", "code"], registry=registry)
replies = Counter("msgbot_replies", "Replies that came to an end, by how.", ["state"], registry=registry)
time_to_answer = Histogram(
    "msgbot_time_to_answer_seconds",
    "From the arrival of a message to its reply being handed over.",
    buckets=(0.1, 0.5, 1, 5, 15, 60, 120, 300, 900, 3_600, 14_400, 86_400),
    registry=registry,
)
rulings = Counter("msgbot_guard_rulings", "Rulings of the guard on cancellations.", ["outcome", "code"], registry=registry)
webhooks = Counter("msgbot_webhook_attempts", "Attempts to deliver webhooks, by result.", ["result"], registry=registry)
notices = Counter("msgbot_amazon_notices", "Messages of Amazon's queue, by what became of them.", ["result"], registry=registry)
amazon_calls = Counter(
    "msgbot_amazon_calls",
    "Calls made to Amazon, by HTTP status, or that no answer came.",
    ["operation", "result"],
    registry=registry,
)
amazon_waits = Histogram(
    "msgbot_amazon_wait_seconds",
    "Time that a call to Amazon waited for its turn.",
    ["operation"],
    buckets=(0.01, 0.1, 0.5, 1, 2, 5, 15, 60, 300),
    registry=registry,
)
requests = Counter("msgbot_http_requests", "HTTP requests answered.", ["method", "route", "status"], registry=registry)
request_seconds = Histogram(
    "msgbot_http_request_seconds",
    "Time from the first to the last byte of a request's answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
queue_depth = Gauge(
    "msgbot_queue_depth", "Work in the durable queue of the whole installation, by state.", ["state"], registry=registry
)
taken_over = Counter("msgbot_workflows_taken_over", "Workflows of dead processes put back into the queue.", registry=registry)


def exposition() -> bytes:
    """All metrics as text."""
    return generate_latest(registry)
