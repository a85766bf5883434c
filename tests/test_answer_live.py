"""A buyer of a connected account writes: what Amazon says of the order now decides; while it says nothing, the message waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from msgbot.answer import ANSWER, SEND, waiting_for
from msgbot.cancel import Asking
from msgbot.channels.mail import read_mail
from msgbot.clock import system_clock
from msgbot.config import load_settings
from msgbot.domain.cancellation import CancelReason, Proposal
from msgbot.domain.guard import RulingCode
from msgbot.domain.policy import Action, Decision
from msgbot.domain.trail import EntryKind
from msgbot.fake_amazon import FakeAmazon, Trouble
from msgbot.fake_amazon.orders import FakeOrder
from msgbot.reader import built_in_reader
from msgbot.refresh import REFRESH
from msgbot.store import replies
from msgbot.store.database import Database
from msgbot.store.replies import Reply, ReplyState
from msgbot.wiring import open_service
from tests.link import Link, story
from tests.mails import OWN, relay_mail, unshipped_report

WORDS = "please cancel my order"
FORMAL = "BRC_SELLER_NOTIFICATION"


@pytest.fixture
async def link(database: Database) -> AsyncIterator[Link]:
    async with story(database) as made:
        yield made


@pytest.fixture
async def patient(database: Database) -> AsyncIterator[Link]:
    """Replies wait two minutes before they go out."""
    async with story(database, undo_seconds=120.0) as made:
        yield made


async def written(link: Link, order: FakeOrder) -> str:
    """The buyer's message, taken in and not decided on yet."""
    return await link.post(relay_mail(WORDS, order=order.id, at=link.watch.now))


async def decision(link: Link, message: str) -> Decision | None:
    """What was decided about a message."""
    async with link.database.reading() as connection:
        found = (await replies.decided(connection, "main", [message])).get(message)
    return found.decision if found is not None else None


async def reply(link: Link, message: str) -> Reply:
    """The reply to a message."""
    async with link.database.reading() as connection:
        return (await replies.to_messages(connection, "main", [message]))[message]


async def test_the_order_is_read_afresh_and_the_instruction_goes_out(link: Link) -> None:
    order = link.fake.add_order()
    message = await written(link, order)
    waiting = await link.answer.decide("main", message)
    assert await link.answer.look_again("main", waiting) == waiting
    assert await link.answer.send("main", waiting) == ReplyState.SENT.value
    [sent] = link.drawer.sent
    assert order.id in sent.body
    found = await link.order(order.id)
    assert found is not None
    assert found.source == "SP-API orders 2026-01-01"
    assert len(link.fake.calls_of("getOrder")) == 1


@pytest.mark.parametrize("on_file", [False, True])
async def test_a_request_filed_a_minute_ago_and_not_known_here_keeps_the_instruction_back(link: Link, on_file: bool) -> None:
    order = link.fake.add_order()
    if on_file:
        await link.refresh.read("main", order.id, 5)
        link.watch.wait(minutes=10)
    link.fake.file_request(order.id)
    link.watch.wait(minutes=1)
    message = await written(link, order)
    assert await link.answer.decide("main", message) == ""
    made = await decision(link, message)
    assert made is not None
    assert (made.action, made.code) == (Action.TELL_SELLER, "request_on_file")
    assert link.drawer.sent == []
    assert len(await link.formal(order.id)) == 1


async def test_an_order_shipped_meanwhile_makes_it_a_suggestion(link: Link) -> None:
    order = link.fake.add_order()
    await link.refresh.read("main", order.id, 5)
    link.watch.wait(minutes=10)
    link.fake.ship(order.id)
    message = await written(link, order)
    assert await link.answer.decide("main", message) == ""
    made = await decision(link, message)
    assert made is not None
    assert (made.action, made.code) == (Action.SUGGEST, "shipped")
    assert (await reply(link, message)).state is ReplyState.SUGGESTED


async def test_while_amazon_is_away_the_message_waits_and_is_answered_when_it_is_back(link: Link) -> None:
    order = link.fake.add_order()
    message = await written(link, order)
    link.fake.go_down()
    for _ in range(2):
        assert await link.answer.decide("main", message) == ""
        assert await decision(link, message) is None
        link.watch.wait(minutes=2)
    assert message in await link.engine.under_way(ANSWER, "main")
    link.fake.come_back()
    waiting = await link.answer.decide("main", message)
    assert await link.answer.send("main", waiting) == ReplyState.SENT.value


async def test_facts_from_before_do_not_send_an_answer_while_amazon_is_away(link: Link) -> None:
    order = link.fake.add_order()
    await link.refresh.read("main", order.id, 5)
    link.watch.wait(minutes=10)
    link.fake.go_down()
    message = await written(link, order)
    assert await link.answer.decide("main", message) == ""
    assert await decision(link, message) is None


