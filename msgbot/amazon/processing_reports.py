"""Processing reports: what Amazon did with each message of a feed (domain.md section 4). A feed that is DONE may have failed."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element  # the type only: parsing is defusedxml's

from msgbot.amazon.xml_documents import child, children, name_of, read_xml, text_of
from msgbot.errors import InputError


@dataclass(frozen=True, slots=True)
class FeedResult:
    """What Amazon says of one message: `code` is `Error`, `Warning` or another word of Amazon's, `message_code` its number for the
    trouble, `text` its words. `message_id` 0 is about the whole feed. `order_id` is empty where Amazon does not name the order."""

    message_id: int
    code: str
    message_code: str
    text: str
    order_id: str

    @property
    def failed(self) -> bool:
        """Whether the message was refused. A word that is not known is no success."""
        return self.code.lower() != "warning"


@dataclass(frozen=True, slots=True)
class ProcessingReport:
    """The counts of a feed, and the messages that Amazon has something to say of; most reports leave out those that went well."""

    status: str
    processed: int
    successful: int
    with_error: int
    with_warning: int
    results: tuple[FeedResult, ...]


def read_processing_report(data: bytes) -> ProcessingReport:
    """The report in `data`. Raises InputError when it is none, or leaves out its status or its counts: silence is no success."""
    root = read_xml(data, "processing report")
    message = child(root, "Message") if name_of(root) == "AmazonEnvelope" else None
    report = child(message, "ProcessingReport") if message is not None else root
    if report is None or name_of(report) != "ProcessingReport":
        raise InputError(f"this is no processing report: it has no ProcessingReport in <{name_of(root)[:40]}>")
    summary = child(report, "ProcessingSummary")
    return ProcessingReport(
        status=_required(report, "StatusCode"),
        processed=_count(summary, "MessagesProcessed"),
        successful=_count(summary, "MessagesSuccessful"),
        with_error=_count(summary, "MessagesWithError"),
        with_warning=_count(summary, "MessagesWithWarning"),
        results=tuple(_result(result) for result in children(report, "Result")),
    )


def _result(result: Element) -> FeedResult:
    return FeedResult(
        message_id=_count(result, "MessageID") if child(result, "MessageID") is not None else 0,
        code=_required(result, "ResultCode"),
        message_code=text_of(result, "ResultMessageCode"),
        text=text_of(result, "ResultDescription"),
        order_id=text_of(result, "AdditionalInfo", "AmazonOrderID"),
    )


def _required(parent: Element | None, name: str) -> str:
    text = text_of(parent, name)
    if not text:
        raise InputError(f"the processing report is incomplete: {name} is missing")
    return text


def _count(parent: Element | None, name: str) -> int:
    text = _required(parent, name)
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise InputError(f'the processing report is damaged: {name} is "{text[:40]}", expected a number')
    return int(text)
