"""Read a prompt's text: a small part of Jinja, by Jinja's own parser; nothing of it is run. Pure.

Jinja reads the grammar and gives a tree. From that tree we take the few nodes that are allowed, and
make values of our own (:mod:`steadyhand.prompts.model`). Its compiler and its run time, where every
escape from its sandbox was found, are never reached. What is not allowed is named with its line.

Bounds: ``MAX_BYTES`` of a file (:mod:`steadyhand.prompts.parsed`), :data:`MAX_DEPTH` of partials,
:data:`MAX_PARTS` with all of them in place, :data:`MAX_STEPS` that loops can take together at the
most that their lists may hold.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes

from steadyhand.prompts.expressions import Bound, Reader, item_of
from steadyhand.prompts.model import LOOP, Each, Part, Role, Say, Template, Text, Variable, When
from steadyhand.prompts.parsed import Mistake, Parsed, Partial

MAX_DEPTH: Final = 5
MAX_STEPS: Final = 10_000
MAX_PARTS: Final = 10_000

_ROLES: Final[dict[str, Role]] = {"system": "system", "user": "user", "assistant": "assistant"}
_ROLE: Final = re.compile(r"""^[ \t]*\{%-?\s*role\s+(["'])([^"'\n]*)\1\s*-?%\}[ \t]*$""", re.M)
_JINJA: Final = Environment(trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - only its parser
_WHY_NOT: Final = {
    "Assign": "'set' is not part of a prompt's language",
    "Macro": "macros are not part of a prompt's language; use a partial",
    "Extends": "templates cannot be extended; use a partial",
    "Block": "templates cannot be extended; use a partial",
    "Import": "nothing can be imported; use a partial",
    "FromImport": "nothing can be imported; use a partial",
}


def parse(
    text: str,
    variables: Mapping[str, Variable],
    partial: Callable[[str], Partial | None],
    *,
    first_line: int = 1,
) -> Parsed:
    """Return what ``text`` says.

    Args:
        text: Below the front matter.
        variables: That it may use.
        partial: Name → that partial, ``None`` if there is none.
        first_line: Where ``text`` begins in its file.
    """
    parsed = Parsed()
    reader = _Reading(parsed, variables, partial)
    templates = []
    for role, piece, line in _messages(text, first_line, parsed):
        parts = _trimmed(reader.parts(piece, "", line, reader.scope, 0, 1))
        if parts:
            templates.append(Template(role, parts))
    parsed.templates = tuple(templates)
    return parsed


def _messages(text: str, first_line: int, parsed: Parsed) -> list[tuple[Role, str, int]]:
    """Return role, text and first line of each message."""
    found: list[tuple[Role, str, int]] = []
    role, start = _ROLES["system"], 0
    for match in _ROLE.finditer(text):
        found.append((role, text[start : match.start()], _line(text, start, first_line)))
        named = _ROLES.get(match[2])
        if named is None:
            line, hint = _line(text, match.start(), first_line), f"roles are {', '.join(_ROLES)}"
            parsed.mistakes.append(
                Mistake("E0501", "", line, f"there is no role {match[2][:63]!r}", None, hint)
            )
        role, start = named or role, match.end() + 1
    found.append((role, text[start:], _line(text, start, first_line)))
    return found


def _line(text: str, at: int, first_line: int) -> int:
    return first_line + text.count("\n", 0, at)


class _Reading:
    """Reads the statements of one prompt and of its partials."""

    def __init__(
        self,
        parsed: Parsed,
        variables: Mapping[str, Variable],
        partial: Callable[[str], Partial | None],
    ) -> None:
        self._parsed = parsed
        self._partial = partial
        self._file, self._first_line = "", 1
        self._count = 0
        self._expressions = Reader(self._note, parsed.used)
        self.scope = {
            name: Bound(one.kind, frozenset({name}), one.fields, one.max_items)
            for name, one in variables.items()
        }

    def parts(
        self,
        text: str,
        file: str,
        first_line: int,
        scope: Mapping[str, Bound],
        depth: int,
        steps: int,
    ) -> tuple[Part, ...]:
        """Return the parts of ``text`` of ``file``, at ``depth`` of partials."""
        outer = self._file, self._first_line
        self._file, self._first_line = file, first_line
        try:
            tree = _JINJA.parse(text)
            return self._sequence(tree.body, scope, depth, steps)
        except TemplateSyntaxError as error:
            self._note("E0501", error.lineno, (error.message or "").rstrip("."))
        except RecursionError:
            self._note("E0501", 1, "it is nested too deeply")
        finally:
            self._file, self._first_line = outer
        return ()

    def _note(
        self, code: str, line: int, reason: str, nearest: str | None = None, hint: str = ""
    ) -> None:
        at = self._first_line + line - 1
        self._parsed.mistakes.append(Mistake(code, self._file, at, reason, nearest, hint))

    def _sequence(
        self, found: Sequence[nodes.Node], scope: Mapping[str, Bound], depth: int, steps: int
    ) -> tuple[Part, ...]:
        parts: list[Part] = []
        for node in found:
            if self._is_full(node):
                break
            if isinstance(node, nodes.Output):
                parts += [self._output(one, scope) for one in node.nodes]
            elif isinstance(node, nodes.If):
                parts.append(self._when(node, scope, depth, steps))
            elif isinstance(node, nodes.For):
                parts += self._each(node, scope, depth, steps)
            elif isinstance(node, nodes.Include):
                parts += self._include(node, scope, depth, steps)
            else:
                name = type(node).__name__
                reason = _WHY_NOT.get(name, f"{name} is not part of a prompt's language")
                self._note("E0501", node.lineno, reason)
        return tuple(parts)

    def _is_full(self, node: nodes.Node) -> bool:
        """Count a part; note once that there are too many."""
        self._count += 1
        if self._count == MAX_PARTS + 1:
            reason = f"with its partials it has more than {MAX_PARTS:,} parts"
            self._note("E0501", node.lineno, reason)
        return self._count > MAX_PARTS

    def _output(self, node: nodes.Expr, scope: Mapping[str, Bound]) -> Part:
        if isinstance(node, nodes.TemplateData):
            return Text(node.data)
        found = self._expressions.single(node, scope)
        return Say(found.expression, tuple(sorted(found.names)))

    def _when(self, node: nodes.If, scope: Mapping[str, Bound], depth: int, steps: int) -> When:
        otherwise = self._sequence(node.else_, scope, depth, steps)
        for inner in reversed(node.elif_):
            otherwise = (self._when_only(inner, scope, depth, steps, otherwise),)
        return self._when_only(node, scope, depth, steps, otherwise)

    def _when_only(
        self,
        node: nodes.If,
        scope: Mapping[str, Bound],
        depth: int,
        steps: int,
        otherwise: tuple[Part, ...],
    ) -> When:
        test = self._expressions.expression(node.test, scope).expression
        return When(test, self._sequence(node.body, scope, depth, steps), otherwise)

    def _each(
        self, node: nodes.For, scope: Mapping[str, Bound], depth: int, steps: int
    ) -> tuple[Part, ...]:
        found = self._expressions.expression(node.iter, scope)
        item = item_of(found)
        if item is None or not isinstance(node.target, nodes.Name):
            self._note("E0501", node.lineno, f"a loop needs one name and a list, not {found.kind}")
            return ()
        name = node.target.name
        if node.test is not None or node.recursive:
            self._note("E0501", node.lineno, "a loop has no condition; put an 'if' inside")
        if name in scope or name == LOOP:
            self._note("E0501", node.lineno, f"{name!r} has a meaning already; take another name")
        within = steps * found.items
        if within > MAX_STEPS:
            hint = "lower max_items of the lists that it goes through"
            self._note(
                "E0501", node.lineno, f"it may take more than {MAX_STEPS:,} steps", None, hint
            )
        inner = {**scope, name: item, LOOP: Bound(LOOP, item.names)}
        parts = self._sequence(node.body, inner, depth, within)
        otherwise = self._sequence(node.else_, scope, depth, steps)
        counts = any(one.name == LOOP for one in node.find_all(nodes.Name))
        return (Each(name, found.expression, parts, otherwise, counts),)

    def _include(
        self, node: nodes.Include, scope: Mapping[str, Bound], depth: int, steps: int
    ) -> tuple[Part, ...]:
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        if not isinstance(name, str):
            self._note("E0503", node.lineno, "a partial is named by a text: include 'tone'")
            return ()
        if depth >= MAX_DEPTH:
            self._note("E0503", node.lineno, f"partials are nested more than {MAX_DEPTH} deep")
            return ()
        found = self._partial(name)
        if found is None:
            hint = f"add prompts/partials/{name[:63]}.md"
            self._note("E0503", node.lineno, f"there is no partial {name[:63]!r}", None, hint)
            return ()
        path, text, line = found
        self._parsed.partials.add(path)
        return _trimmed(self.parts(text, path, line, scope, depth + 1, steps))


def _trimmed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return ``parts`` without space at their ends, and texts that touch made one."""
    merged: list[Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, Text) and isinstance(last, Text):
            merged[-1] = Text(last.text + part.text)
        else:
            merged.append(part)
    if merged and isinstance(merged[0], Text):
        merged[0] = Text(merged[0].text.lstrip())
    if merged and isinstance(merged[-1], Text):
        merged[-1] = Text(merged[-1].text.rstrip())
    return tuple(part for part in merged if not (isinstance(part, Text) and not part.text))
