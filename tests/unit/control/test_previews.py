"""What the prompts of a release become, and what changes to another."""

from steadyhand.control.registry.previews import preview_list
from steadyhand.prompts.draft import Preview
from steadyhand.prompts.model import Message, Segment


def of(text: str, sample: str = "s", mistake: str = "") -> Preview:
    segments = (Segment(text, "author", "trusted"), Segment("!", "user", "untrusted", ("a",)))
    return Preview("p", sample, "", (Message("system", segments),) if text else (), mistake)


def test_messages_are_shown_with_their_labels_and_size() -> None:
    [item] = preview_list("sha256:1", [of("Be kind")]).items
    assert (item.prompt, item.sample, item.tokens, item.changes) == ("p", "s", 2, [])
    [message] = item.messages
    assert [(one.text, one.trust, one.variables) for one in message.segments] == [
        ("Be kind", "trusted", []),
        ("!", "untrusted", ["a"]),
    ]


def test_what_changes_is_shown_line_by_line() -> None:
    before, after = [of("Be kind.\nBe brief"), of("x", "old")], [of("Be kind.\nBe long")]
    one, other = preview_list("sha256:1", before, "sha256:2", after).items
    assert (one.sample, one.changes) == ("old", ["@@ -1,2 +0,0 @@", "-[system]", "-x!"])
    assert other.changes[1:] == [" Be kind.", "-Be brief!", "+Be long!"]


def test_what_is_new_and_what_cannot_be_made_is_shown() -> None:
    found = preview_list(
        "sha256:1", [of("", "s", "too long")], "sha256:2", [of("a"), of("b", "new")]
    )
    new, broken = found.items
    assert (new.sample, new.messages, new.changes[1:]) == ("new", [], ["+[system]", "+b!"])
    assert broken.mistake == "too long"


def test_without_another_nothing_is_compared() -> None:
    assert preview_list("sha256:1", [of("a")]).to == ""
