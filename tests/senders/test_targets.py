"""Where webhooks may go and where not."""

from __future__ import annotations

import socket

import pytest

from msgbot.errors import InputError
from msgbot.senders.targets import check_url, is_public, open_public_socket

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_only_this_machine_or_its_network_reaches_is_not_public(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(PermissionError, match="is not a public address"):
        open_public_socket((socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_anybody_reaches_is_public(address: str) -> None:
    assert is_public(address)
    with open_public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))) as opened:
        assert opened.type == socket.SOCK_STREAM


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook?key=1#part",
        "https://example.com:8443",
        "https://bücher.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]:444/",
        "https://example.com./",
        "https://localhost.example.com/",
        "HTTPS://EXAMPLE.COM/",
        "https://0x7f.example/",
        "https://my_host.1.a1/",
    ],
)
def test_a_webhook_may_go_to(url: str) -> None:
    assert check_url(url, private_allowed=False).scheme == "https"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        *((f"https://{f'[{each}]' if ':' in each else each}/", "is not a public address") for each in PRIVATE if "%" not in each),
        ("https://[fe80::1%25eth0]/", "is not a public address"),
        ("https://localhost/", "is not a public address"),
        ("https://LOCALHOST.:8080/", "is not a public address"),
        ("https://db.localhost/", "is not a public address"),
        # fullwidth digits, and full stops of other scripts, are made plain ones on the way
        ("https://\uff11\uff12\uff17.0.0.1/", "is not a public address"),
        ("https://127\u30020\u30020\u30021/", "is not a public address"),
        ("https://127%2e0%2e0%2e1/", "is no host"),
        ("https://2130706433/", "is no host"),
        ("https://127.1/", "is no host"),
        ("https://0x7f000001/", "is no host"),
        ("https://0x7f.0.0.1/", "is no host"),
        ("https://0177.0.0.1/", "is no host"),
        ("https://127.0.0.1./", "is no host"),
        ("https://example.1/", "is no host"),
        ("https://example.0xA/", "is no host"),
        ("https://example..com/", "is no host|no address"),
        ("https://./", "is no host|no address"),
        ("http://example.com/", "begins with https://$"),
        ("file:///etc/passwd", "begins with https://$"),
        ("gopher://example.com/", "begins with https://$"),
        ("example.com/hook", "begins with https://$"),
        ("", "begins with https://$"),
        ("https://", "names no host"),
        ("https:///hook", "names no host"),
        ("https://example.com:0/", "no port"),
        ("https://example.com:99999/", "no address"),
        ("https://user:secret@example.com/", "user name or a password"),
        ("https://user@example.com/", "user name or a password"),
        ("https://:secret@example.com/", "user name or a password"),
        ("https://example.com\\@10.0.0.1/", "no address"),
        ("https://exam ple.com/", "blank"),
        ("https://exam\nple.com/", "invisible"),
        ("https://example.com/\0", "invisible"),
        ("https://example.com/" + "a" * 2_000, "at most 2000"),
    ],
)
def test_a_webhook_may_not_go_to(url: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        check_url(url, private_allowed=False)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://localhost:8080/", "http://10.0.0.1/", "https://[::1]/", "https://example.com/"])
def test_inside_the_own_network_when_the_settings_say_so(url: str) -> None:
    assert str(check_url(url, private_allowed=True)) == url


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/", "http://user@localhost/", "http:///"])
def test_but_nowhere_else(url: str) -> None:
    with pytest.raises(InputError):
        check_url(url, private_allowed=True)
