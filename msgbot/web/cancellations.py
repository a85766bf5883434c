"""Cancellations over HTTP. Every one passes the guard; there is no way around it here either."""

from __future__ import annotations

from aiohttp import web

from msgbot.amazon.cancellation_files import CancellationRow, write_cancellation_file
from msgbot.cancel import Asking, Ruled
from msgbot.domain.access import Permission as May
from msgbot.domain.cancellation import Proposal
from msgbot.errors import Conflict
from msgbot.plain.orders import CancellationData, cancellation_data, row_data, ruling_data
from msgbot.store import cancellations
from msgbot.store.cancellations import Cancellation, CancellationState
from msgbot.web.answers import CancellationsData, FileData, RequestedData
from msgbot.web.cursors import page_of, read_cursor
from msgbot.web.problems import Problem
from msgbot.web.routing import OCTETS, Call, Media, Route, answer
from msgbot.web.shapes import CancellationIn, CancellationsQuery, FileQuery, OverrideIn

TABLE = "text/tab-separated-values"
_PATIENCE = 10.0
"""Seconds that a client waits for Amazon."""
_TABLE_FILE = Media(TABLE, "Amazon's order cancellation template.")


async def post_cancellation(call: Call) -> web.StreamResponse:
    """Asks the guard: 202 when the cancellation goes ahead, 409 with the ruling when it does not."""
    order_id, given = call.order_id(), call.body(CancellationIn)
    proposal = Proposal(order_id, given.reason, tuple(dict.fromkeys(given.item_ids)))
    asking = Asking("HTTP API", call.who, call.request_id)
    return requested(await call.service.cancel.request(call.account, proposal, asking, confirm=given.confirm))


async def post_override(call: Call) -> web.StreamResponse:
    """Lets a blocked cancellation through, on the word of a second person."""
    reason = call.body(OverrideIn).reason
    ruled = await call.service.cancel.override(
        call.account, call.value("ruling_id"), reason, by=call.who, request_id=call.request_id
    )
    return requested(ruled)


async def get_cancellation(call: Call) -> web.StreamResponse:
    """How far a cancellation has come."""
    return answer(cancellation_data(await call.service.cancel.get(call.account, call.value("cancellation_id"))))


async def get_cancellation_file(call: Call) -> web.StreamResponse:
    """The file to upload in Seller Central."""
    cancel, identity = call.service.cancel, call.value("cancellation_id")
    found = await cancel.get(call.account, identity)
    if reason := _why_no_file(found, live=call.service.refresh.is_live(call.account)):
        raise Conflict(reason)
    if unreadable := await call.service.refresh.read(call.account, found.order_id, _PATIENCE):
        raise Problem(503, "amazon_away", f"the order could not be read from Amazon, so nothing may be cancelled: {unreadable}")
    made = await cancel.hand_over(call.account, identity, Asking("HTTP API", call.who, call.request_id))
    # The template wants a reason and an item code together (domain.md section 4): the whole order is all of its items.
    item_ids = made.item_ids or await cancel.item_ids(call.account, made.order_id)
    if not item_ids:
        raise Conflict("the item codes of the order are not on file: push the order's items, or cancel in Seller Central")
    rows = [CancellationRow(number, made.order_id, made.reason, item_id=item) for number, item in enumerate(item_ids, 3)]
    headers = {"Content-Disposition": f'attachment; filename="cancel-{made.order_id}.txt"'}
    return web.Response(body=write_cancellation_file(rows), content_type=TABLE, headers=headers)


def _why_no_file(found: Cancellation, *, live: bool) -> str:
    """Why nothing is to be uploaded; empty when a person must. What goes to Amazon by itself must not go there twice."""
    if found.adjustment is not None:
        return "it is an adjustment of an order that was shipped: there is no file for it; it goes to Amazon by itself"
    if found.state in {CancellationState.SUBMITTED, CancellationState.ACCEPTED}:
        return f"the cancellation went to Amazon by itself (feed {found.feed}): upload nothing, and follow it here"
    if found.state is CancellationState.UNSURE:
        return f"nobody can tell whether Amazon has it ({found.note}): look at the order; if it is not cancelled, withdraw this one"
    if live and found.state is CancellationState.READY:
        waits = f" ({found.note})" if found.note else ""
        return f"the account is connected to Amazon, and the cancellation goes there by itself{waits}; withdraw it to do it by hand"
    return ""


async def withdraw_cancellation(call: Call) -> web.StreamResponse:
    """Takes a cancellation back."""
    asking = Asking("HTTP API", call.who, call.request_id)
    return answer(cancellation_data(await call.service.cancel.withdraw(call.account, call.value("cancellation_id"), asking)))


async def list_cancellations(call: Call) -> web.StreamResponse:
    """A page of cancellations, the newest first."""
    query = call.query(CancellationsQuery)
    async with call.service.database.reading() as connection:
        found = await cancellations.page(connection, call.account, query.state, read_cursor(query.cursor), query.limit + 1)
    shown, cursor = page_of(found, query.limit, lambda each: (each.created_at, each.id))
    return answer({"cancellations": [cancellation_data(each) for each in shown], "next_cursor": cursor})


