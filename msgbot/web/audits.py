"""The audit over HTTP: the report of a period, the trail itself, and the proof that neither was changed."""

from __future__ import annotations

import csv
import io
import json

from aiohttp import web

from msgbot.domain.access import Permission as May
from msgbot.plain.audits import AuditData, CaseData, EntryData, ProofData, audit_data, case_data, entry_data, proof_data
from msgbot.store import trail
from msgbot.web.routing import LINES_OUT, NDJSON, Call, Media, Route, answer
from msgbot.web.shapes import AuditQuery, EntriesQuery
from msgbot.web.spool import write

CSV = "text/csv"


async def get_audit(call: Call) -> web.StreamResponse:
    """The audit of a period."""
    query = call.query(AuditQuery)
    report = await call.service.audit.report(call.account, query.since, query.until)
    form = query.format or _wanted(call.request)
    if form == "csv":
        cases = [case_data(case) for case in report.cases]
        headers = {"Content-Disposition": f'attachment; filename="audit-{call.account}.csv"'}
        return web.Response(text=_table(cases), content_type=CSV, charset="utf-8", headers=headers)
    if form == "ndjson":
        lines = "".join(json.dumps(case_data(case), ensure_ascii=False) + "\n" for case in report.cases)
        return web.Response(body=lines.encode("utf-8", "replace"), content_type=NDJSON)
    return answer(audit_data(report))


async def get_entries(call: Call) -> web.StreamResponse:
    """The entries of the audit trail, one a line."""
    query = call.query(EntriesQuery)
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    await response.prepare(call.request)
    after = query.after
    while True:
        # Whose token ends meanwhile is cut off: so nobody takes what they have for all of it.
        await call.go_on()
        # A page a transaction: a slow reader holds nothing up.
        async with call.service.database.reading() as connection:
            page = [
                entry
                async for entry in trail.entries(
                    connection, call.account, since=query.since, until=query.until, after=after, limit=trail.PAGE
                )
            ]
        lines = (json.dumps(entry_data(entry), ensure_ascii=False) + "\n" for entry in page)
        await write(response, "".join(lines).encode("utf-8", "replace"), call.service.settings.idle_seconds)
        if len(page) < trail.PAGE:
            break
        after = page[-1].number
    await response.write_eof()
    return response


async def verify(call: Call) -> web.StreamResponse:
    """Recomputes the account's chain."""
    [proof] = await call.service.audit.verify(call.account)
    return answer(proof_data(proof))


def _wanted(request: web.Request) -> str:
    """The form that the Accept header asks for."""
    accepted = request.headers.get("Accept", "").lower()
    return "csv" if CSV in accepted else "ndjson" if NDJSON in accepted else "json"


def _table(cases: list[CaseData]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(CaseData.__annotations__), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in case.items()} for case in cases)
    return out.getvalue()


def _harmless(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


ROUTES = (
    Route(
        method="GET",
        path="/v1/audit",
        handler=get_audit,
        tag="Audit",
        says="Get the audit of a period.\n\nAs JSON; or the informal requests alone, as CSV or one a line.",
        permission=May.READ_AUDIT,
        query=AuditQuery,
        answers={200: (AuditData, Media(CSV, "One informal request a row."), LINES_OUT)},
    ),
    Route(
        method="GET",
        path="/v1/audit/entries",
        handler=get_entries,
        tag="Audit",
        says="Get the entries of the audit trail, one a line.",
        permission=May.READ_AUDIT,
        query=EntriesQuery,
        answers={200: (EntryData, LINES_OUT)},
    ),
    Route(
        method="GET",
        path="/v1/audit/verify",
        handler=verify,
        tag="Audit",
        says="Prove that the audit trail was not changed.\n\n`broken` is null when every entry holds, else the first place "
        "where it does not.",
        permission=May.READ_AUDIT,
        answers={200: ProofData},
    ),
)
