"""Files and folders to messages: every form, and every way in which a file is not what it says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.channels.files import Incoming, Unreadable, read_sources, sources_size
from msgbot.channels.mbox import split_mbox
from msgbot.channels.tables import BadRow, Row, read_csv, read_jsonl
from msgbot.domain.message import Kind
from msgbot.errors import InputError

RELAY = "a1b2+1f2E@marketplace.amazon.de"


def mail(number: int, words: str = "words") -> bytes:
    return f"From: {RELAY}\nMessage-ID: <{number}@x>\nSubject: x\n\n{words}\n".encode()


def read(*paths: Path) -> list[Incoming | Unreadable]:
    return list(read_sources(paths, account="main"))


def ids(found: list[Incoming | Unreadable]) -> list[str]:
    return [each.message.id if isinstance(each, Incoming) else str(each.reason) for each in found]


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_one_mail(tmp_path: Path) -> None:
    path = write(tmp_path / "a.eml", mail(1))
    (found,) = read(path)
    assert isinstance(found, Incoming)
    assert (found.raw, found.consumed, found.message.origin, found.message.kind) == (mail(1), len(mail(1)), str(path), Kind.BUYER)


MBOX = (
    b"From MAILER-DAEMON Mon Jan  1 10:00:00 2024\n" + mail(1, "one\n\nFrom here on it is mine\n>From there\n>>From deeper") + b"\n"
    b"From - Mon Jan  1 11:00:00 2024\r\n" + mail(2).replace(b"\n", b"\r\n") + b"\r\n"
    b"From 177@xxx Mon Jan 01 10:00:00 +0000 2024\n" + mail(3)
)


def test_mbox(tmp_path: Path) -> None:
    found = read(write(tmp_path / "a.mbox", MBOX))
    assert ids(found) == ["<1@x>", "<2@x>", "<3@x>"]
    first, _, last = found
    assert isinstance(first, Incoming)
    assert b"one\n\nFrom here on it is mine\nFrom there\n>From deeper\n" in first.raw
    assert first.message.origin.endswith("a.mbox message 1")
    assert last.consumed == len(MBOX)


@pytest.mark.parametrize(
    ("content", "mails"),
    [
        (b"From x\nA: 1\n\nFrom y\nB: 2\n", [b"A: 1\n\n", b"B: 2\n"]),  # no dates in this file's lines
        (b"From x 10:00 2024\nA: 1\n\nFrom y\nB: 2\n", [b"A: 1\n\nFrom y\nB: 2\n"]),  # dates, so a line without is none of them
        (b"From x 10:00 2024\nA: 1\nFrom y 10:00 2024\nB\n", [b"A: 1\nFrom y 10:00 2024\nB\n"]),  # no blank line before it
        (b"From x\n", [b""]),
        (
            b"From x\n" + b"y" * 100_000 + b"\n\nFrom z\nB\n",
            [b"y" * 100_000 + b"\n\n", b"B\n"],
        ),  # a line longer than what is read at once
    ],
)
def test_mbox_lines(content: bytes, mails: list[bytes]) -> None:
    assert list(split_mbox(io.BytesIO(content))) == mails


def test_a_single_mail_is_no_mbox(tmp_path: Path) -> None:
    (found,) = read(write(tmp_path / "a.mbox", mail(1)))
    assert isinstance(found, Unreadable)
    assert (found.line, found.reason) == (1, "an mbox begins with a line `From …`; a single mail is named .eml")


def test_folders_are_read_in_depth_and_by_name(tmp_path: Path) -> None:
    write(tmp_path / "b.eml", mail(1))
    write(tmp_path / "a" / "z.EML", mail(2))
    write(tmp_path / "a" / "rows.jsonl", '{"id": "3", "text": "x"}')
    write(tmp_path / "a" / "notes.doc", "not read")
    write(tmp_path / ".hidden.eml", mail(9))
    assert ids(read(tmp_path)) == ["<1@x>", "3", "<2@x>"]
    assert sources_size([tmp_path]) == len(mail(1) + mail(2)) + len('{"id": "3", "text": "x"}')


def test_maildir(tmp_path: Path) -> None:
    write(tmp_path / "new" / "1700000002.M1P2.host", mail(2))
    write(tmp_path / "cur" / "1700000001.M1P2.host:2,S", mail(1))
    write(tmp_path / "tmp" / "1700000003.M1P2.host", mail(3))
    write(tmp_path / ".Archive" / "cur" / "1700000000.M1P2.host:2,S", mail(4))
    (tmp_path / ".Archive" / "new").mkdir()
    (tmp_path / ".Archive" / "tmp").mkdir()
    assert ids(read(tmp_path)) == ["<4@x>", "<1@x>", "<2@x>"]


def test_jsonl(tmp_path: Path) -> None:
    lines = [
        '\ufeff{"id": "1", "text": "x"}',
        "",
        '{"id": "2", "body": "y"}',
        '{"text": }',
        "[1]",
        '{"id": "5"}',
        '{"id": "6", "text": "z"}',
    ]
    path = write(tmp_path / "a.ndjson", "\n".join(lines))
    found = read(path)
    assert [str(each) if isinstance(each, Unreadable) else each.message.id for each in found] == [
        "1",
        "2",
        f"{path}:4:10: not JSON: Expecting value",
        f'{path}:5:1: not a JSON object: a line looks like {{"text": "…"}}',
        f"{path}:6: no words: a field `text` (or `body`) is needed",
        "6",
    ]
    assert isinstance(found[1], Incoming)
    assert found[1].raw == b'{"id": "2", "body": "y"}\n'
    assert found[1].message.origin == f"{path} line 3"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"text": "f\xfcr"}', "not UTF-8"),
        (b'{"text": ' + b"[" * 100_000, "not"),  # nested too deep for the parser
        (b'{"text": "x", "id": ' + b"9" * 5_000 + b"}", "not"),  # a number that Python refuses
        (b"id,text\n", "not JSON"),
    ],
)
def test_lines_that_are_no_json(content: bytes, reason: str) -> None:
    (found,) = read_jsonl(io.BytesIO(content))
    assert isinstance(found, BadRow)
    assert found.line == 1
    assert found.reason.startswith(reason)


def test_a_json_document_is_told_apart_at_once() -> None:
    first, second = read_jsonl(io.BytesIO(b'[\n{"text": "x"},\n{"text": "y"}\n]\n'))
    assert isinstance(first, BadRow)
    assert isinstance(second, BadRow)
    assert "one object on one line" in second.reason


ROWS = [
    ["ID", "Text", "Order-ID"],
    ["1", 'He said "no",\nthen left', "301-0000001-0000001"],
    ["2", "キャンセルしてください;、,", ""],
    ["3", "Größe", ""],
]


def table(delimiter: str, charset: str, rows: list[list[str]] = ROWS) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(charset, "replace")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
def test_csv(delimiter: str, charset: str) -> None:
    found = list(read_csv(io.BytesIO(table(delimiter, charset))))
    assert all(isinstance(row, Row) for row in found)
    assert [(row.line, row.fields["text"]) for row in found if isinstance(row, Row)][:2] == [
        (2, 'He said "no",\nthen left'),
        (4, "キャンセルしてください;、,"),
    ]
    assert isinstance(found[0], Row)
    assert found[0].fields["order_id"] == "301-0000001-0000001"


def test_csv_of_windows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", table(";", "cp1252", [ROWS[0], ROWS[3]]))
    (found,) = read(path)
    assert isinstance(found, Incoming)
    assert (found.message.text, found.raw, found.message.origin) == ("Größe", "3;Größe;\r\n".encode("cp1252"), f"{path} line 2")


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("id;subject\n1;x\n", 1, "no column `text` or `body`; the columns are: id, subject"),
        ("", 1, "no column `text` or `body`; the columns are: none"),
        ("id,text\n1,please, cancel\n", 2, "3 cells under 2 column names: a text with ',' in it needs quotes"),
        ('id,text\n1,"never closed\n' + "x" * 200_000, 2, "not a CSV row: field larger than field limit (131072)"),
    ],
)
def test_csv_that_is_none(content: str, line: int, reason: str) -> None:
    found = next(read_csv(io.BytesIO(content.encode())))
    assert found == BadRow(line, 0, reason)


def test_bad_csv_rows_do_not_stop_the_good_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,text\n1,one\n2,,,\n\n3,a,b\n4,four\n")
    assert ids(read(path)) == [
        "1",
        "no words: a field `text` (or `body`) is needed",
        "3 cells under 2 column names: a text with ',' in it needs quotes",
        "4",
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("inbox", MBOX, ["<1@x>", "<2@x>", "<3@x>"]),
        ("message.txt", mail(1), ["<1@x>"]),
        ("rows.json", b'{"id": "1", "text": "x"}\n', ["1"]),
        ("picture", b"\x89PNG\r\n", ["neither a mail nor an mbox nor JSON lines"]),
        ("empty", b"", ["neither a mail nor an mbox nor JSON lines"]),
        ("picture.eml", b"\x89PNG\r\n", ["not a mail", "sha256:"]),  # reported, and kept
        ("empty.jsonl", b"", []),
    ],
)
def test_without_a_known_ending_the_content_tells(tmp_path: Path, name: str, content: bytes, expected: list[str]) -> None:
    found = ids(read(write(tmp_path / name, content)))
    assert len(found) == len(expected)
    assert all(each.startswith(start) for each, start in zip(found, expected, strict=True))


def test_places_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "locked.eml").symlink_to(tmp_path / "gone.eml")
    found = read(tmp_path / "nowhere", tmp_path / "empty", tmp_path / "locked.eml", write(tmp_path / "a.eml", mail(1)))
    assert [str(each).removeprefix(str(tmp_path)) for each in found if isinstance(each, Unreadable)] == [
        "/nowhere: no such file or folder",
        "/empty: nothing to read in this folder: it is no Maildir, and no file ends in .eml, .mbox, .jsonl, .ndjson, .csv, .tsv",
        "/locked.eml: no such file or folder",
    ]
    assert ids(found)[-1] == "<1@x>"  # the rest goes on
    assert sources_size([tmp_path / "nowhere", tmp_path / "empty"]) == 0


def test_a_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path / "a.eml", mail(1))
    monkeypatch.setattr(Path, "open", refuse)
    assert [str(each) for each in read(path)] == [f"{path}: cannot be read: Permission denied"]


def test_consumed_counts_up_to_the_whole(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "a.mbox", MBOX),
        write(tmp_path / "b.jsonl", json.dumps({"text": "x"}) + "\n"),
        write(tmp_path / "c.eml", mail(1)),
    ]
    consumed = [each.consumed for each in read(*paths)]
    assert consumed == sorted(consumed)
    assert consumed[-1] == sources_size(paths)


def test_reading_is_lazy(tmp_path: Path) -> None:
    sources: Iterator[Incoming | Unreadable] = read_sources(
        [write(tmp_path / "a.mbox", MBOX), tmp_path / "nowhere"], account="main"
    )
    assert isinstance(next(sources), Incoming)


@given(st.binary(), st.sampled_from(["mbox", "jsonl", "csv"]))
def test_any_bytes_in_any_form(content: bytes, form: str) -> None:
    file = io.BytesIO({"mbox": b"From x\n", "jsonl": b'{"a": 1}\n', "csv": b"id,text\n"}[form] + content)
    try:
        found = list({"mbox": split_mbox, "jsonl": read_jsonl, "csv": read_csv}[form](file))
    except InputError:
        raise AssertionError("the beginning was right") from None
    assert found or form == "csv"