async def post_file(call: Call) -> web.StreamResponse:
    """Rules on each row of a cancellation file; the clean file is in the answer."""
    if not call.raw:
        raise Problem(422, "invalid", "the body is empty; post the order cancellation template")
    name = call.query(FileQuery).name
    rows, rulings = await call.service.cancel.rule_file(call.account, call.raw, name, by=call.who, request_id=call.request_id)
    clean = write_cancellation_file(row for row, ruling in zip(rows, rulings, strict=True) if ruling.allowed)
    allowed = sum(ruling.allowed for ruling in rulings)
    data: FileData = {
        "rows": [row_data(row, ruling) for row, ruling in zip(rows, rulings, strict=True)],
        "allowed": allowed,
        "blocked": len(rows) - allowed,
        "clean": clean.decode("utf-8", "replace"),
    }
    return answer(data)


def requested(ruled: Ruled) -> web.Response:
    """What goes ahead, as 202. Raises Problem with the ruling on what does not."""
    if ruled.cancellation is None:
        ruling = ruled.ruling
        detail = "; ".join(ruling.reasons) + (f" - what to do: {ruling.way_out}" if ruling.way_out else "")
        raise Problem(409, f"cancellation_{ruling.outcome.value}", detail, ruling={"id": ruled.id, **ruling_data(ruling)})
    made = ruled.cancellation
    data: RequestedData = {"cancellation": cancellation_data(made), "ruling": ruling_data(ruled.ruling)}
    return answer(data, 202, headers={"Location": f"/v1/cancellations/{made.id}"})


ROUTES = (
    Route(
        method="POST",
        path="/v1/orders/{order_id}/cancellations",
        handler=post_cancellation,
        tag="Orders and cancellations",
        says="Ask for a cancellation.\n\nThe guard rules on it: 202 when it goes ahead, 409 with the ruling when it does not. A "
        "ruling that needs confirmation is confirmed by sending its code as `confirm`.\n\nOf an account that is connected "
        "to Amazon, the order is read from there first, and what cannot be read is not cancelled (`unverified`). What the "
        "guard lets through goes to Amazon by itself: follow it under `Location`, or with the events `cancellation.done` "
        "and `cancellation.refused`. No feed cancels a part of an order: that is `by_hand`, with a file "
        "for Seller Central, as everything is of an account that is not connected.",
        permission=May.WRITE_CANCELLATIONS,
        body=CancellationIn,
        answers={202: RequestedData},
        changes=True,
    ),
    Route(
        method="GET",
        path="/v1/cancellations",
        handler=list_cancellations,
        tag="Orders and cancellations",
        says="List cancellations and adjustments that were let through, the newest first.",
        permission=May.READ_CANCELLATIONS,
        query=CancellationsQuery,
        answers={200: CancellationsData},
    ),
    Route(
        method="GET",
        path="/v1/cancellations/{cancellation_id}",
        handler=get_cancellation,
        tag="Orders and cancellations",
        says="Follow a cancellation, or an adjustment.\n\n`state` says how far it has come.",
        permission=May.READ_CANCELLATIONS,
        answers={200: CancellationData},
    ),
    Route(
        method="GET",
        path="/v1/cancellations/{cancellation_id}/file",
        handler=get_cancellation_file,
        tag="Orders and cancellations",
        says="Get the file to upload in Seller Central.\n\nThe guard looks once more: 409 when it would not let the cancellation "
        "through any more, and for what goes to Amazon by itself, or went there.",
        permission=May.WRITE_CANCELLATIONS,
        answers={200: _TABLE_FILE},
    ),
    Route(
        method="POST",
        path="/v1/cancellations/{cancellation_id}/withdraw",
        handler=withdraw_cancellation,
        tag="Orders and cancellations",
        says="Take a cancellation or an adjustment back.\n\nAs long as it is ready or by_hand: not handed to Amazon yet. One that "
        "is unsure may be withdrawn by who has looked at the order and found it not cancelled; it can be asked for again then.",
        permission=May.WRITE_CANCELLATIONS,
        answers={200: CancellationData},
        changes=True,
    ),
    Route(
        method="POST",
        path="/v1/cancellation-files",
        handler=post_file,
        tag="Orders and cancellations",
        says="Rule on a cancellation file.\n\nEach row by itself; the answer holds a clean file with the allowed rows only. "
        "The orders of a connected account are read from Amazon before, some 35 in one call; for the others, post it again.",
        permission=May.WRITE_CANCELLATIONS,
        media=(_TABLE_FILE, OCTETS, Media("text/plain", "The same.")),
        query=FileQuery,
        answers={200: FileData},
        changes=True,
    ),
    Route(
        method="POST",
        path="/v1/rulings/{ruling_id}/override",
        handler=post_override,
        tag="Orders and cancellations",
        says="Override a ruling.\n\nBy a second person with the role of a supervisor, with a written reason, on record.",
        permission=May.OVERRIDE_RULINGS,
        body=OverrideIn,
        answers={202: RequestedData},
        changes=True,
    ),
)
