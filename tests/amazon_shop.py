"""A folder whose settings connect msgbot to the fake, and real processes of msgbot that work in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from msgbot.fake_amazon import FakeAmazon
from tests.amazon_models import check_exchange, models_folder

_NOTHING: Mapping[str, object] = {}
ROOT = Path(__file__).parent.parent
SECRETS = ("amzn1.oa2-cs", "made-up-secret", "Atzr|", "Atza|", "X-Amz-Signature", "signature=")
"""What nobody may ever read: parts of the client secret, of tokens, and of the addresses of documents."""


class Begun:
    """A msgbot that was begun, and what it has said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.said = ""
        self._process = process

    def says(self, words: str) -> None:
        """Returns when it has said this."""
        for line in self._process.stdout or ():
            self.said += line
            if words in line:
                return
        raise AssertionError(self.said)

    def ends(self) -> str:
        """All that it has said when it has ended well."""
        self.said += self._process.communicate(timeout=60)[0]
        assert self._process.returncode == 0, self.said
        return self.said


class Shop:
    """The folder. `printed` is all that msgbot has said to anybody there."""

    def __init__(self, folder: Path, fake: FakeAmazon) -> None:
        self.folder = folder
        self.fake = fake
        self.printed = ""
        folder.mkdir(exist_ok=True)
        self.connect()

    def connect(self, changed: Mapping[str, object] = _NOTHING, account: Mapping[str, object] = _NOTHING) -> None:
        """Writes the settings: those that fit the fake, with what is `changed` in them and in those of the account; None leaves one
        out."""
        fake = self.fake
        amazon: dict[str, object] = {
            "client_id": fake.access.client_id,
            "client_secret": fake.access.client_secret,
            "endpoint": fake.base,
            "token_endpoint": fake.token_endpoint,
            "poll_seconds": 1,
            **changed,
        }
        main: dict[str, object] = {
            "marketplaces": fake.seller.marketplaces,
            "seller_id": fake.seller.id,
            "refresh_token": fake.seller.refresh_token,
            **account,
        }
        lines = ["[amazon]", *_lines(amazon), "[amazon.accounts.main]", *_lines(main)]
        (self.folder / "msgbot.toml").write_text("\n".join(lines))

    def msgbot(self, *arguments: str, code: int = 0) -> str:
        """Runs msgbot; what it printed. The exit code must be `code`, and nobody may see a traceback or a secret."""
        ended = subprocess.run(
            [sys.executable, "-m", "msgbot", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = ended.stdout + ended.stderr
        self.printed += said
        assert "Traceback" not in said, said
        assert "fault in msgbot" not in said, said
        assert [secret for secret in SECRETS if secret in said] == [], said
        assert ended.returncode == code, said
        return said

    @contextmanager
    def begin(self, *arguments: str) -> Iterator[Begun]:
        """The same, while the block does something else."""
        process = subprocess.Popen(
            [sys.executable, "-m", "msgbot", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        begun = Begun(process)
        try:
            yield begun
        finally:
            process.kill()
            process.communicate()
            self.printed += begun.said


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """A shop beside a running fake, each of whose exchanges is held against Amazon's models."""
    models_folder()
    faults: list[str] = []
    fake = FakeAmazon(lag=timedelta(seconds=1))
    fake.on_exchange(lambda *exchange: faults.extend(check_exchange(*exchange)))
    with fake.in_thread():
        yield Shop(folder, fake)
    assert not faults, "\n".join(faults)


def _lines(values: dict[str, object]) -> list[str]:
    return [f"{name} = {json.dumps(value)}" for name, value in values.items() if value is not None]
