"""Which addresses anybody may be sent to: those of the open internet, and no others."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# Addresses of IPv6 that stand for one of IPv4, behind a translator that may be in our own network.
_TRANSLATED = (
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2002::/16"),
    IPv6Network("2001::/32"),
)


def is_public(address: str) -> bool:
    """Return whether *address*, numeric, is one host's of the open internet.

    Not this machine, its network, the metadata of its cloud (169.254.169.254), a group of hosts, or
    an address of IPv6 by which a private one of IPv4 may be reached.
    """
    # With a zone an address is of one's own link; without is what it is.
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return _is_open(found.ipv4_mapped)
        if any(found in network for network in _TRANSLATED):
            return False
    return _is_open(found)


def _is_open(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )
