"""What the prompts of a release become, and how that differs from another's."""

import difflib
from collections.abc import Sequence

from pydantic import BaseModel, Field

from steadyhand.prompts.draft import Finding, Level, Preview
from steadyhand.prompts.lint import fails
from steadyhand.prompts.model import Origin, Role, Trust
from steadyhand.prompts.tokens import estimated


class SegmentView(BaseModel):
    """A piece of a message."""

    text: str
    origin: Origin = Field(description="where it is from")
    trust: Trust = Field(description="whether it may tell the model what to do")
    variables: list[str] = Field(description="that it was made from")


class MessageView(BaseModel):
    """A message that goes before the client's."""

    role: Role
    segments: list[SegmentView]


class PreviewView(BaseModel):
    """A prompt with the values of a sample."""

    prompt: str
    sample: str = Field(description="`made up` if the prompt has none")
    locale: str
    messages: list[MessageView]
    tokens: int = Field(description="about")
    mistake: str = Field(description="why it cannot be made, or empty")
    changes: list[str] = Field(description="lines of a diff to the other release, if one is named")


class FindingView(BaseModel):
    """Something in a release's prompts that somebody should look at."""

    code: str = Field(description="`steadyhand explain CODE` says what it means")
    level: Level = Field(description="an `error` fails a check")
    prompt: str
    path: str
    line: int
    message: str
    hint: str
    allowed: str = Field(description="why it may stand, as the prompt says; empty if it may not")


class LintView(BaseModel):
    """What `prompt lint` finds in a release."""

    digest: str
    fails: bool = Field(description="whether there is an error that is not allowed")
    items: list[FindingView]


class PreviewList(BaseModel):
    """What the prompts of a release become with their samples."""

    digest: str
    to: str = Field(description="digest of the other release, or empty")
    items: list[PreviewView]


def lint_view(digest: str, found: Sequence[Finding]) -> LintView:
    """Return what was found in a release."""
    return LintView(
        digest=digest,
        fails=fails(found, strict=False),
        items=[FindingView.model_validate(one._asdict()) for one in found],
    )


def preview_list(
    digest: str, found: Sequence[Preview], to: str = "", other: Sequence[Preview] = ()
) -> PreviewList:
    """Return previews of one release, and how those of ``other`` differ from them."""
    by_name = {one[:3]: one for one in found}
    others = {one[:3]: one for one in other}
    items = []
    for name in sorted(by_name.keys() | others.keys()):
        shown = by_name.get(name) or Preview(*name, ())
        changes = _changes(shown, others.get(name)) if to else []
        items.append(_view(shown, changes))
    return PreviewList(digest=digest, to=to, items=items)


def _view(one: Preview, changes: list[str]) -> PreviewView:
    messages = [
        MessageView(
            role=message.role,
            segments=[
                SegmentView(
                    text=piece.text,
                    origin=piece.origin,
                    trust=piece.trust,
                    variables=list(piece.names),
                )
                for piece in message.segments
            ],
        )
        for message in one.messages
    ]
    return PreviewView(
        prompt=one.prompt,
        sample=one.sample,
        locale=one.locale,
        messages=messages,
        tokens=sum(estimated(message.text) for message in one.messages),
        mistake=one.mistake,
        changes=changes,
    )


def _changes(before: Preview, after: Preview | None) -> list[str]:
    """Return the lines of a unified diff between the two texts, without its head."""
    texts = (_lines(before), _lines(after) if after is not None else [])
    return list(difflib.unified_diff(*texts, lineterm="", n=1))[2:]


def _lines(one: Preview) -> list[str]:
    lines = []
    for message in one.messages:
        lines += [f"[{message.role}]", *message.text.split("\n")]
    return lines
