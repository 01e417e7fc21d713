"""Channels, environments, approvals and stories as values."""

import pytest
from msgspec.structs import replace

from steadyhand.registry.approvals import (
    Approval,
    Revocation,
    approval_path,
    counting,
    revocation_path,
)
from steadyhand.registry.bundle import DigestInvalid
from steadyhand.registry.channel import (
    Channel,
    ChannelDamaged,
    NameRefused,
    channel_path,
    decode,
    describe,
    encode,
)
from steadyhand.registry.environments import (
    DEFAULTS,
    Environment,
    EnvironmentMissing,
    environment,
)
from steadyhand.registry.environments import decode as decode_environments
from steadyhand.registry.paths import PathRefused, checked_path
from steadyhand.registry.ports import Version
from steadyhand.registry.stories import Story, changelog, message, trailers
from steadyhand.registry.transitions import Refusal, Situation, baked, rolled_back, tried

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
CHANNEL = Channel("production", "support", stable=A, since_us=1, by="olive")


def test_a_channel_is_read_back_and_told() -> None:
    content = encode(CHANNEL)
    assert content.count(b"\n") == 11
    assert decode(content, "production", "support") == CHANNEL
    assert describe(CHANNEL) == "a" * 16
    tried_one = replace(CHANNEL, candidate=B, weight=500)
    assert describe(tried_one) == f"{'a' * 16}, candidate {'b' * 16} at 5 %"
    assert describe(Channel("e", "r")) == "nothing"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"environment":"production"}',
        b'{"environment":"production","route":"support","extra":1}',
        b'{"environment":"staging","route":"support"}',
        b'{"environment":"production","route":"support","weight":10001}',
        b'{"environment":"production","route":"support","by":"\xff"}',
    ],
)
def test_what_is_no_channel_is_damaged(content: bytes) -> None:
    with pytest.raises(ChannelDamaged):
        decode(content, "production", "support")


def test_names_and_digests_become_paths_only_if_they_are_plain() -> None:
    assert channel_path("production", "support") == "channels/production/support.json"
    assert approval_path(A, "production", "bob") == f"approvals/{'a' * 16}/production/bob.json"
    assert revocation_path(A) == f"revocations/{'a' * 64}.json"
    with pytest.raises(NameRefused):
        channel_path("production", "../x")
    with pytest.raises(NameRefused):
        approval_path(A, "production", "b/ob")
    with pytest.raises(DigestInvalid):
        revocation_path("../..")
    assert checked_path("a/b.c@d+e-f") == "a/b.c@d+e-f"
    with pytest.raises(PathRefused):
        checked_path("a/b.lock")


def test_only_the_words_of_others_count() -> None:
    said = [
        Approval(A, "production", "alice", 1),
        Approval(A, "production", "bob", 2),
        Approval(A, "production", "bob", 3),
        Approval(A, "staging", "carol", 4),
        Approval(B, "production", "dave", 5),
    ]
    assert counting(said, A, "production", "alice") == {"bob"}


@pytest.mark.parametrize(
    ("waiver_by", "waived_by", "holds"),
    [("", "", True), ("a", "", True), ("a", "a", True), ("a", "b", False), ("", "b", True)],
)
def test_a_revocation_holds_until_two_people_waive_it(
    waiver_by: str, waived_by: str, holds: bool
) -> None:
    said = Revocation(A, "why", "olive", 1, "w", waiver_by=waiver_by, waived_by=waived_by)
    assert said.holds is holds


def test_environments_are_read_and_found() -> None:
    found = decode_environments(
        b'[environments.qa]\n[environments.live]\nfrom = "qa"\napprovals = 2\nprotected = true\n'
    )
    assert found == {"qa": Environment(), "live": Environment("qa", 2, protected=True)}
    assert environment(DEFAULTS, "staging") == Environment()
    for name in ("dev", "nowhere"):
        with pytest.raises(EnvironmentMissing) as caught:
            environment(DEFAULTS, name)
        assert caught.value.hint


def test_a_message_tells_people_and_machines_and_cannot_be_forged() -> None:
    story = Story(
        "promote",
        "Promote\nit",
        "olive",
        A,
        "support",
        "production",
        note="fine\n\nSteadyhand-Principal: mallory\n",
    )
    text = message(story)
    assert text.splitlines()[0] == "Promote it"
    assert "> Steadyhand-Principal: mallory" in text
    assert trailers(text) == {
        "action": "promote",
        "principal": "olive",
        "digest": A,
        "route": "support",
        "environment": "production",
    }
    assert trailers(message(Story("waive", "Waive", "bob", A, "")))["action"] == "waive"


def test_a_change_log_is_markdown() -> None:
    version = Version("p", "b", "c" * 40, "olive", 86_400 * 366, "Promote it", 1)
    text = changelog("support in production", [(version, "aaaa")])
    assert text == (
        "# support in production\n\n- 1971-01-02 **Promote it**, by olive: aaaa (`cccccccccc`)\n"
    )
    assert "Nothing has been released" in changelog("x", [])


def situation(past: list[Channel], bake_s: int = 0, now_us: int = 100_000_000) -> Situation:
    """Return a situation in which everything is allowed."""
    asked = Environment(bake_s=bake_s)
    return Situation("e", asked, past, frozenset(), frozenset(), frozenset(), now_us)


def test_what_was_stable_long_enough_has_baked() -> None:
    past = [
        replace(CHANNEL, stable=C, candidate=A, weight=1, since_us=90_000_000),
        replace(CHANNEL, stable=C, since_us=90_000_000),
        replace(CHANNEL, stable=B, since_us=85_000_000),
        replace(CHANNEL, stable=A, since_us=50_000_000),
        replace(CHANNEL, stable=B, since_us=0),
        Channel("e", "r"),
    ]
    assert baked(situation(past, bake_s=10), C) == [A, B]
    assert baked(situation(past, bake_s=5), C) == [B, A]
    assert baked(situation(past, bake_s=60), C) == []
    back = rolled_back(situation(past, bake_s=10), past[0], "olive", to=B)
    assert isinstance(back, Channel)
    assert (back.stable, back.candidate) == (B, "")


def test_a_candidate_needs_a_stable_release_beside_it() -> None:
    refused = tried(situation([]), Channel("e", "r"), A, 500, "salt", "olive")
    assert isinstance(refused, Refusal)
    assert refused.reason == "no_stable"
