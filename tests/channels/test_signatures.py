"""Signatures of webhooks, with the library of Standard Webhooks as the other side."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from standardwebhooks import Webhook

from msgbot.channels.signatures import check, sign
from msgbot.clock import system_clock
from msgbot.errors import AccessError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AGE = timedelta(minutes=5)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
BODY = b'{"type":"webhook.test"}'


def test_the_signature_of_the_specification_is_ours() -> None:
    """The example that the specification's own libraries are tested with."""
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_library_accepts_what_we_sign() -> None:
    Webhook(SECRET).verify(BODY, sign(SECRET, "msg_1", system_clock(), BODY))


@given(st.text())
def test_we_accept_what_the_library_signs(text: str) -> None:
    signature = Webhook(SECRET).sign("msg_1", NOW, text)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": signature}
    assert check(SECRET, headers, text.encode(), NOW, AGE) == "msg_1"


@given(st.binary(), st.integers(-300, 300), st.data())
def test_what_is_signed_is_accepted_and_anything_else_is_not(body: bytes, seconds: int, data: st.DataObject) -> None:
    headers = sign(SECRET, "msg_1", NOW + timedelta(seconds=seconds), body)
    assert check(SECRET, headers, body, NOW, AGE) == "msg_1"
    other_body = data.draw(st.binary().filter(lambda other: other != body))
    for secret, changed, received in (
        (OTHER, {}, body),
        (SECRET, {}, other_body),
        (SECRET, {"webhook-id": "msg_2"}, body),
        (SECRET, {"webhook-timestamp": str(int(NOW.timestamp()) + (100 if seconds < 0 else -100))}, body),
    ):
        with pytest.raises(AccessError, match="no signature"):
            check(secret, headers | changed, received, NOW, AGE)


@pytest.mark.parametrize("index", range(43))
def test_no_sign_of_a_signature_may_differ(index: int) -> None:
    headers = sign(SECRET, "msg_1", NOW, BODY)
    signature = headers["webhook-signature"].removeprefix("v1,")
    # The last sign before the padding holds two bits that say nothing; they must be right too.
    swapped = "B" if signature[index] == "A" else "A"
    headers["webhook-signature"] = f"v1,{signature[:index]}{swapped}{signature[index + 1 :]}"
    with pytest.raises(AccessError):
        check(SECRET, headers, BODY, NOW, AGE)


def the_right_one() -> str:
    return sign(SECRET, "msg_1", NOW, BODY)["webhook-signature"]


@pytest.mark.parametrize(
    "signatures",
    [
        f"{the_right_one()} v1,AAAA",
        f"v1,AAAA {the_right_one()}",
        f"v1a,hnO3f9T8Ytu9 v2,AAAA  {the_right_one()}",
        f"nonsense v1 , v1, {the_right_one()}",
        f"v1,é {the_right_one()}",
    ],
)
def test_one_of_several_signatures_is_enough(signatures: str) -> None:
    headers = sign(SECRET, "msg_1", NOW, BODY) | {"webhook-signature": signatures}
    assert check(SECRET, headers, BODY, NOW, AGE) == "msg_1"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"webhook-id": ""}, "no header webhook-id$"),
        ({"webhook-timestamp": " "}, "no header webhook-timestamp$"),
        ({"webhook-signature": "", "webhook-id": ""}, "no header webhook-id and no webhook-signature"),
        ({"webhook-id": "msg.1"}, "without a full stop"),
        ({"webhook-id": "msg 1"}, "without a full stop or a blank"),
        ({"webhook-id": "mség"}, "ASCII"),
        ({"webhook-id": "\udcff"}, "ASCII"),
        ({"webhook-id": "m" * 256}, "at most 255"),
        ({"webhook-timestamp": "soon"}, "whole seconds"),
        ({"webhook-timestamp": "1795176000.5"}, "whole seconds"),
        ({"webhook-timestamp": "-1"}, "whole seconds"),
        ({"webhook-timestamp": "\u0661"}, "whole seconds"),
        ({"webhook-timestamp": "9" * 5000}, "whole seconds"),
        ({"webhook-timestamp": "1"}, "seconds old"),
        ({"webhook-timestamp": "999999999999"}, "in the future"),
        ({"webhook-signature": "v1a," + "A" * 44}, "no signature"),
        ({"webhook-signature": "V1" + the_right_one()[2:]}, "no signature"),
        ({"webhook-signature": the_right_one()[3:]}, "no signature"),
        ({"webhook-signature": "v1,\udcff"}, "no signature"),
    ],
)
def test_a_refusal_says_why(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(AccessError, match=reason) as refused:
        check(SECRET, sign(SECRET, "msg_1", NOW, BODY) | changed, BODY, NOW, AGE)
    assert not refused.value.known
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(("seconds", "accepted"), [(301, False), (300, True), (-300, True), (-301, False)])
def test_an_age_is_allowed_to_the_second(seconds: int, accepted: bool) -> None:
    headers = sign(SECRET, "msg_1", NOW - timedelta(seconds=seconds), BODY)
    if accepted:
        assert check(SECRET, headers, BODY, NOW, AGE) == "msg_1"
    else:
        with pytest.raises(AccessError):
            check(SECRET, headers, BODY, NOW, AGE)


def test_the_case_of_header_names_and_blanks_around_values_do_not_matter() -> None:
    headers = sign(SECRET, "msg_1", NOW, BODY)
    assert check(SECRET, {name.title(): f" {value}\t" for name, value in headers.items()}, BODY, NOW, AGE) == "msg_1"
    assert check(SECRET, CIMultiDict(headers), BODY, NOW, AGE) == "msg_1"


def test_a_body_that_is_no_text_is_checked_as_it_came() -> None:
    body = b"\xff\x00\xfe broken mail"
    assert check(f" {SECRET}\n", sign(SECRET.removeprefix("whsec_").rstrip("="), "msg_1", NOW, body), body, NOW, AGE) == "msg_1"
