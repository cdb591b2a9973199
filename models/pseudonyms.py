"""Stable names for the hosts and addresses of a log: the same for the same, of the same kind, and nobody's.

| what | becomes |
| --- | --- |
| a host's name that is known: the target's, the proxy's, a host's `hostname` and `name_label` | `host-1`, and so on |
| a name in a domain that is known, or in one of `PRIVATE` | `host-2.example`, and so on |
| an IPv4 address | one of 198.51.100.0/24, then of 203.0.113.0/24, then of 198.18.0.0/15 |
| an IPv6 address | 2001:db8:ffff::1, and so on |

Addresses that tell nothing stay: loopback, unspecified, multicast, netmasks, and those for documentation, which the
suite itself sends. A known name without a digit, hyphen or dot may be a word of the API as well: it is replaced only
where it is a whole value. Sources: RFC 5737, RFC 3849, RFC 2544, RFC 2606.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import chain

HOSTS = "hosts"
"""How a log's start names what was replaced."""
PRIVATE = ("local", "localdomain", "lan", "internal", "intranet", "corp", "home.arpa")
"""Domains that are no public ones: names in them are hosts of somebody's own."""
_OURS = tuple(map(IPv4Network, ("198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")))
_KEPT = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "192.0.2.0/24", "224.0.0.0/3", *map(str, _OURS))))
_KEPT_6 = tuple(map(IPv6Network, ("::/127", "2001:db8::/32", "ff00::/8")))
_BEFORE = r"(?:(?<![\w.:-])|(?<=\\[nrt]))"
"""What may stand before: no part of the same word. In a line of JSON a line end is written as a backslash and n."""
_V4 = re.compile(_BEFORE + r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w-]|\.[0-9])")
_V6 = re.compile(_BEFORE + r"(?=[0-9A-Fa-f:]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]{3,39}(?![\w:])")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_WORD = re.compile(r"[A-Za-z_]+")


@dataclass(slots=True)
class Pseudonyms:
    """What was replaced by what so far, in the order of first sight."""

    names: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    _count: int = 0
    _domains: set[str] = field(default_factory=set)
    _known: re.Pattern[str] | None = None
    _whole: re.Pattern[str] | None = None
    _in_domains: re.Pattern[str] | None = None

    def __post_init__(self) -> None:
        self._compile()

    def learn(self, names: Iterable[str]) -> None:
        """Take note of hosts' names; of one with a domain, the domain and the name within it too."""
        for name in names:
            if not re.fullmatch(r"[\w. -]{2,253}", name) or name.lower() == "localhost" or _is_address(name):
                continue
            first, dot, domain = name.partition(".")
            self._name(name)
            if dot and domain and re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", name):
                self._name(first)
                if "." in domain:
                    self._domains.add(domain.lower())
        self._compile()

    def line(self, text: str) -> str:
        """Return text, such as a line of a log, with every name and address replaced."""
        if self._in_domains is not None:
            text = self._in_domains.sub(lambda found: self._name(found[0]), text)
        if self._known is not None:
            text = self._known.sub(lambda found: self._name(found[0]), text)
        if self._whole is not None:
            text = self._whole.sub(lambda found: self._name(found[0]), text)
        return _V6.sub(self._six, _V4.sub(self._four, text))

    def _name(self, name: str) -> str:
        name = name.lower()
        if name not in self.names:
            first, dot, _ = name.partition(".")
            told = f"{self._name(first)}.example" if dot else self._next()
            # Two hosts may have one name in two domains.
            self.names[name] = f"{self._next()}.example" if told in self.names.values() else told
        return self.names[name]

    def _next(self) -> str:
        """Return the next name that nobody has."""
        self._count += 1
        while f"host-{self._count}" in self.names:
            self._count += 1
        return f"host-{self._count}"

    def _four(self, found: re.Match[str]) -> str:
        try:
            address = IPv4Address(found[0])
        except AddressValueError:
            return found[0]
        if any(address in each for each in _KEPT):
            return found[0]
        if found[0] not in self.addresses:
            used = sum("." in each for each in self.addresses)
            self.addresses[found[0]] = str(_nth(used))
        return self.addresses[found[0]]

    def _six(self, found: re.Match[str]) -> str:
        try:
            address = IPv6Address(found[0])
        except AddressValueError:
            return found[0]
        if any(address in each for each in _KEPT_6):
            return found[0]
        key = str(address)
        if key not in self.addresses:
            self.addresses[key] = f"2001:db8:ffff::{sum(':' in each for each in self.addresses) + 1:x}"
        return self.addresses[key]

    def _compile(self) -> None:
        longest = sorted(self.names, key=lambda each: (-len(each), each))
        words = [re.escape(each) for each in longest if not _WORD.fullmatch(each)]
        wholes = [re.escape(each) for each in longest if _WORD.fullmatch(each)]
        after = r"(?![\w-]|\.\w)"
        self._known = re.compile(f"{_BEFORE}(?:{'|'.join(words)}){after}", re.IGNORECASE) if words else None
        self._whole = re.compile(f'(?<=[">])(?:{"|".join(wholes)})(?=\\\\?"|<)', re.IGNORECASE) if wholes else None
        domains = "|".join(re.escape(each) for each in sorted((*self._domains, *PRIVATE), key=lambda each: -len(each)))
        self._in_domains = re.compile(rf"{_BEFORE}(?:{_LABEL}\.)+(?:{domains}){after}", re.IGNORECASE)


def _nth(used: int) -> IPv4Address:
    """Return the address that is given after so many."""
    hosts = chain.from_iterable(range(int(each[1]), int(each[-1])) for each in _OURS)
    return IPv4Address(next(address for at, address in enumerate(hosts) if at == used))


def _is_address(name: str) -> bool:
    try:
        IPv4Address(name)
    except AddressValueError:
        return ":" in name
    return True


def names_in(record: object) -> Iterator[str]:
    """Yield the names that a host's record gives it."""
    if isinstance(record, Mapping):
        yield from (str(record[name]) for name in ("hostname", "name_label") if record.get(name))
