"""A suite: questions to a route, and what a good answer to each is like. Pure."""

import tomllib
from collections import Counter
from typing import Annotated, Any, Final

import msgspec

from steadyhand.core.errors import ConfigurationError

MOST_CASES: Final = 2_000
MOST_REPEATS: Final = 100

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]


class InvalidSuite(ConfigurationError):
    """A file of test cases cannot be used as it stands."""

    code, status = "invalid_suite", 422


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of a case."""

    role: str
    content: str


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question, and the checks that its answer has to pass, all of them.

    Attributes:
        id: Names it, once in a suite.
        ask: The question; or ``messages``.
        messages: A whole conversation instead.
        contains: Texts that the answer has, all; upper and lower case are one.
        contains_any: Texts of which it has at least one.
        not_contains: Texts that it does not have.
        equals: The whole answer, blanks at its ends aside; empty for no such check.
        max_words: Most words that it may have; 0 for no limit.
        schema: JSON schema that it keeps; the answer is then JSON alone.
        rung: Rung that has to speak, as ``live``.
    """

    id: Name
    ask: str = ""
    messages: list[Message] = []
    contains: list[Text] = []
    contains_any: list[Text] = []
    not_contains: list[Text] = []
    equals: str = ""
    max_words: Annotated[int, msgspec.Meta(ge=0)] = 0
    schema: dict[str, Any] | None = None
    rung: str = "live"

    @property
    def conversation(self) -> list[dict[str, str]]:
        """What is asked, in the wire's form."""
        if self.messages:
            return [{"role": each.role, "content": each.content} for each in self.messages]
        return [{"role": "user", "content": self.ask}]


class Budgets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a candidate may take, as a multiple of what the stable one takes; 0 for no limit.

    Attributes:
        tokens_ratio: Tokens in and out, all answers together.
        p95_latency_ratio: The time that 95 % of answers do not exceed.
    """

    tokens_ratio: Annotated[float, msgspec.Meta(ge=0)] = 1.5
    p95_latency_ratio: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class Suite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cases of one route, and when a candidate passes.

    Attributes:
        route: That is asked.
        cases: In order.
        margin_points: Drop of the share of good answers that is tolerated, percentage points.
        repeats: How often each case is asked of each arm.
        alpha: Greatest probability of calling an equal candidate worse, and of passing one that is
            worse by the margin.
        budgets: What it may take.
        max_tokens: Of an answer; 0 leaves it to the route.
    """

    route: str
    cases: list[Case]
    margin_points: Annotated[float, msgspec.Meta(gt=0, le=50)] = 5.0
    repeats: Annotated[int, msgspec.Meta(ge=1, le=MOST_REPEATS)] = 3
    alpha: Annotated[float, msgspec.Meta(gt=0, le=0.2)] = 0.05
    budgets: Budgets = Budgets()
    max_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0


def read(text: str, name: str) -> Suite:
    """Return the suite that the file ``name`` has.

    Raises:
        InvalidSuite: With what is wrong, and where.
    """
    try:
        suite = msgspec.convert(tomllib.loads(text), Suite)
    except tomllib.TOMLDecodeError as error:
        raise InvalidSuite(f"{name}: {error}", hint="it is a TOML file") from error
    except msgspec.ValidationError as error:
        raise InvalidSuite(
            f"{name}: {error}", hint="keys are in docs/guides/gate-a-change.md"
        ) from error
    problem = _problem(suite)
    if problem:
        raise InvalidSuite(f"{name}: {problem}", hint="see docs/guides/gate-a-change.md")
    return suite


def _problem(suite: Suite) -> str:
    if not suite.cases:
        return "there are no cases"
    if len(suite.cases) > MOST_CASES:
        return f"{len(suite.cases)} cases are more than {MOST_CASES}"
    twice = [name for name, count in Counter(case.id for case in suite.cases).items() if count > 1]
    if twice:
        return f"two cases have the id {twice[0]!r}"
    for case in suite.cases:
        if bool(case.ask) == bool(case.messages):
            return f"case {case.id!r} has to have either ask or messages"
        if not checks_of(case):
            return f"case {case.id!r} checks nothing, so it can never fail"
    return ""


def checks_of(case: Case) -> list[str]:
    """Return the names of the checks of the answer that a case has."""
    named = {
        "contains": case.contains,
        "contains_any": case.contains_any,
        "not_contains": case.not_contains,
        "equals": case.equals,
        "max_words": case.max_words,
        "schema": case.schema,
    }
    return [name for name, wanted in named.items() if wanted]
