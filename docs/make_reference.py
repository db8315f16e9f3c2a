"""Write docs/reference.md from the signatures and docstrings of the public modules and the command line.

`python docs/make_reference.py` writes it; with `--check` it writes nothing, and exits with 1 if the file is
stale.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click

from gatekit.driving import AsyncSeat, verb

MODULES = ("gatekit", "gatekit.reviewer", "gatekit.errors", "gatekit.models", "gatekit.testing", "gatekit.display")
TARGET = Path(__file__).parent / "reference.md"
HEAD = "# Reference\n\nMade from the docstrings by `make docs`: change those, not this page."
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+|<.*>|/\w+/")
"""What must not reach the page from the text of a default: it differs by run and by machine."""
INTENT = re.compile(r"Intent\[(.*)\]")
"""What a verb returns on the inside; its caller gets what is in the brackets."""
SECTION = re.compile(r"(Args|Raises|Returns|Yields):\n")
ITEM = re.compile(r" {4}([*\w]+): ")


class Verbatim:
    """Text that `inspect.Signature` prints as it is, without the quotes of a string."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def annotation_of(value: object) -> object:
    return Verbatim(value) if isinstance(value, str) else value


def default_of(value: object) -> object:
    return Verbatim("…") if ADDRESS.search(repr(value)) and value is not inspect.Parameter.empty else value


def signature_of(value: object) -> str:
    """`(a: int, *, b: str = 'x') -> None`, or nothing where Python knows no signature."""
    if isinstance(value, verb):
        value = value.__wrapped__
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]  # a ValueError or TypeError if it is none
    except (TypeError, ValueError):
        return ""
    parameters = [
        parameter.replace(annotation=annotation_of(parameter.annotation), default=default_of(parameter.default))
        for parameter in signature.parameters.values()
        if parameter.name != "self"
    ]
    returned = signature.return_annotation
    inside = INTENT.fullmatch(returned) if isinstance(returned, str) else None
    returns = annotation_of(inside[1] if inside else returned)
    return str(signature.replace(parameters=parameters, return_annotation=returns))


def prose(docstring: str | None) -> str:
    """A docstring as Markdown: sessions (`>>>`) become fenced blocks, `Args:` and its like become lists."""
    return "\n\n".join(paragraph(text) for text in inspect.cleandoc(docstring or "").split("\n\n"))


def paragraph(text: str) -> str:
    if text.lstrip().startswith(">>> "):
        return f"```pycon\n{textwrap.dedent(text)}\n```"
    if not SECTION.match(text):
        return text
    title, *lines = text.splitlines()
    items = [ITEM.sub(r"- `\1`: ", line) if ITEM.match(line) else f"  {line.strip()}" for line in lines]
    return "\n".join([title, "", *items])


def entry(level: int, name: str, value: object) -> str:
    return f"{'#' * level} `{name}{signature_of(value)}`\n\n{prose(inspect.getdoc(value))}".rstrip()


def field_lines(owner: type) -> Iterator[str]:
    """One line for each annotated field that a string follows, its description."""
    body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, description in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(description, ast.Expr):
            name, annotation = ast.unparse(field.target), ast.unparse(field.annotation)
            yield f"- `{name}: {annotation}`: {' '.join(ast.literal_eval(description.value).split())}"


def members_of(owner: type) -> Iterator[tuple[str, object]]:
    """The documented public methods, properties and verbs of a class, those of its private bases included.

    The async classes have the verbs of the sync ones, which are not told twice.
    """
    private = [] if issubclass(owner, AsyncSeat) else [base for base in owner.__mro__ if base.__name__.startswith("_")]
    bases = [owner, *private]
    for base in bases:
        for name, value in vars(base).items():
            if not name.startswith("_") and inspect.getdoc(value) and not inspect.ismemberdescriptor(value):
                yield name, value.__func__ if isinstance(value, classmethod | staticmethod) else value


def class_entry(name: str, owner: type) -> str:
    parts = [entry(3, name, owner), "\n".join(field_lines(owner))]
    parts += [entry(4, f"{name}.{member}", value) for member, value in members_of(owner)]
    return "\n\n".join(part for part in parts if part)


def names_of(module: ModuleType) -> list[str]:
    """`__all__`, or else what is defined in the module and has a public name."""
    defined = [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
    ]
    return list(getattr(module, "__all__", defined))


def module_entry(module: ModuleType) -> str:
    parts = [f"## `{module.__name__}`", prose(module.__doc__)]
    for name in names_of(module):
        value = getattr(module, name)
        home = getattr(value, "__module__", None)
        if home in MODULES and home != module.__name__:
            parts.append(f"### `{name}`\n\nSee `{home}`.")
        elif inspect.isclass(value):
            parts.append(class_entry(name, value))
        elif inspect.isroutine(value):
            parts.append(entry(3, name, value))
    return "\n\n".join(part for part in parts if part)


def option_line(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option):
        return f"- `{', '.join(parameter.opts + parameter.secondary_opts)}`: {parameter.help or ''}".rstrip()
    return f"- `{parameter.human_readable_name}`"


def command_entries(name: str, command: click.Command) -> Iterator[str]:
    """A section for the command, then one for each of its subcommands."""
    parts = [f"### `{name}`", prose(command.help)]
    parts.append("\n".join(option_line(parameter) for parameter in command.params))
    yield "\n\n".join(part for part in parts if part)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in sorted(command.list_commands(context)):
            inner = command.get_command(context, child)
            assert inner is not None
            yield from command_entries(f"{name} {child}", inner)


def page() -> str:
    """The whole reference, as Markdown."""
    command: click.Command = importlib.import_module("gatekit.cli").main
    modules = [module_entry(importlib.import_module(name)) for name in MODULES]
    return "\n\n".join([HEAD, *modules, "## The command line", *command_entries("gatekit", command)]) + "\n"


def main(arguments: list[str]) -> int:
    text = page()
    if arguments != ["--check"]:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    fresh = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
    if not fresh:
        print(f"{TARGET.name} is not what the docstrings say: run `make docs`", file=sys.stderr)
    return 0 if fresh else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
