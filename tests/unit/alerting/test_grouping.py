"""What a webhook is told, and that it is told once."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.alerting.grouping import Due, Terms, Told, due
from steadyhand.alerting.model import MOST_LISTED, MOST_TEXT, Alert, Severity, shortened

TERMS = Terms(frozenset({"page", "ticket"}), tells_end=True, group_wait_s=5, repeat_s=3_600)


def alert(route: str = "support", severity: Severity = "page", since_s: float = 0.0) -> Alert:
    return Alert("Burns", severity, (("route", route),), "It burns.", "x.md", since_s)


class Hook:
    """A webhook and what it was told."""

    def __init__(self, terms: Terms = TERMS) -> None:
        self.terms = terms
        self.told: dict[str, Told] = {}
        self.seen: dict[str, float] = {}

    def look(self, now_s: float, *firing: Alert) -> Due | None:
        """Tell it what fires, as the notifier does."""
        self.seen = {one.fingerprint: self.seen.get(one.fingerprint, now_s) for one in firing}
        found = due(self.terms, firing, self.told, self.seen, f"msg_{now_s}", now_s)
        if found is not None:
            for mark in found.over:
                del self.told[mark]
            for one in found.told:
                self.told[one.fingerprint] = Told(one, now_s)
        return found


def routes(alerts: Sequence[Alert]) -> list[str]:
    return [dict(one.labels)["route"] for one in alerts]


def test_an_alert_waits_for_others_and_is_told_once() -> None:
    hook = Hook()
    assert hook.look(0, alert("a")) is None
    assert hook.look(4, alert("a"), alert("b")) is None
    found = hook.look(5, alert("a"), alert("b"))
    assert found is not None
    assert routes(found.message.began) == ["a", "b"]
    assert found.message.firing == 2
    assert found.message.is_urgent
    assert hook.look(6, alert("a"), alert("b")) is None


def test_its_end_is_told_and_then_it_is_forgotten() -> None:
    hook = Hook()
    hook.look(0, alert())
    hook.look(5, alert())
    found = hook.look(9)
    assert found is not None
    assert routes(found.message.ended) == ["support"]
    assert not found.message.is_urgent
    assert hook.look(10) is None


def test_who_does_not_want_to_hear_of_ends_hears_of_the_next_beginning() -> None:
    hook = Hook(TERMS._replace(tells_end=False, group_wait_s=0))
    assert hook.look(0, alert()) is not None
    over = hook.look(1)
    assert over is not None
    assert (over.message.began, over.message.ended, len(over.over)) == ((), (), 1)
    again = hook.look(2, alert())
    assert again is not None
    assert routes(again.message.began) == ["support"]


def test_one_that_goes_on_is_told_again_after_a_while() -> None:
    hook = Hook(TERMS._replace(group_wait_s=0))
    hook.look(0, alert())
    assert hook.look(3_599, alert()) is None
    again = hook.look(3_600, alert())
    assert again is not None
    assert routes(again.message.began) == ["support"]


def test_a_clock_that_was_set_back_repeats_rather_than_stays_silent() -> None:
    hook = Hook(TERMS._replace(group_wait_s=0))
    hook.look(10_000, alert())
    assert hook.look(5_000, alert()) is not None


def test_severities_that_are_not_wanted_are_not_told() -> None:
    hook = Hook(TERMS._replace(severities=frozenset({"page"}), group_wait_s=0))
    assert hook.look(0, alert("slow", "ticket")) is None
    found = hook.look(1, alert("slow", "ticket"), alert("fast"))
    assert found is not None
    assert routes(found.message.began) == ["fast"]


def test_a_storm_is_one_message_that_says_how_many_there_are() -> None:
    hook = Hook(TERMS._replace(group_wait_s=0))
    storm = [alert(f"r{number}", "ticket", number) for number in range(10_000)]
    found = hook.look(0, *storm, alert("first"))
    assert found is not None
    assert len(found.message.began) == MOST_LISTED
    assert routes(found.message.began)[:2] == ["first", "r0"]  # pages first, then the oldest
    assert found.message.unlisted == 10_001 - MOST_LISTED
    assert hook.look(1, *storm, alert("first")) is None


@given(st.lists(st.sets(st.sampled_from("abcd")), max_size=40))
def test_what_was_told_is_what_fires_once_all_is_quiet(looks: list[set[str]]) -> None:
    """Whatever came and went, the messages add up to what fires."""
    hook = Hook(TERMS._replace(group_wait_s=2))
    open_: set[str] = set()
    last: set[str] = set()
    for now_s, last in enumerate([*looks, *[looks[-1] if looks else set()] * 4]):
        found = hook.look(now_s, *(alert(route) for route in sorted(last)))
        if found is not None:
            began, ended = routes(found.message.began), routes(found.message.ended)
            assert open_.isdisjoint(began)
            assert open_.issuperset(ended)
            open_ = (open_ | set(began)) - set(ended)
    assert open_ == last


def test_texts_from_anywhere_are_short_and_plain() -> None:
    assert shortened("a\x1b[31m\nb") == "a [31m b"
    assert len(shortened("x" * 10_000)) == MOST_TEXT


def test_a_fingerprint_does_not_depend_on_the_order_of_labels() -> None:
    one = Alert("A", "page", (("a", "1"), ("b", "2")), "", "", 0)
    other = Alert("A", "ticket", (("b", "2"), ("a", "1")), "else", "", 9)
    assert one.fingerprint == other.fingerprint
    assert one.fingerprint != Alert("A", "page", (("a", "2"), ("b", "1")), "", "", 0).fingerprint
