"""Fetch reports: reports are asked of Amazon, waited for, downloaded and put on file: those of orders, and Amazon's own
Cancellation Rate (domain.md sections 1 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgbot.amazon.performance_report import read_performance_report
from msgbot.amazon_states import States
from msgbot.clock import Clock
from msgbot.engine import Engine
from msgbot.errors import AmazonAway, AmazonError, AmazonRefused, AmazonUnclear, InputError, NotFound
from msgbot.refresh import Refresh
from msgbot.spapi.documents import Document
from msgbot.spapi.reports import Reports
from msgbot.steps import step
from msgbot.store import amazon_reports, amazon_sync
from msgbot.store.amazon_reports import ENDED, Report, ReportState
from msgbot.store.amazon_states import Aspect
from msgbot.store.database import Database
from msgbot.take_orders import TakeOrders

FETCH = "fetch-report"
"""The name of the workflow that brings a report in."""
PERFORMANCE = "GET_V2_SELLER_PERFORMANCE_REPORT"
UNSHIPPED = "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING"
REPORT_TYPES = (
    UNSHIPPED,
    "GET_FLAT_FILE_ORDER_REPORT_DATA_SHIPPING",
    "GET_FLAT_FILE_ORDER_REPORT_DATA_INVOICING",
    "GET_FLAT_FILE_ORDER_REPORT_DATA_TAX",
    "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL",
    "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL",
    PERFORMANCE,
)
"""The reports that msgbot reads (domain.md section 5)."""
_PERIOD = timedelta(days=7)
_DAILY = timedelta(hours=20)
_FIRST_WAIT, _LONGEST_WAIT = 15.0, 600.0
_GIVEN_UP = timedelta(days=1)


class FetchReports:
    """The use case. Without `amazon` this process can only note that a report is wanted."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        take_orders: TakeOrders,
        refresh: Refresh,
        states: States,
        clock: Clock,
        amazon: Reports | None,
    ) -> None:
        self._database = database
        self._engine = engine
        self._take_orders = take_orders
        self._refresh = refresh
        self._states = states
        self._clock = clock
        self._amazon = amazon

    async def ask(self, account: str, report_type: str) -> Report:
        """Asks for a report; it comes in by itself. Raises InputError for one that msgbot does not read, and for an account that is
        not connected to Amazon."""
        if report_type not in REPORT_TYPES:
            raise InputError(f"{report_type} is no report that msgbot reads; these are: {', '.join(REPORT_TYPES)}")
        if not self._refresh.is_live(account):
            raise InputError(f"account {account} is not connected to Amazon: it has no [amazon.accounts.{account}] in the settings")
        now = self._clock()
        async with self._database.transaction() as connection:
            wanted = await amazon_reports.add(connection, account, report_type, now)
            await self._engine.enqueue(connection, FETCH, account, wanted.id)
        return wanted

    async def get(self, account: str, identity: str) -> Report:
        """How far a report has come. Raises NotFound."""
        async with self._database.reading() as connection:
            found = await amazon_reports.get(connection, account, identity)
        if found is None:
            raise NotFound(f"no report {identity} of account {account}")
        return found

    async def ask_daily(self, accounts: Sequence[str]) -> int:
        """Asks for Amazon's own rate where that was not done for most of a day; how many."""
        now = self._clock()
        asked = 0
        for account in accounts:
            async with self._database.transaction() as connection:
                # Held, so that of several processes one asks.
                await amazon_sync.lock(connection, account, now)
                last = await amazon_reports.last(connection, account, PERFORMANCE)
                if last is not None and now - last.created_at < _DAILY:
                    continue
                wanted = await amazon_reports.add(connection, account, PERFORMANCE, now)
                await self._engine.enqueue(connection, FETCH, account, wanted.id)
            asked += 1
        return asked

    async def run(self, account: str, identities: Sequence[str]) -> None:
        """Brings reports a step further."""
        await step("fetch", self.fetch, account, {each: each for each in identities})

    async def fetch(self, account: str, identity: str) -> str:
        """Brings a report a step further, and sees to the next one. The state it is in."""
        report, amazon = await self.get(account, identity), self._amazon
        if report.state in ENDED or amazon is None:
            return report.state.value
        try:
            report = await (self._order(amazon, report) if report.state is ReportState.WANTED else self._look(amazon, report))
        except (AmazonAway, AmazonUnclear) as error:
            # Asked for twice, a report does no harm.
            await self._later(report, str(error))
            await self._states.failed(account, Aspect.REPORTS, error)
            return report.state.value
        except (AmazonError, InputError) as error:
            if isinstance(error, InputError):
                error = InputError(f"Amazon's report cannot be read: {error}")
            await self._end(report, ReportState.FAILED, str(error))
            await self._states.failed(account, Aspect.REPORTS, error)
            return ReportState.FAILED.value
        await self._states.worked(account, Aspect.REPORTS)
        return report.state.value

    async def _order(self, amazon: Reports, report: Report) -> Report:
        now = self._clock()
        since = None if report.type in {PERFORMANCE, UNSHIPPED} else now - _PERIOD
        amazon_id = await amazon.create(report.account, report.type, since, None)
        async with self._database.transaction() as connection:
            asked = await amazon_reports.change(connection, report, now, state=ReportState.ASKED, amazon_id=amazon_id, looks=0)
            if asked is not None:
                await self._engine.enqueue(connection, FETCH, report.account, report.id, "asked", _FIRST_WAIT)
        return asked or report

    async def _look(self, amazon: Reports, report: Report) -> Report:
        state = await amazon.get(report.account, report.amazon_id)
        match state.status:
            case "DONE" if state.document_id:
                document = await amazon.download(report.account, state.document_id)
                return await self._end(report, ReportState.READ, await self._take(report, document))
            case "DONE" | "CANCELLED":
                return await self._end(report, ReportState.EMPTY, "Amazon has no data for it, or made the same a moment ago")
            case "FATAL":
                raise AmazonRefused("Amazon could not make the report", operation=FETCH)
        return await self._later(report, "Amazon works on it")

    async def _take(self, report: Report, document: Document) -> str:
        """Puts what a report says on file; what that was, for people."""
        now = self._clock()
        if report.type == PERFORMANCE:
            rates = read_performance_report(document.data)
            async with self._database.transaction() as connection:
                await amazon_reports.put_rates(connection, report.account, rates, now)
            return f"Amazon's own rate of {len(rates)} marketplaces"
        source = f"Amazon's report {report.type}"
        # What it says was so when it was asked for, or has become so since.
        taken = await self._take_orders.report(
            report.account, document.data, source, as_of=report.created_at, charset=document.charset
        )
        return f"{len(taken.report.orders)} orders, {len(taken.filed.new)} new formal requests"

    async def _later(self, report: Report, note: str) -> Report:
        now = self._clock()
        if now - report.created_at > _GIVEN_UP:
            return await self._end(report, ReportState.FAILED, f"given up after a day: {note}")
        async with self._database.transaction() as connection:
            changed = await amazon_reports.change(connection, report, now, looks=report.looks + 1, note=note)
            if changed is not None:
                delay = min(_FIRST_WAIT * 2 ** min(report.looks, 10), _LONGEST_WAIT)
                await self._engine.enqueue(
                    connection, FETCH, report.account, report.id, f"{report.state.value}-{changed.looks}", delay
                )
        return changed or report

    async def _end(self, report: Report, state: ReportState, note: str) -> Report:
        async with self._database.transaction() as connection:
            return await amazon_reports.change(connection, report, self._clock(), state=state, note=note) or report
