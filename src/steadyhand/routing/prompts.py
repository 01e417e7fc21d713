"""Prompts as plain text: a file's body and the passages pinned below it. Pure."""

import msgspec


class Passage(msgspec.Struct, frozen=True):
    """A section of a knowledge corpus.

    Attributes:
        id: Unique within its corpus; an answer can cite it.
        title: Heading of the section.
        text: Its text, plain.
    """

    id: str
    title: str
    text: str


class Prompt(msgspec.Struct, frozen=True):
    """System text of a route.

    Attributes:
        body: What its author wrote, without the front matter.
        passages: Sections pinned below the body, in order.
        corpus: Where they are from, or empty.
    """

    body: str
    passages: tuple[Passage, ...] = ()
    corpus: str = ""


def instructions(prompt: Prompt) -> str:
    """Return the system text that ``prompt`` stands for: body, then each passage under its id."""
    parts = [prompt.body.strip()]
    parts += [f"## [{p.id}] {p.title}\n\n{p.text.strip()}" for p in prompt.passages]
    return "\n\n".join(part for part in parts if part)
