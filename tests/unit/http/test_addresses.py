"""In which order the addresses of a name are tried, and how long they count."""

import itertools
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.http.addresses import Address, KnownAddresses, interleaved

FOUR, SIX = 2, 10
A1, A2, A3 = (Address(FOUR, (f"192.0.2.{n}", 443)) for n in (1, 2, 3))
B1, B2 = (Address(SIX, (f"2001:db8::{n}", 443, 0, 0)) for n in (1, 2))

FOUND = st.lists(st.sampled_from([A1, A2, A3, B1, B2]))


def test_families_take_turns_and_the_first_stays_first() -> None:
    assert interleaved([B1, B2, A1, A2, A3]) == (B1, A1, B2, A2, A3)
    assert interleaved([A1, A2, A1]) == (A1, A2)
    assert interleaved([]) == ()
    assert A1.shown == "192.0.2.1"


@given(FOUND)
def test_every_address_is_tried_once(found: list[Address]) -> None:
    tried = interleaved(found)
    assert set(tried) == set(found)
    assert len(tried) == len(set(tried))
    assert not found or tried[0] == found[0]


@given(FOUND.filter(bool))
def test_no_dead_family_costs_more_than_every_second_step(found: list[Address]) -> None:
    tried = interleaved(found)
    fewer = min(
        sum(address.family == FOUR for address in tried),
        sum(address.family == SIX for address in tried),
    )
    turns = [address.family for address in tried[: 2 * fewer]]
    assert all(before != after for before, after in itertools.pairwise(turns))


def test_addresses_count_for_their_time_and_a_failure_for_a_shorter_one() -> None:
    known = KnownAddresses(ttl_s=30, retry_s=1)
    assert (known.addresses, known.due_s) == ((), -inf)
    known.not_found(now_s=100)
    assert (known.addresses, known.due_s) == ((), 101)
    known.found([A1, B1], now_s=102)
    assert (known.addresses, known.due_s) == ((A1, B1), 132)
    known.not_found(now_s=140)
    assert (known.addresses, known.due_s) == ((A1, B1), 141)


def test_what_failed_is_tried_last_and_asked_for_again_if_all_failed() -> None:
    known = KnownAddresses(ttl_s=30, retry_s=1)
    known.found([A1, A2, A3], now_s=0)
    known.failed(A1)
    assert known.addresses == (A2, A3, A1)
    known.failed(B1)  # of an earlier look-up
    assert known.addresses == (A2, A3, A1)
    assert known.due_s == 30
    known.all_failed()
    assert known.due_s == -inf
