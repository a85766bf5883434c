"""FakeAmazon: a server that behaves as Amazon's does, for the tests and the demo."""

from msgbot.fake_amazon.feed_work import ACKNOWLEDGEMENT, ADJUSTMENT
from msgbot.fake_amazon.orders import FakeItem, FakeOrder, Refund
from msgbot.fake_amazon.sellers import FakeSeller
from msgbot.fake_amazon.server import FakeAmazon
from msgbot.fake_amazon.trouble import Trouble

__all__ = ["ACKNOWLEDGEMENT", "ADJUSTMENT", "FakeAmazon", "FakeItem", "FakeOrder", "FakeSeller", "Refund", "Trouble"]
