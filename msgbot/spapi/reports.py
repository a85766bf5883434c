"""Reports: asked for, made by Amazon in its own time, then downloaded (domain.md section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from msgbot.amazon.fields import Fields
from msgbot.spapi.answers import id_of_made
from msgbot.spapi.client import PATIENCE, SpApi
from msgbot.spapi.documents import Document, Documents
from msgbot.spapi.feeds import ENDED
from msgbot.spapi.moments import written
from msgbot.spapi.operations import CREATE_REPORT, GET_REPORT, GET_REPORT_DOCUMENT


@dataclass(frozen=True, slots=True)
class ReportState:
    """Where a report stands: `status` as Amazon spells it. Cancelled may only mean that there is nothing to report. `document_id`
    is empty until it is done."""

    id: str
    type: str
    status: str
    created_at: datetime
    document_id: str

    @property
    def ended(self) -> bool:
        """Whether Amazon has done with it."""
        return self.status in ENDED


class Reports:
    """Asks for reports."""

    def __init__(self, client: SpApi) -> None:
        self._client = client
        self._documents = Documents(client)

    async def create(
        self,
        account: str,
        report_type: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        patience: float = PATIENCE,
    ) -> str:
        """The id of a new report on all of the seller's marketplaces, `since` and `until` where the type asks for them.

        Raises AmazonUnclear after any failure that leaves open whether it was asked for: asked for twice, a report does no harm."""
        body: dict[str, object] = {
            "reportType": report_type,
            "marketplaceIds": list(self._client.seller(account).marketplaces),
        }
        if since is not None:
            body["dataStartTime"] = written(since)
        if until is not None:
            body["dataEndTime"] = written(until)
        answer = await self._client.call(account, CREATE_REPORT, body=body, patience=patience)
        return id_of_made(answer, CREATE_REPORT, account, "reportId")

    async def get(self, account: str, report_id: str, *, patience: float = PATIENCE) -> ReportState:
        """Where the report stands. Raises AmazonRefused (status 404) when there is none."""
        answer = await self._client.call(account, GET_REPORT, path={"reportId": report_id}, patience=patience)
        return _report(Fields(answer.body))

    async def download(self, account: str, document_id: str, *, patience: float = PATIENCE) -> Document:
        """The report itself, unpacked, with the charset that its store names."""
        return await self._documents.fetch(account, GET_REPORT_DOCUMENT, {"reportDocumentId": document_id}, patience=patience)


def _report(facts: Fields) -> ReportState:
    return ReportState(
        facts.required_text("reportId"),
        facts.required_text("reportType"),
        facts.required_text("processingStatus"),
        facts.required_moment("createdTime"),
        facts.text("reportDocumentId"),
    )
