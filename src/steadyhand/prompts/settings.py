"""Keys of the TOML at the top of ``prompts/<name>.md``, of a translation and of a partial."""

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from steadyhand.prompts.model import Kind, Trust, Variable
from steadyhand.prompts.values import mistake

TRUSTED_ORIGINS: Final = ("operator", "application")

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_RESERVED: Final = frozenset(
    {"loop", "true", "false", "none", "not", "and", "or", "in", "is", "if"}
)
_Short = Annotated[str, StringConstraints(max_length=4_000)]


class VariableSettings(BaseModel):
    """One ``[variables.<name>]`` table: what a request gives under ``steadyhand.variables``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = Field(default="", description="what to give, in a sentence")
    type: Kind = Field(
        default="text",
        description="`text`, `integer`, `number`, `boolean`, `texts` (a list) or `records` (a list "
        "of tables of text)",
    )
    origin: Literal["operator", "application", "user", "retrieved", "tool"] = Field(
        description="where its text comes from: the `operator`'s settings, the calling "
        "`application`'s own data, an end `user`'s words, what a search `retrieved`, what a `tool` "
        "returned"
    )
    trust: Trust | None = Field(
        default=None,
        description="whether its text may tell the model what to do; default: `trusted` for "
        "`operator` and `application`, `untrusted` for the others",
    )
    default: Any = Field(
        default=None, description="its value if a request does not give it; without one it must"
    )
    choices: tuple[_Short, ...] = Field(
        default=(), max_length=100, description="for `text` and `texts`: the texts that are allowed"
    )
    max_chars: int = Field(
        default=4_000, ge=1, le=100_000, description="longest text, of each item in a list"
    )
    max_items: int = Field(default=50, ge=1, le=1_000, description="longest list")
    fields: tuple[str, ...] = Field(
        default=(), max_length=20, description="for `records`: keys of each, all needed, all text"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.type == "records") is not bool(self.fields):
            raise ValueError("fields: records need them, and nothing else has them")
        if self.choices and self.type not in ("text", "texts"):
            raise ValueError("choices: only text and texts have them")
        if any(not _NAME.fullmatch(name) for name in self.fields):
            raise ValueError("fields: use lower-case letters, digits and '_'")
        wrong = "" if self.default is None else mistake(self.variable(), self.default)
        if wrong:
            raise ValueError(f"default: {wrong}")
        return self

    def variable(self) -> Variable:
        """Return it as requests meet it."""
        default_trust: Trust = "trusted" if self.origin in TRUSTED_ORIGINS else "untrusted"
        return Variable(
            kind=self.type,
            origin=self.origin,
            trust=self.trust or default_trust,
            is_required=self.default is None,
            default=self.default,
            choices=self.choices,
            max_chars=self.max_chars,
            max_items=self.max_items,
            fields=self.fields,
        )


class SampleSettings(BaseModel):
    """One ``[[samples]]`` table: values to try the prompt with, and what must come out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100, description="what it shows, in a few words")
    variables: dict[str, Any] = Field(default={}, description="name → value")
    locale: str = Field(default="", description="language tag to render it in")
    contains: tuple[str, ...] = Field(default=(), description="texts that must be in the result")
    lacks: tuple[str, ...] = Field(default=(), description="texts that must not be in the result")


class ParameterSettings(BaseModel):
    """``[parameters]``: fields of the request body, for requests that do not say them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float | None = Field(default=None, ge=0, le=2, description="of the sampling")
    top_p: float | None = Field(default=None, gt=0, le=1, description="of the sampling")
    max_tokens: int | None = Field(default=None, ge=1, description="longest answer")
    max_completion_tokens: int | None = Field(
        default=None, ge=1, description="longest answer, reasoning included; the newer name"
    )
    stop: tuple[str, ...] | None = Field(
        default=None, max_length=4, description="texts at which an answer ends"
    )
    seed: int | None = Field(default=None, description="for models that can repeat an answer")
    frequency_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="of OpenAI's API"
    )
    presence_penalty: float | None = Field(default=None, ge=-2, le=2, description="of OpenAI's API")
    reasoning_effort: str | None = Field(default=None, description="of OpenAI's API")


class PromptSettings(BaseModel):
    """The TOML between the ``+++`` lines at the top of ``prompts/<name>.md``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = Field(description="what the prompt is for, in a sentence")
    owner: str = Field(description="who answers for it: a person or a team")
    model: str | None = Field(
        default=None,
        description="model that the text was written for; `prompt lint` says where a route asks "
        "another one",
    )
    corpus: str | None = Field(
        default=None, description="folder of `knowledge/` that `passages` are taken from"
    )
    passages: tuple[str, ...] = Field(
        default=(),
        description="ids of sections of the corpus that are put below the text, in this order",
    )
    variables: dict[str, VariableSettings] = Field(
        default={}, description="name → what the text may use as `{{ name }}`"
    )
    parameters: ParameterSettings = Field(
        default=ParameterSettings(),
        description="fields of the request body, for requests that do not say them",
    )
    tools: tuple[str, ...] = Field(
        default=(),
        max_length=128,
        description="names of files in `tools/` without `.json`: tools in OpenAI's form, for "
        "requests that bring none",
    )
    output_schema: str | None = Field(
        default=None,
        description="name of a file in `schemas/` without `.json`: the JSON schema of the answer, "
        "for requests that bring none",
    )
    budget_tokens: int | None = Field(
        default=None, ge=1, description="most tokens that it may have with any of its samples"
    )
    samples: tuple[SampleSettings, ...] = Field(
        default=(), max_length=100, description="values to try it with, and what must come out"
    )
    allow: dict[str, str] = Field(
        default={}, description="code of `prompt lint` → why it may stand here"
    )
    metadata: dict[str, str] = Field(default={}, description="whatever else a team keeps with it")

    @model_validator(mode="after")
    def _passages_have_a_corpus(self) -> Self:
        if self.passages and self.corpus is None:
            raise ValueError("passages are pinned but no corpus is named to take them from")
        return self

    @model_validator(mode="after")
    def _names_can_be_written(self) -> Self:
        for name in self.variables:
            if not _NAME.fullmatch(name) or name in _RESERVED:
                raise ValueError(f"variables: {name[:63]!r} cannot be the name of a variable")
        return self

    @model_validator(mode="after")
    def _reasons_are_given(self) -> Self:
        for code, reason in self.allow.items():
            if not reason.strip():
                raise ValueError(f"allow: say why {code[:63]} may stand here")
        return self


class TranslationSettings(BaseModel):
    """The TOML at the top of ``prompts/<name>@<language>.md``; all else is the prompt's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = Field(default="", description="anything to know of the translation")
    owner: str = Field(description="who answers for it: a person or a team")


class PartialSettings(BaseModel):
    """The TOML at the top of ``prompts/partials/<name>.md``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = Field(description="what it is for, in a sentence")
    owner: str = Field(description="who answers for it: a person or a team")
