"""The world of `msgbot demo --live`: an Amazon with a few orders, the settings that connect to it, and the buyer's mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from pydantic import SecretStr

from msgbot.amazon_settings import AmazonAccount, AmazonSettings
from msgbot.config import Settings, load_settings
from msgbot.fake_amazon import FakeAmazon, FakeItem

ACCOUNT = "lindgrove"
OWN_ADDRESS = "orders@lindgrove-home.example"
LAMP, VASE = "114-7400001-0000001", "114-7400002-0000002"
WORDS = "Hi, please cancel my order. I bought the wrong size. Thanks, Dana"
READ_EVERY = 3.0
"""Seconds between two readings of changed orders: much more often than Amazon lets anybody ask for long."""
_OTHER_ORDERS = 10
_FEED_SECONDS = 3.0
_ORDERED = timedelta(minutes=50)
"""So long ago: a buyer cannot cancel alone any more."""


def amazon() -> FakeAmazon:
    """An Amazon where a lamp, a vase and a few other things were ordered; changes are listed at once, and feeds are quick."""
    fake = FakeAmazon(lag=timedelta())
    fake.feeds.pace.seconds = _FEED_SECONDS
    at = fake.clock() - _ORDERED
    fake.add_order(LAMP, FakeItem("74000010000001", "LAMP-OAK", title="Reading Lamp, Oak"), created_at=at)
    fake.add_order(VASE, FakeItem("74000020000002", "VASE-BLUE", title="Vase, Blue"), created_at=at)
    for _ in range(_OTHER_ORDERS):
        fake.add_order(created_at=at)
    return fake


def settings(fake: FakeAmazon, folder: Path) -> Settings:
    """Settings that connect the account to `fake` and to nothing else, whatever msgbot.toml and the environment say."""
    seller = AmazonAccount(
        marketplaces=fake.seller.marketplaces,
        seller_id=fake.seller.id,
        refresh_token=SecretStr(fake.seller.refresh_token),
    )
    return load_settings(
        data=folder / "data",
        outbox=folder / "outbox",
        database="",
        account=ACCOUNT,
        store="Lindgrove Home",
        own_addresses=frozenset({OWN_ADDRESS}),
        undo_seconds=0.0,
        stop_seconds=5.0,
        reader_process=False,
        amazon=AmazonSettings(
            client_id=fake.access.client_id,
            client_secret=SecretStr(fake.access.client_secret),
            accounts={ACCOUNT: seller},
            poll_seconds=READ_EVERY,
            endpoint=fake.base,
            token_endpoint=fake.token_endpoint,
        ),
    )


def mail(at: datetime) -> bytes:
    """The buyer's message as Amazon relays it (domain.md section 6)."""
    made = EmailMessage()
    made["From"] = "Dana via Amazon <3ckzg5b70qsfg+c1c6bca5@marketplace.amazon.com>"
    made["To"] = OWN_ADDRESS
    made["Subject"] = f"Inquiry from Amazon customer Dana (Order: {LAMP})"
    made["Date"] = format_datetime(at)
    made["Message-ID"] = f"<{at.timestamp():.6f}@email.amazonses.com>"
    made["X-Space-Notification-Type"] = "BBC_MESSAGE_SENT_TO_MERCHANT"
    made.set_content(
        f"You have received a message.\n\n# {LAMP}:\n1 / Reading Lamp, Oak [ASIN: B000000001]\n\n"
        f"------------- Begin message -------------\n\n{WORDS}\n\n------------- End message -------------\n"
    )
    return made.as_bytes()
