"""Where webhooks may go. Whoever can set one up must not reach with it what only this machine can reach."""

from __future__ import annotations

import errno
import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from yarl import URL

from msgbot.errors import InputError

_LONGEST = 2_000
_NAT64 = IPv6Network("64:ff9b::/96")
# A name whose last part is a number would be read as an IPv4 address: 127.1, 2130706433, 0x7f.0.0.1
_NAME = re.compile(r"(?:[a-z0-9_-]+\.)*(?!(?:0x[0-9a-f]*|[0-9]+)\.?$)[a-z0-9_-]+\.?")


def check_url(url: str, private_allowed: bool) -> URL:
    """The address, parsed. Raises InputError that says why nothing may be sent there.

    What a name stands for shows only when a connection is made: that is for `open_public_socket` to see to."""
    if len(url) > _LONGEST:
        raise InputError(f"the address of a webhook has at most {_LONGEST} characters")
    if not url.isprintable() or " " in url:
        raise InputError("there is a blank or an invisible character in the address of the webhook")
    try:
        parsed = URL(url)
    except ValueError as error:
        raise InputError(f"that is no address for a webhook: {error}") from error
    schemes = ("https", "http") if private_allowed else ("https",)
    if parsed.scheme not in schemes:
        raise InputError(f"a webhook goes to an address that begins with {' or '.join(f'{each}://' for each in schemes)}")
    host = parsed.raw_host or ""
    if not host or not parsed.port:
        raise InputError("the address of the webhook names no host, or no port, to send to")
    if parsed.raw_user or parsed.raw_password:
        raise InputError("the address of a webhook must not hold a user name or a password: what it is sent is signed instead")
    if not private_allowed:
        _check_public(host)
    return parsed


def _check_public(host: str) -> None:
    """Raises InputError when the name itself tells that it is no public host."""
    try:
        public = is_public(host)
    except ValueError:
        if not _NAME.fullmatch(host):
            raise InputError(f"{host} is no host: write a name, or an IP address in its usual form") from None
        public = host.removesuffix(".").rpartition(".")[2] != "localhost"
    if not public:
        raise InputError(f"{host} is not a public address; webhooks go to others only with the setting 'private_webhooks'")


def is_public(address: str) -> bool:
    """Whether this IP address can be reached from anywhere. Raises ValueError when it is none."""
    parsed: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(parsed, IPv6Address):
        # These lead to an IPv4 address, and it is that one which counts.
        carried = IPv4Address(int(parsed) & 0xFFFF_FFFF) if parsed in _NAT64 else None
        parsed = parsed.ipv4_mapped or parsed.sixtofour or carried or parsed
    site_local = isinstance(parsed, IPv6Address) and parsed.is_site_local
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved or site_local)


def open_public_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket for an address as `getaddrinfo` gives it: every connection begins here, whether its host was written as a name
    or as an address, and whatever a name meant a moment ago. Raises PermissionError for one that is not public."""
    family, kind, protocol, _, (host, *_) = address
    if not is_public(host):
        raise PermissionError(errno.EACCES, f"{host} is not a public address")
    return socket.socket(family, kind, protocol)
