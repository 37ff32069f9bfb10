"""Which addresses may be fetched from: the web's ports of hosts that the whole Internet can reach."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from opendata.ports.fetcher.port import FetchFailed

PORTS = {"http": 80, "https": 443}
LONGEST = 2000
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?\.?|[0-9a-f:.]{2,45}")
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_CLOSED = [
    ipaddress.ip_network(network)
    for network in ("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "2001::/23", "fec0::/10")
]
"""Special ranges besides those that `ipaddress` of every supported Python knows."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Target:
    """Where one request goes."""

    scheme: str
    host: str
    """ASCII, lower case, without brackets."""
    port: int
    path: str
    """With the query."""

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def authority(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def target(url: str, allowed: Collection[str] = ()) -> Target:
    """An address taken apart. `allowed`: `host:port` pairs to which the rule of ports does not apply.
    `FetchFailed("address_wrong")`."""
    if len(url) > LONGEST or _CONTROLS.search(url):
        raise FetchFailed("address_wrong")
    try:
        parts = urlsplit(url)
        found = _target(parts)
    except ValueError:
        raise FetchFailed("address_wrong") from None
    if found.port != PORTS[found.scheme] and found.place not in allowed:
        raise FetchFailed("address_wrong")
    return found


def _target(parts: SplitResult) -> Target:
    """`ValueError` for what is no address of the web. Names and passwords in it are refused: they would be sent."""
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    if scheme not in PORTS or "@" in parts.netloc:
        raise ValueError(scheme)
    if not host.isascii():
        host = host.encode("idna").decode()
    if not _HOST.fullmatch(host):
        raise ValueError(host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, parts.port or PORTS[scheme], path.encode("ascii", "strict").decode())


def resolve(found: Target, seconds: float, allowed: Collection[str] = ()) -> list[str]:
    """The addresses of a host, looked up once: whoever connects must use one of them, or the name could mean another by
    then. `FetchFailed`: `address_unknown`; `address_private` if any of them is; `fetch_too_slow`."""
    addresses = _look_up(found, seconds)
    if found.place not in allowed and not all(is_public(address) for address in addresses):
        raise FetchFailed("address_private")
    return addresses


def is_address(host: str) -> bool:
    """Whether the host is named by its address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(text: str) -> bool:
    """Whether an address is one that the whole Internet can reach, looked at through the shells in which IPv6 wraps IPv4."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
        elif address.teredo is not None or int(address) < 1 << 64:
            return False
    closed = any(address.version == network.version and address in network for network in _CLOSED)
    return address.is_global and not address.is_multicast and not address.is_reserved and not closed


def _look_up(found: Target, seconds: float) -> list[str]:
    """In a thread of its own: the system's resolver knows no limit of time."""
    answers: list[str] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            told = socket.getaddrinfo(found.host, found.port, type=socket.SOCK_STREAM)
            answers.extend(dict.fromkeys(str(entry[4][0]) for entry in told))
        except (OSError, UnicodeError) as error:
            errors.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    if asking.is_alive():
        raise FetchFailed("fetch_too_slow", limit=round(seconds))
    if errors or not answers:
        raise FetchFailed("address_unknown")
    return answers
