"""Answers the calls of the Reports API (domain.md section 5). What a report says is given by whoever runs the fake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgbot.fake_amazon.call import Call, Reply, missing, read_moment, spell, text_in, texts_in
from msgbot.fake_amazon.jobs import ENDS, Job, Lists, Pace
from msgbot.fake_amazon.trouble import Trouble
from msgbot.fake_amazon.world import World

WITHOUT_DATA = "CANCELLED"
"""How a report ends for which there is nothing to tell."""


@dataclass(slots=True)
class FakeReport(Job):
    """A report, and the time that it is about where that was asked for."""

    since: datetime | None = None
    until: datetime | None = None


class ReportCalls:
    """All reports. `pace` is how long they take, `zipped` whether their documents are."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._contents: dict[tuple[str, str], tuple[bytes, str]] = {}
        self.reports: dict[str, FakeReport] = {}
        self.pace = Pace()
        self.zipped = True
        self._lists = Lists("reportTypes")

    def write(self, seller_id: str, report_type: str, data: bytes, content_type: str) -> None:
        """From now on reports of this type say this."""
        self._contents[seller_id, report_type] = (data, content_type)

    def create(self, call: Call, fate: Trouble | None) -> Reply:
        """Answers createReport."""
        body = call.json()
        marketplaces = texts_in(body, "marketplaceIds", 25)
        self._world.access.check_marketplaces(call, marketplaces)
        report = FakeReport(
            str(60_000_000 + len(self.reports) + 1), text_in(body, "reportType"), call.seller_id, marketplaces, call.at, fate
        )
        if "dataStartTime" in body:
            report.since = read_moment("dataStartTime", body["dataStartTime"])
        if "dataEndTime" in body:
            report.until = read_moment("dataEndTime", body["dataEndTime"])
        self.reports[report.id] = report
        return Reply(202, {"reportId": report.id})

    def one(self, call: Call) -> Reply:
        """Answers getReport."""
        report = self.reports.get(call.names["report"])
        if report is None or report.seller_id != call.seller_id:
            raise missing("The report was not found.")
        report.looks += 1
        self.advance()
        return Reply(200, tell(report))

    def some(self, call: Call) -> Reply:
        """Answers getReports."""
        self.advance()
        reports, following = self._lists.page(call, self.reports.values())
        return Reply(200, {"reports": [tell(report) for report in reports], **following})

    def advance(self) -> None:
        """Ends the reports whose time has come."""
        for report in list(self.reports.values()):
            if report.status not in ENDS and report.is_due(self.pace, self._world.clock()):
                self._end(report)

    def _end(self, report: FakeReport) -> None:
        now = self._world.clock()
        report.started_at = report.started_at or now
        content = self._contents.get((report.seller_id, report.type))
        if report.fate is not None or content is None:
            report.end(report.fate.name if report.fate else WITHOUT_DATA, now)
            return
        document = self._world.documents.make("report", report.seller_id, content[1], content[0], zipped=self.zipped)
        report.end("DONE", now, document.id)


def tell(report: Job) -> dict[str, Any]:
    """A report as getReport gives it."""
    about: dict[str, str] = {}
    if isinstance(report, FakeReport):
        if report.since:
            about["dataStartTime"] = spell(report.since)
        if report.until:
            about["dataEndTime"] = spell(report.until)
    result = {"reportDocumentId": report.result} if report.result else {}
    return {"reportId": report.id, "reportType": report.type, **report.times(), **about, **result}
