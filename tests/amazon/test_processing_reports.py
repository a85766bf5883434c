"""Processing reports of feeds (domain.md section 4)."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.amazon.processing_reports import FeedResult, ProcessingReport, read_processing_report
from msgbot.errors import InputError
from tests.amazon.answers import A
from tests.amazon_models import models_folder

SUMMARY = (
    "<ProcessingSummary><MessagesProcessed>2</MessagesProcessed><MessagesSuccessful>1</MessagesSuccessful>"
    "<MessagesWithError>0</MessagesWithError><MessagesWithWarning>1</MessagesWithWarning></ProcessingSummary>"
)


def report(inside: str, space: str = "") -> bytes:
    content = f"<Message><MessageID>1</MessageID><ProcessingReport>{inside}</ProcessingReport></Message>"
    return f"<AmazonEnvelope{space}><MessageType>ProcessingReport</MessageType>{content}</AmazonEnvelope>".encode()


def test_amazons_example() -> None:
    data = (models_folder() / "examples" / "processing_report_error.xml").read_bytes()
    result = FeedResult(1, "Error", "18028", "The data you submitted is incomplete or invalid.", A)
    expected = ProcessingReport("Complete", 1, 0, 1, 0, (result,))
    assert read_processing_report(data) == expected
    assert read_processing_report(codecs.BOM_UTF8 + data) == expected
    assert result.failed


def test_what_went_well_is_not_listed_and_a_warning_is_no_failure() -> None:
    warning = "<Result><MessageID>2</MessageID><ResultCode>Warning</ResultCode><ResultDescription>äöü</ResultDescription></Result>"
    for space in ("", ' xmlns="urn:any"'):
        read = read_processing_report(report(f"<StatusCode>Complete</StatusCode>{SUMMARY}{warning}", space))
        assert (read.processed, read.successful, read.with_error, read.with_warning) == (2, 1, 0, 1)
        assert read.results == (FeedResult(2, "Warning", "", "äöü", ""),)
        assert not read.results[0].failed


def test_a_result_about_the_whole_feed_has_no_number_of_a_message() -> None:
    result = "<Result><ResultCode>Error</ResultCode><ResultMessageCode>5000</ResultMessageCode></Result>"
    read = read_processing_report(report(f"<StatusCode>Rejected</StatusCode>{SUMMARY}{result}"))
    assert read.results == (FeedResult(0, "Error", "5000", "", ""),)


def test_a_word_that_is_not_known_is_no_success() -> None:
    result = "<Result><MessageID>1</MessageID><ResultCode>Fishy</ResultCode></Result>"
    assert read_processing_report(report(f"<StatusCode>Complete</StatusCode>{SUMMARY}{result}")).results[0].failed


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "not XML"),
        (b"<html><body>Sorry</body></html>", "no processing report"),
        (report(SUMMARY), "StatusCode is missing"),
        (report("<StatusCode>Complete</StatusCode>"), "MessagesProcessed is missing"),
        (report("<StatusCode>Complete</StatusCode>" + SUMMARY.replace(">2<", ">two<")), 'is "two"'),
        (report(f"<StatusCode>Complete</StatusCode>{SUMMARY}<Result><MessageID>1</MessageID></Result>"), "ResultCode is missing"),
        (report(f"<StatusCode>Complete</StatusCode>{SUMMARY}")[:-20], "cut off"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + report(f"<StatusCode>&a;</StatusCode>{SUMMARY}"), "refused"),
        (b"<AmazonEnvelope/>", "no processing report"),
    ],
)
def test_silence_is_no_success(data: bytes, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        read_processing_report(data)


@given(st.binary() | st.text().map(report))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_processing_report(data)
