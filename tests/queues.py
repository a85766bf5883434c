"""A real SQS for tests: a server that speaks its protocol, and queues on it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"


@contextmanager
def serving(port: int = 0) -> Iterator[str]:
    """A running SQS; its address. Queues outlive it: another at the same port has them too."""
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    host, taken = server.get_host_and_port()
    try:
        yield f"http://{host}:{taken}"
    finally:
        server.stop()


def give_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS credentials that are good for nothing, and none of the machine's."""
    for name in (
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_SQS",
        "AWS_SESSION_TOKEN",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up-secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


class SqsQueue:
    """A new queue, seen from Amazon's side."""

    region = REGION

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._client: Any = botocore.session.get_session().create_client("sqs", region_name=REGION, endpoint_url=endpoint)
        self.url: str = self._client.create_queue(QueueName=f"notices-{uuid.uuid4().hex}")["QueueUrl"]

    def send(self, *bodies: str) -> None:
        """Puts messages into the queue."""
        for body in bodies:
            self._client.send_message(QueueUrl=self.url, MessageBody=body)

    def left(self) -> tuple[int, int]:
        """How many messages wait, and how many are hidden because somebody works on them."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(told[names[0]]), int(told[names[1]])

    def received(self) -> list[int]:
        """Receives what waits, up to ten messages; how often each was received by now."""
        name = "ApproximateReceiveCount"
        told = self._client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=[name])
        return [int(each["Attributes"][name]) for each in told.get("Messages", [])]

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()
