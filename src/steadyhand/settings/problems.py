"""What can be wrong with a workspace: every code, its explanation, and the shape of a report.

Problems are collected and reported together: a person who fixes a workspace wants the whole list.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from steadyhand.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means.

    Attributes:
        title: Half a sentence, for lists.
        text: What happened, why it matters and what to do; for ``steadyhand explain CODE``.
    """

    title: str
    text: str


CODES: Final[dict[str, Explanation]] = {
    "E0101": Explanation(
        "not a workspace",
        "The directory has no steadyhand.toml. A workspace is a directory with steadyhand.toml, "
        "keys.toml, routes/ and prompts/. Make one with: steadyhand init DIR",
    ),
    "E0102": Explanation(
        "a file cannot be read",
        "The file is missing, not readable by this user, or not UTF-8. Check its permissions, and "
        "save it as UTF-8 text.",
    ),
    "E0103": Explanation(
        "not TOML",
        "The file breaks the grammar of TOML 1.0 at the given line. Frequent causes: a string "
        "without quotes, a key given twice, a table whose header appears twice.",
    ),
    "E0104": Explanation(
        "unknown key",
        "No setting has this name here. Unknown keys are refused because a misspelt one would "
        "silently leave the default in force. docs/reference/settings.md lists every key.",
    ),
    "E0105": Explanation(
        "value not allowed",
        "The key exists, but its value has the wrong type or lies outside what is allowed. Units "
        "are part of the key's name: _ms, _s, _bytes.",
    ),
    "E0106": Explanation(
        "missing key",
        "This key has no default, because none would be right for everybody. Add it.",
    ),
    "E0107": Explanation(
        "literal secret",
        "A value looks like a secret. A workspace lives in Git, where a secret can never be "
        "deleted again. Write a reference instead: env:NAME reads an environment variable, "
        "file:PATH a file. If the secret was committed, revoke it at its issuer first.",
    ),
    "E0108": Explanation(
        "unknown override",
        "An environment variable or flag names a setting that does not exist. Environment "
        "variables are STEADYHAND_SECTION__KEY, with two underscores at each level, for example "
        "STEADYHAND_SERVER__PORT.",
    ),
    "E0109": Explanation(
        "bad name",
        "Names of routes, prompts, providers, SLO classes and keys stand in URLs, files and "
        "metric labels: lower-case letters, digits, '.', '_' and '-', at most 63, beginning with "
        "a letter or digit.",
    ),
    "E0201": Explanation(
        "unknown kind",
        "No plugin of this kind is built in or installed. The name of a plugin's file is its "
        "kind; an installed distribution adds kinds through its entry points.",
    ),
    "E0202": Explanation(
        "extra not installed",
        "The plugin needs a library that is not installed with Steadyhand itself. The hint names "
        "the extra to install.",
    ),
    "E0203": Explanation(
        "file that cannot be used",
        "A file that the provider needs is not there, cannot be read, or is not what it should "
        "be: a GGUF file for a model on this machine, PEM files for TLS. Relative paths are below "
        "the workspace, wherever the command was started.",
    ),
    "E0301": Explanation(
        "unknown provider",
        "A rung or a key names a provider for which steadyhand.toml has no [providers.<name>] "
        "table.",
    ),
    "E0302": Explanation(
        "unknown prompt",
        "The route names a prompt, but prompts/ has no such file.",
    ),
    "E0303": Explanation(
        "unknown SLO class",
        "The route names an SLO class that is neither built in (instant, interactive, batch) nor "
        "defined by a [slo.<class>] table.",
    ),
    "E0304": Explanation(
        "no floor",
        "Every route ends in a [floor], the rung that cannot fail, so that an answer leaves in "
        'time whatever the providers do. Without curated content use: [floor] kind = "error".',
    ),
    "E0305": Explanation(
        "not a floor",
        "The floor must be of a kind that needs nobody else and cannot fail: template, schema or "
        "error. A live rung belongs in [[rungs]].",
    ),
    "E0306": Explanation(
        "floor among the rungs",
        "A floor always answers, so no rung after it would ever be tried. Move it to [floor].",
    ),
    "E0307": Explanation(
        "unknown route",
        "A key allows a route that does not exist. The files of routes/ are the routes.",
    ),
    "E0308": Explanation(
        "unknown corpus",
        "The prompt takes passages from a corpus, but knowledge/ has no folder of that name with "
        "a sections.jsonl in it.",
    ),
    "E0309": Explanation(
        "unknown passage",
        "The prompt pins a passage that its corpus does not have. Ids are the _id fields of "
        "sections.jsonl.",
    ),
    "E0310": Explanation(
        "key given twice",
        "Two names in keys.toml have the same hash, so they are one key with two sets of rights. "
        "Remove one of them.",
    ),
    "E0311": Explanation(
        "no front matter",
        "The files of prompts/ and answers/ begin with a line +++, then TOML, then a line +++, "
        "then the text. A prompt's TOML has at least description and owner, an answer's at least "
        "questions, source and owner.",
    ),
    "E0312": Explanation(
        "broken corpus",
        "A line of sections.jsonl is not a JSON object with the strings _id, title and text.",
    ),
    "E0313": Explanation(
        "model that cannot answer",
        "The rung names a model that its provider can never serve, so the rung would fail each "
        "time it is reached. The message names the nearest one.",
    ),
    "E0401": Explanation(
        "unknown collection",
        "A knowledge rung names a collection of curated answers, but answers/ has no folder of "
        "that name with a .md file in it.",
    ),
    "E0402": Explanation(
        "empty answer",
        "A curated answer is what stands below the front matter, word for word, and there is "
        "nothing. Write the answer, or remove the file.",
    ),
    "E0403": Explanation(
        "question that cannot be found",
        "Questions are found by the words that say what is asked. This one has none but words "
        "such as how, is or you, or it is longer than any question may be. The same holds for a "
        "subject in subjects.txt, which must not be the question of an answer besides.",
    ),
    "E0404": Explanation(
        "question given twice",
        "Two answers of one collection that the same people may be told have the same question, "
        "or one file has it twice. Which one would be spoken is left to chance; merge them, or "
        "say in each what is different.",
    ),
    "E0405": Explanation(
        "answer out of date",
        "The date in expires has passed. The answer is no longer spoken, and everything else "
        "goes on. Check it against its source, then move the date or remove the file.",
    ),
    "E0406": Explanation(
        "collection too large",
        "A collection is held in the memory of each gateway process, so its size is bounded: "
        "20,000 answers, and 32 KiB of text in each.",
    ),
    "E0501": Explanation(
        "template that cannot be used",
        "A prompt's text is a small part of Jinja: {{ variable }}, if, for, include, comparisons "
        "and a few filters. Calls, arithmetic, macros and the like are refused, so that a prompt "
        "can be read as what it says. docs/reference/prompts.md has all of it.",
    ),
    "E0502": Explanation(
        "undefined variable",
        "The text uses a name that the front matter does not declare. Every variable is declared "
        "with a type and an origin, so that nothing is undefined while a request waits and "
        "everybody sees whose words end up where.",
    ),
    "E0503": Explanation(
        "partial that cannot be included",
        "include takes the name of a file in prompts/partials/ without .md, written as a text. "
        "Partials may include others, at most five deep, and never themselves.",
    ),
    "E0504": Explanation(
        "sample that does not fit",
        "A sample gives a value for each variable that has no default, of that variable's type. "
        "Samples are what the prompt is tried with: by prompt lint, by previews, by drills.",
    ),
    "E0505": Explanation(
        "tool or schema that cannot be used",
        "tools/NAME.json holds one function in OpenAI's form (name, description, parameters), "
        "schemas/NAME.json a JSON schema of draft 2020-12.",
    ),
    "E0506": Explanation(
        "translation of nothing",
        "prompts/NAME@LANGUAGE.md is the prompt NAME in another language. NAME must be a prompt, "
        "LANGUAGE a BCP 47 tag in lower case: de, pt-br.",
    ),
    "E0507": Explanation(
        "prompts that do not go together",
        "The prompts of one route, its own and those of its rungs, get the values of one request. "
        "They declare a variable alike, and only the route's own has tools or a schema.",
    ),
}

