import pytest

from steadyhand.control.guard import LOOPBACK_HOSTS, host_name, refusal

ORIGINS = frozenset({"https://ops.example"})


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8081", "127.0.0.1"),
        ("Localhost", "localhost"),
        ("[::1]:8081", "::1"),
        ("[::1]", "::1"),
        ("[::1]evil", ""),
        ("[::1", ""),
        ("localhost:80:80", ""),
        ("localhost:x", ""),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("hosts", "origins", "status"),
    [
        (["127.0.0.1:8081"], [], None),
        (["localhost:8081"], [], None),
        (["[::1]:8081"], [], None),
        (["LOCALHOST:8081"], [], None),
        (["evil.example"], [], 421),
        (["evil.example:8081"], [], 421),
        (["localhost.evil.example"], [], 421),
        (["127.0.0.1@evil.example"], [], 421),
        (["localhost."], [], 421),
        ([], [], 421),
        (["localhost", "evil.example"], [], 421),
        (["localhost:8081"], ["http://localhost:8081"], None),  # a page of its own
        (["localhost:8081"], ["http://LOCALHOST:8081"], None),
        (["localhost:8081"], ["https://ops.example"], None),  # listed
        (["localhost:8081"], ["http://ops.example"], 403),  # another scheme
        (["localhost:8081"], ["https://localhost:8081"], 403),
        (["localhost:8081"], ["http://localhost:3000"], 403),  # another port
        (["localhost:8081"], ["http://evil.example"], 403),
        (["localhost:8081"], ["null"], 403),
        (["localhost:8081"], [""], 403),
        (["localhost:8081"], ["https://ops.example", "http://evil.example"], 403),
        (["evil.example"], ["http://evil.example"], 421),  # DNS rebinding: both are theirs
    ],
)
def test_who_is_turned_away(hosts: list[str], origins: list[str], status: int | None) -> None:
    refused = refusal(hosts, origins, "http", LOOPBACK_HOSTS, ORIGINS)
    assert (refused.status if refused else None) == status


def test_a_star_answers_for_every_host_but_not_for_every_origin() -> None:
    hosts = frozenset({"*"})
    assert refusal(["10.0.0.7:8081"], [], "http", hosts, ORIGINS) is None
    assert refusal(["10.0.0.7"], ["http://evil.example"], "http", hosts, ORIGINS) is not None