async def test_after_half_an_hour_without_amazon_a_person_gets_a_suggestion_that_says_so(link: Link) -> None:
    order = link.fake.add_order()
    await link.refresh.read("main", order.id, 5)
    message = await written(link, order)
    link.fake.go_down()
    link.watch.wait(minutes=31)
    assert await link.answer.decide("main", message) == ""
    made = await decision(link, message)
    assert made is not None
    assert made.action is Action.SUGGEST
    assert "could not be read from Amazon just now" in str(made.reasons)
    assert (await reply(link, message)).state is ReplyState.SUGGESTED
    assert link.drawer.sent == []


async def test_a_message_about_an_order_that_amazon_does_not_know_does_not_wait(link: Link) -> None:
    message = await link.post(relay_mail(WORDS, order="114-9999999-9999999", at=link.watch.now))
    assert await link.answer.decide("main", message) == ""
    made = await decision(link, message)
    assert made is not None
    assert (made.action, made.code) == (Action.SUGGEST, "unknown_order")


async def test_an_order_that_only_a_file_knows_is_for_a_person(link: Link) -> None:
    unknown = "114-9999999-9999999"
    await link.take_orders.report("main", unshipped_report((unknown, "1", "FALSE")), "report.txt")
    message = await link.post(relay_mail(WORDS, order=unknown, at=link.watch.now))
    assert await link.answer.decide("main", message) == ""
    made = await decision(link, message)
    assert made is not None
    assert made.action is Action.SUGGEST
    assert f"Amazon knows no order {unknown}" in str(made.reasons)


async def test_before_a_reply_goes_out_the_order_is_read_again(patient: Link) -> None:
    order = patient.fake.add_order()
    message = await written(patient, order)
    assert await patient.answer.decide("main", message) == ""
    pending = await reply(patient, message)
    assert pending.state is ReplyState.PENDING
    patient.watch.wait(seconds=60)
    patient.fake.file_request(order.id)
    patient.watch.wait(seconds=60)
    assert await patient.answer.look_again("main", waiting_for(pending)) == ""
    assert (await reply(patient, message)).state is not ReplyState.PENDING
    [stopped] = await patient.entries(EntryKind.REPLY_STOPPED)
    assert stopped.facts["because"] == "request_on_file"
    assert patient.drawer.sent == []


async def test_a_reply_that_waits_goes_on_waiting_while_amazon_is_away(patient: Link) -> None:
    order = patient.fake.add_order()
    message = await written(patient, order)
    await patient.answer.decide("main", message)
    waiting = waiting_for(await reply(patient, message))
    patient.fake.go_down()
    patient.watch.wait(minutes=2)
    assert await patient.answer.look_again("main", waiting) == ""
    assert (await reply(patient, message)).state is ReplyState.PENDING
    assert await patient.engine.under_way(SEND, "main") == {waiting}
    patient.fake.come_back()
    assert await patient.answer.look_again("main", waiting) == waiting


async def test_a_reply_that_waited_half_an_hour_for_amazon_becomes_a_suggestion(patient: Link) -> None:
    order = patient.fake.add_order()
    message = await written(patient, order)
    await patient.answer.decide("main", message)
    waiting = waiting_for(await reply(patient, message))
    patient.fake.go_down()
    patient.watch.wait(minutes=31)
    assert await patient.answer.look_again("main", waiting) == ""
    assert (await reply(patient, message)).state is ReplyState.SUGGESTED
    made = await decision(patient, message)
    assert made is not None
    assert "could not be read from Amazon just now" in str(made.reasons)


@pytest.mark.parametrize("amazon_says_yes", [True, False])
async def test_a_mail_about_a_formal_request_makes_the_order_be_read_and_proves_nothing(link: Link, amazon_says_yes: bool) -> None:
    order = link.fake.add_order()
    if amazon_says_yes:
        link.fake.file_request(order.id, reason="Ordered twice")
    notice = relay_mail("", order=order.id, at=link.watch.now, notice=FORMAL, buyer="donotreply@amazon.com")
    message = await link.post(notice)
    assert await link.answer.decide("main", message) == ""
    assert len(link.fake.calls_of("getOrder")) == 1
    made = await decision(link, message)
    assert made is not None
    assert (made.action, made.code) == (Action.TELL_SELLER, "formal_request_notice")
    assert ("the formal request is on file" in str(made.reasons)) is amazon_says_yes
    found = await link.formal(order.id)
    assert [(each.source, each.reason) for each in found] == (
        [("SP-API orders 2026-01-01", "Ordered twice")] if amazon_says_yes else []
    )
    ruled = await link.cancel.request("main", Proposal(order.id, CancelReason.BUYER_CANCELED), Asking("test"))
    assert ruled.ruling.allowed is amazon_says_yes
    assert (ruled.ruling.code is RulingCode.FORMAL_REQUEST) is amazon_says_yes


