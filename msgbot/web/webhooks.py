"""Webhooks over HTTP: where events go, how they fared, and messages that come in signed instead of with a token."""

from __future__ import annotations

import json
from dataclasses import replace

from aiohttp import web

from msgbot.channels.signatures import check
from msgbot.domain.access import Permission as May
from msgbot.errors import AccessError
from msgbot.store.deliveries import Delivery
from msgbot.store.webhooks import Webhook
from msgbot.web.answers import BatchData, DeliveriesData, DeliveryData, TakenData, WebhookData, WebhooksData
from msgbot.web.arrivals import MAIL, RAW_MAIL, post_mail, post_messages
from msgbot.web.cursors import page_of, read_cursor
from msgbot.web.idempotency import answer_once
from msgbot.web.routing import Call, Route, answer
from msgbot.web.shapes import MessageIn, Paged, WebhookIn


async def list_webhooks(call: Call) -> web.StreamResponse:
    """The account's webhooks."""
    return answer({"webhooks": [_data(each) for each in await call.service.webhooks.all(call.account)]})


async def post_webhook(call: Call) -> web.StreamResponse:
    """Makes a webhook; its secret is in the answer."""
    given = call.body(WebhookIn)
    made = await call.service.webhooks.add(
        call.account, given.url, given.events, enabled=given.enabled, by=call.who, request_id=call.request_id
    )
    data = _data(made, await call.service.webhooks.secret(call.account, made.id))
    return answer(data, 201, version=made.version, headers={"Location": f"/v1/webhooks/{made.id}"})


async def get_webhook(call: Call) -> web.StreamResponse:
    """One webhook."""
    found = await call.service.webhooks.get(call.account, call.value("webhook_id"))
    return answer(_data(found), version=found.version)


async def put_webhook(call: Call) -> web.StreamResponse:
    """Changes a webhook."""
    given, identity = call.body(WebhookIn), call.value("webhook_id")
    version = call.if_match()
    if version is None:
        version = (await call.service.webhooks.get(call.account, identity)).version
    changed = await call.service.webhooks.change(
        call.account,
        identity,
        version,
        url=given.url,
        events=given.events,
        enabled=given.enabled,
        by=call.who,
        request_id=call.request_id,
    )
    return answer(_data(changed), version=changed.version)


async def delete_webhook(call: Call) -> web.StreamResponse:
    """Removes a webhook; what is on its way to it is cancelled."""
    await call.service.webhooks.remove(call.account, call.value("webhook_id"), by=call.who, request_id=call.request_id)
    return web.Response(status=204)


async def rotate_secret(call: Call) -> web.StreamResponse:
    """Gives a webhook a new secret; it is in the answer."""
    identity = call.value("webhook_id")
    changed = await call.service.webhooks.rotate_secret(call.account, identity, by=call.who, request_id=call.request_id)
    return answer(_data(changed, await call.service.webhooks.secret(call.account, changed.id)), version=changed.version)


async def test_webhook(call: Call) -> web.StreamResponse:
    """Sends a webhook an event that means nothing."""
    return answer(_delivery(await call.service.webhooks.test(call.account, call.value("webhook_id"))), 202)


async def list_deliveries(call: Call) -> web.StreamResponse:
    """A page of a webhook's deliveries, the newest first."""
    query = call.query(Paged)
    found = await call.service.webhooks.deliveries(
        call.account, call.value("webhook_id"), before=read_cursor(query.cursor), limit=query.limit + 1
    )
    shown, cursor = page_of(found, query.limit, lambda each: (each.created_at, each.id))
    return answer({"deliveries": [_delivery(each) for each in shown], "next_cursor": cursor})


async def replay_delivery(call: Call) -> web.StreamResponse:
    """Sends an event once more, under the same webhook-id."""
    return answer(_delivery(await call.service.webhooks.replay(call.account, call.value("delivery_id"))), 202)


async def incoming(call: Call) -> web.StreamResponse:
    """Messages or a mail, signed with the secret of a signing token (Standard Webhooks)."""
    service, request = call.service, call.request
    actor, token = await service.people.actor_of_signing(call.value("token_id"))
    secret = service.key.secret_of_token(token.id)
    message_id = check(secret, request.headers, call.raw, service.clock(), service.settings.webhook_age)
    if not actor.may(May.WRITE_MESSAGES):
        raise AccessError(f"{actor.name} may not hand in messages")
    accounts = sorted(actor.accounts or ())
    if len(accounts) != 1 or not await service.has_account(accounts[0]):
        raise AccessError("a signing token works for one account, which must exist")
    handler = post_mail if request.content_type == MAIL else post_messages
    arrived = replace(call, actor=actor, account=accounts[0])
    # A webhook that is told again is the same webhook.
    return await answer_once(arrived, handler, key=f"webhook:{message_id}")


