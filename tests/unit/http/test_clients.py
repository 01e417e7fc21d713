import pytest

from steadyhand.http.clients import MAX_BEING_TURNED_AWAY, Clients, client_of
from steadyhand.http.limits import ServerLimits


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("no:address", "no:address"),
        ("", ""),
    ],
)
def test_a_client_is_an_address_or_a_network(address: str, client: str) -> None:
    assert client_of(address) == client


def test_one_client_does_not_take_the_place_of_another() -> None:
    clients = Clients(ServerLimits(max_connections=4, max_connections_per_client=2))
    assert [clients.enter("a") for _ in range(2)] == [None, None]
    refused = clients.enter("a")
    assert refused is not None
    assert (refused.status, refused.code) == (429, "too_many_connections_of_client")
    assert clients.enter("b") is None
    assert clients.enter("c") is None, "who is turned away takes no place"
    full = clients.enter("d")
    assert full is not None
    assert (full.status, full.code) == (503, "too_many_connections")
    assert (clients.staying, clients.turned_away) == (4, 2)
    clients.leave("a", "turned away")
    clients.leave("d", "turned away")
    clients.leave("a", "stayed")
    assert clients.enter("a") is None
    for client in ("a", "a", "b", "c"):
        clients.leave(client, "stayed")
    assert (clients.staying, clients.turned_away, clients._by_client) == (0, 0, {})


@pytest.mark.parametrize("client", ["a", ""])
def test_without_a_bound_or_an_address_nobody_is_counted_alone(client: str) -> None:
    clients = Clients(ServerLimits(max_connections_per_client=0 if client else 1))
    assert [clients.enter(client) for _ in range(10)] == [None] * 10


def test_only_so_many_are_told_why() -> None:
    clients = Clients(ServerLimits(max_connections=0))
    for _ in range(MAX_BEING_TURNED_AWAY):
        assert clients.enter("a") is not None
        assert clients.may_be_told
    assert clients.enter("a") is not None
    assert not clients.may_be_told