_LONGEST_VALUE = 60
HIDDEN: Final = "(hidden)"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, told so that it can be mended without looking anything up.

    Attributes:
        code: A key of :data:`CODES`.
        path: ``file:line`` relative to the workspace, or the variable or flag it came from.
        key: The setting, with dots; empty if the whole file is meant.
        value: As written, shortened; empty if there is none, hidden if it may be a secret.
        reason: What is wrong, in a sentence without a full stop.
        nearest: The valid name most like the one given, or ``None``.
        hint: What to do, when there is more to say than ``nearest``.
    """

    code: str
    path: str
    key: str
    value: str
    reason: str
    nearest: str | None = None
    hint: str = ""

    @property
    def advice(self) -> str:
        """What to do, in one line; empty if the reason says it all."""
        if self.nearest is not None:
            return f"did you mean {self.nearest!r}?"
        return self.hint

    @property
    def place(self) -> str:
        """Where it is: the file, and the setting as written."""
        place = f"{self.path}  {self.key}" if self.key else self.path
        return f"{place} = {self.value}" if self.value else place

    def text(self) -> str:
        """Return the report for people, two or three lines."""
        advice = f"{self.advice}   " if self.advice else ""
        return (
            f"error[{self.code}]: {self.reason}\n"
            f"  --> {self.place}\n"
            f"hint: {advice}explain: steadyhand explain {self.code}"
        )

    def fields(self) -> dict[str, str | None]:
        """Return the report for programs."""
        return {
            "code": self.code,
            "path": self.path,
            "key": self.key,
            "value": self.value,
            "reason": self.reason,
            "nearest": self.nearest,
            "hint": self.advice,
        }


class InvalidWorkspace(ConfigurationError):
    """A workspace has mistakes; ``problems`` has all of them."""

    code = "invalid_workspace"

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the list, and say the first."""
        first = problems[0]
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        super().__init__(
            f"{first.path}: {first.reason}{more}", hint=first.advice or "run steadyhand validate"
        )
        self.problems = tuple(problems)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the one of ``known`` that ``name`` is most likely a misspelling of, or ``None``."""
    return next(iter(get_close_matches(name, sorted(known), n=1)), None)


def as_written(value: object) -> str:
    """Return ``value`` much as TOML writes it, on one line and shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
