"""Keys of the front matter of ``answers/<collection>/**/*.md``."""

import re
from datetime import date

from pydantic import BaseModel, ConfigDict, Field, field_validator

from steadyhand.knowledge.model import NEVER, Entry
from steadyhand.knowledge.visibility import day_number

MOST_ENTRIES = 20_000
LONGEST_ANSWER_BYTES = 32_768

_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


class AnswerSettings(BaseModel):
    """The TOML between the ``+++`` lines at the top of a curated answer; the text is below."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    questions: tuple[str, ...] = Field(
        min_length=1,
        max_length=50,
        description="what people ask, in their own words and several phrasings",
    )
    source: str = Field(
        min_length=1,
        max_length=300,
        description="citation: title or address of what the answer rests on; goes out in "
        "`x-steadyhand-source`",
    )
    owner: str = Field(min_length=1, description="who answers for it: a person or a team")
    locale: str = Field(
        default="",
        description="language of the answer, such as `en` or `de-AT`; empty for any",
    )
    tenants: tuple[str, ...] = Field(
        default=(), description="tenants that may be told; empty for all"
    )
    expires: date | None = Field(
        default=None, description="last day (UTC) on which it is spoken; none for no end"
    )

    @field_validator("source")
    @classmethod
    def _source_is_one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("must be one line of printable characters")
        return value

    @field_validator("locale")
    @classmethod
    def _locale_is_a_tag(cls, value: str) -> str:
        if value and not _TAG.fullmatch(value):
            raise ValueError("must be a language tag such as en or de-AT")
        return value

    def entry(self, id_: str, answer: str) -> Entry:
        """Return the entry with this front matter."""
        return Entry(
            id=id_,
            questions=self.questions,
            answer=answer,
            source=self.source,
            locale=self.locale,
            tenants=tuple(sorted(set(self.tenants))),
            expires_day=NEVER if self.expires is None else day_number(self.expires),
        )