async def test_a_mail_about_a_request_filed_right_after_the_order_was_read_makes_it_be_read_again(link: Link) -> None:
    order = link.fake.add_order()
    await link.refresh.read("main", order.id, 5)
    link.watch.wait(seconds=5)
    link.fake.file_request(order.id)
    link.watch.wait(seconds=7)
    message = await link.post(relay_mail("", order=order.id, at=link.watch.now, notice=FORMAL, buyer="donotreply@amazon.com"))
    await link.answer.decide("main", message)
    assert len(await link.formal(order.id)) == 1
    assert await link.engine.under_way(REFRESH, "main") == set()


async def test_when_amazon_does_not_show_the_request_of_a_mail_yet_the_order_is_read_once_more_later(link: Link) -> None:
    order = link.fake.add_order()
    message = await link.post(relay_mail("", order=order.id, at=link.watch.now, notice=FORMAL, buyer="donotreply@amazon.com"))
    await link.answer.decide("main", message)
    assert await link.formal(order.id) == ()
    assert await link.engine.under_way(REFRESH, "main") == {order.id}
    plain = link.fake.add_order()
    await link.answer.decide("main", await link.post(relay_mail(WORDS, order=plain.id, at=link.watch.now, number=2)))
    assert await link.engine.under_way(REFRESH, "main") == {order.id}


async def test_a_request_that_amazon_denied_and_a_mail_names_again_is_looked_for_later(link: Link) -> None:
    order = link.fake.add_order()
    link.fake.file_request(order.id)
    await link.refresh.read("main", order.id, 5)
    link.watch.wait(hours=1)
    link.fake.withdraw_request(order.id)
    message = await link.post(relay_mail("", order=order.id, at=link.watch.now, notice=FORMAL, buyer="donotreply@amazon.com"))
    await link.answer.decide("main", message)
    assert [bool(each.denied_by) for each in await link.formal(order.id)] == [True]
    assert await link.engine.under_way(REFRESH, "main") == {order.id}


async def test_a_forged_mail_about_a_formal_request_moves_nothing(link: Link) -> None:
    order = link.fake.add_order()
    message = await link.post(relay_mail("", order=order.id, at=link.watch.now, notice=FORMAL, buyer="donotreply@amazon.example"))
    made = await decision(link, message)
    assert made is not None
    assert made.action is Action.NOTHING
    assert link.fake.calls_of("getOrder") == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_service_answers_by_itself_when_amazon_is_back(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, fake_amazon: FakeAmazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msgbot.answer._AWAY_SECONDS", 1.1)
    monkeypatch.setattr("msgbot.orders_of_message.PATIENCE", 0.2)
    order = fake_amazon.add_order()
    settings = load_settings(
        data=tmp_path / "data",
        database="" if kind == "sqlite" else request.getfixturevalue("postgres").prepared(),
        store="Sample Store",
        own_addresses=frozenset({OWN}),
        reader_process=False,
        stop_seconds=0,
        amazon=connection(fake_amazon),
    )
    fake_amazon.trouble("getOrder", Trouble.UNAVAILABLE, times=2)
    fake_amazon.trouble("searchOrders", Trouble.UNAVAILABLE, times=1_000)
    async with open_service(settings, work=True) as service:
        raw = relay_mail(WORDS, order=order.id, at=system_clock())
        message = read_mail(raw, account="main", own_addresses=frozenset({OWN}))
        await service.intake.take([(built_in_reader().read(message), raw)])
        for _ in range(600):
            if sent := list(settings.outbox_folder.rglob("*.eml")):
                break
            await asyncio.sleep(0.05)
        assert len(sent) == 1
        assert order.id in sent[0].read_text()
        assert len(fake_amazon.calls_of("getOrder")) >= 3


def connection(fake: FakeAmazon) -> dict[str, object]:
    """The settings of an account that is connected to the fake."""
    own = {"marketplaces": fake.seller.marketplaces, "seller_id": fake.seller.id, "refresh_token": fake.seller.refresh_token}
    return {
        "client_id": fake.access.client_id,
        "client_secret": fake.access.client_secret,
        "endpoint": fake.base,
        "token_endpoint": fake.token_endpoint,
        "poll_seconds": timedelta(hours=1).total_seconds(),
        "accounts": {"main": own},
    }