def _data(webhook: Webhook, secret: str = "") -> WebhookData:
    data: WebhookData = {
        "id": webhook.id,
        "url": webhook.url,
        "events": sorted(event.value for event in webhook.events),
        "enabled": webhook.enabled,
        "created_at": webhook.created_at.isoformat(),
        "version": webhook.version,
    }
    return {**data, "secret": secret} if secret else data


def _delivery(delivery: Delivery) -> DeliveryData:
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook_id,
        "event": delivery.event.value,
        "payload": json.loads(delivery.payload),
        "created_at": delivery.created_at.isoformat(),
        "state": delivery.state.value,
        "attempts": [
            {
                "at": attempt.at.isoformat(),
                "status": attempt.status,
                "milliseconds": attempt.milliseconds,
                "error": attempt.error,
            }
            for attempt in delivery.attempts
        ],
        "next_try_at": delivery.next_try_at.isoformat() if delivery.next_try_at is not None else None,
    }


ROUTES = (
    Route(
        method="GET",
        path="/v1/webhooks",
        handler=list_webhooks,
        tag="Webhooks",
        says="List webhooks.",
        permission=May.MANAGE_WEBHOOKS,
        answers={200: WebhooksData},
    ),
    Route(
        method="POST",
        path="/v1/webhooks",
        handler=post_webhook,
        tag="Webhooks",
        says="Make a webhook.\n\nEvents are posted to its address, signed as Standard Webhooks says; the secret is in the "
        "answer, and only there.",
        permission=May.MANAGE_WEBHOOKS,
        body=WebhookIn,
        answers={201: WebhookData},
        changes=True,
        secret=True,
        etag=True,
    ),
    Route(
        method="GET",
        path="/v1/webhooks/{webhook_id}",
        handler=get_webhook,
        tag="Webhooks",
        says="Look at a webhook.",
        permission=May.MANAGE_WEBHOOKS,
        answers={200: WebhookData},
        etag=True,
    ),
    Route(
        method="PUT",
        path="/v1/webhooks/{webhook_id}",
        handler=put_webhook,
        tag="Webhooks",
        says="Change a webhook.",
        permission=May.MANAGE_WEBHOOKS,
        body=WebhookIn,
        answers={200: WebhookData},
        changes=True,
        etag=True,
    ),
    Route(
        method="DELETE",
        path="/v1/webhooks/{webhook_id}",
        handler=delete_webhook,
        tag="Webhooks",
        says="Remove a webhook.\n\nWhat is on its way to it is cancelled.",
        permission=May.MANAGE_WEBHOOKS,
        answers={204: None},
        changes=True,
    ),
    Route(
        method="POST",
        path="/v1/webhooks/{webhook_id}/secret",
        handler=rotate_secret,
        tag="Webhooks",
        says="Give a webhook a new secret.",
        permission=May.MANAGE_WEBHOOKS,
        answers={200: WebhookData},
        changes=True,
        secret=True,
    ),
    Route(
        method="POST",
        path="/v1/webhooks/{webhook_id}/test",
        handler=test_webhook,
        tag="Webhooks",
        says="Send a webhook an event that means nothing.",
        permission=May.MANAGE_WEBHOOKS,
        answers={202: DeliveryData},
        changes=True,
    ),
    Route(
        method="GET",
        path="/v1/webhooks/{webhook_id}/deliveries",
        handler=list_deliveries,
        tag="Webhooks",
        says="See how a webhook's events fared.",
        permission=May.MANAGE_WEBHOOKS,
        query=Paged,
        answers={200: DeliveriesData},
    ),
    Route(
        method="POST",
        path="/v1/deliveries/{delivery_id}/replay",
        handler=replay_delivery,
        tag="Webhooks",
        says="Send an event once more.\n\nUnder the same webhook-id, so that a receiver can tell.",
        permission=May.MANAGE_WEBHOOKS,
        answers={202: DeliveryData},
        changes=True,
    ),
    Route(
        method="POST",
        path="/v1/incoming/{token_id}",
        handler=incoming,
        tag="Webhooks",
        says="Take in a signed webhook.\n\nMessages as JSON, or a raw mail; instead of a token it carries the headers "
        "webhook-id, webhook-timestamp and webhook-signature, "
        "made with the secret of a signing token.",
        body=MessageIn | list[MessageIn],
        media=(RAW_MAIL,),
        answers={200: TakenData | BatchData, 201: TakenData},
        again=True,
    ),
)
