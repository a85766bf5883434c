"""The connection to Amazon over HTTP: what of it works, and reports asked of Amazon."""

from __future__ import annotations

from aiohttp import web

from msgbot.domain.access import Permission as May
from msgbot.errors import AccessError, Conflict
from msgbot.plain.amazon import AsideData, ReportData, account_status_data, aside_data, report_data
from msgbot.web.amazon_shapes import ReportIn
from msgbot.web.answers import AmazonData
from msgbot.web.routing import Call, Route, answer


async def get_amazon(call: Call) -> web.StreamResponse:
    """The state of the account's connection."""
    connected = call.service.refresh.is_live(call.account)
    status = account_status_data(await call.service.amazon_status.of(call.account))
    data: AmazonData = {**status, "connected": connected, "works": connected and status["works"]}
    return answer(data)


async def get_aside(call: Call) -> web.StreamResponse:
    """What was moved aside of the queue, which all accounts share."""
    if call.actor is None or call.actor.accounts is not None:
        raise AccessError(f"the queue is that of all accounts, and {call.who} may not use all of them")
    return answer(aside_data(await call.service.amazon_status.aside()))


async def post_report(call: Call) -> web.StreamResponse:
    """Asks Amazon for a report."""
    wanted = call.body(ReportIn).type
    if not call.service.refresh.is_live(call.account):
        raise Conflict(f"the account {call.account} is not connected to Amazon: get the report in Seller Central and import it")
    made = await call.service.fetch_reports.ask(call.account, wanted)
    return answer(report_data(made), 202, headers={"Location": f"/v1/amazon/reports/{made.id}"})


async def get_report(call: Call) -> web.StreamResponse:
    """How far a report has come."""
    return answer(report_data(await call.service.fetch_reports.get(call.account, call.value("report_id"))))


ROUTES = (
    Route(
        method="GET",
        path="/v1/amazon",
        handler=get_amazon,
        tag="Amazon",
        says="See the state of the account's connection to Amazon.\n\nWhat works and what does not, since when and why; how far "
        "orders were read; what is under way; Amazon's own Cancellation Rate.",
        permission=May.READ_AMAZON,
        answers={200: AmazonData},
    ),
    Route(
        method="GET",
        path="/v1/amazon/aside",
        handler=get_aside,
        tag="Amazon",
        says="See which messages of the queue were moved aside.\n\nThe queue is that of all accounts: for those who may use all "
        "of them.",
        permission=May.MANAGE_AMAZON,
        answers={200: AsideData},
        account=False,
    ),
    Route(
        method="POST",
        path="/v1/amazon/reports",
        handler=post_report,
        tag="Amazon",
        says="Ask Amazon for a report.\n\nIt comes in by itself, in some minutes: follow it under `Location`. 409 when the "
        "account is not connected to Amazon.",
        permission=May.FETCH_REPORTS,
        body=ReportIn,
        answers={202: ReportData},
        changes=True,
    ),
    Route(
        method="GET",
        path="/v1/amazon/reports/{report_id}",
        handler=get_report,
        tag="Amazon",
        says="See how far a report has come.",
        permission=May.READ_AMAZON,
        answers={200: ReportData},
    ),
)
