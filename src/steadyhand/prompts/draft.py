"""What reviews look at: a prompt that can be served, its author's words on it, what it becomes."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from steadyhand.prompts.model import Message, Prompt

Level = Literal["error", "warning"]


class Sample(NamedTuple):
    """Values to try a prompt with, and what must come out.

    Attributes:
        name: What it shows.
        values: Variable → value.
        locale: Language tag, or empty.
        contains: Texts that must be in the messages.
        lacks: Texts that must not be.
    """

    name: str
    values: Mapping[str, Any]
    locale: str = ""
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


class Asked(NamedTuple):
    """A model that a route asks with a prompt.

    Attributes:
        route: Name of the route.
        provider: Its kind: ``openai`` ...
        model: The provider's name of the model.
    """

    route: str
    provider: str
    model: str


class Draft(NamedTuple):
    """A prompt under review.

    Attributes:
        prompt: As requests meet it.
        path: Of its file.
        body: Its text as written.
        owner: As the front matter says.
        model: That the text was written for, or empty.
        schema: Of the answer; ``None`` for none.
        budget_tokens: Most that it may have; 0 for any.
        samples: To try it with.
        allow: Code → why it may stand here.
        used: Variables that its text uses.
        locale_uses: Language → variables that the translation uses.
        asked: The models that get it.
        line_of: Key of the front matter, with dots → its line; so for ``@`` and a position in the
            body.
    """

    prompt: Prompt
    path: str
    body: str
    owner: str
    model: str
    schema: Mapping[str, Any] | None
    budget_tokens: int
    samples: tuple[Sample, ...]
    allow: Mapping[str, str]
    used: frozenset[str]
    locale_uses: Mapping[str, frozenset[str]]
    asked: tuple[Asked, ...]
    line_of: Callable[[str], int]


class Finding(NamedTuple):
    """Something that somebody should look at.

    Attributes:
        code: See :data:`steadyhand.prompts.lint.RULES`.
        level: An ``error`` fails the check.
        prompt: Name.
        path: Of the file.
        line: From 1.
        message: What is wrong, in a sentence without a full stop.
        hint: What to do.
        allowed: Why it may stand here, if the prompt says so: then it fails nothing.
    """

    code: str
    level: Level
    prompt: str
    path: str
    line: int
    message: str
    hint: str = ""
    allowed: str = ""


class Preview(NamedTuple):
    """A prompt with the values of a sample.

    Attributes:
        prompt: Name.
        sample: Name of the sample; ``made up`` if the prompt has none.
        locale: Language tag, or empty.
        messages: What the model gets before the client's messages; empty if it cannot be made.
        mistake: Why it cannot be made, or empty.
    """

    prompt: str
    sample: str
    locale: str
    messages: tuple[Message, ...]
    mistake: str = ""
