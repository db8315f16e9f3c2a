"""Which parameters a framework fills in itself: contexts, states, stores, call ids.

They pass through a gated step untouched: not queued, not shown, not part of the digest. The frameworks are
never imported; a class is known by where it was defined and its name, anywhere in the MRO.
"""

from __future__ import annotations

import ast
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Final

INJECTED: Final[tuple[tuple[str, str], ...]] = (
    ("langchain_core", "InjectedToolArg"),  # base of InjectedToolCallId, InjectedState, InjectedStore
    ("langchain_core", "RunnableConfig"),
    ("langchain_core", "CallbackManagerForToolRun"),
    ("langchain_core", "AsyncCallbackManagerForToolRun"),
    ("langgraph", "InjectedState"),
    ("langgraph", "InjectedStore"),
    ("langgraph", "ToolRuntime"),
    ("langgraph", "Runtime"),
    ("langgraph", "BaseStore"),
    ("agents", "RunContextWrapper"),  # OpenAI Agents
    ("agents", "ToolContext"),
    ("pydantic_ai", "RunContext"),
    ("mcp", "Context"),
    ("fastmcp", "Context"),
    ("fastmcp", "Depends"),
    ("fastmcp", "Dependency"),
    ("docket", "Dependency"),  # where fastmcp's Depends() comes from, by version
    ("uncalled_for", "Dependency"),
    ("google.adk", "ToolContext"),
    ("google.adk", "ReadonlyContext"),
    ("workflows", "Context"),  # LlamaIndex
    ("llama_index", "Context"),
    ("agno", "Agent"),
    ("agno", "Team"),
    ("agno", "RunContext"),
    ("strands", "ToolContext"),
    ("autogen_core", "CancellationToken"),
    ("agent_framework", "FunctionInvocationContext"),
)
"""Package and class. The frameworks move classes between modules, hardly ever between packages."""

_PLAIN_WORDS: Final = frozenset({"Agent", "BaseStore", "Context", "Depends", "Dependency", "Runtime", "Team"})
"""Names that a program may well give to something else: in a text they count only with their package."""

_TELLING: Final = frozenset(name for _, name in INJECTED) - _PLAIN_WORDS | {"InjectedToolCallId"}


def injected_by_annotation(annotation: object) -> bool:
    """Whether a resolved annotation names an injected class, also in a union or as `Annotated` metadata."""
    return any(_is_known(part) for part in _parts(annotation))


def injected_by_default(default: object) -> bool:
    """Whether a default is a framework's promise to fill in the value, as `Depends(…)`."""
    return _is_known(type(default))


def injected_by_text(text: str) -> bool:
    """Whether an annotation that cannot be resolved, as under TYPE_CHECKING, names an injected class.

    >>> injected_by_text("RunContext[Deps]"), injected_by_text("Context"), injected_by_text("fastmcp.Context")
    (True, False, True)
    """
    return any(map(_is_known_text, _names_in(text)))


def _is_known(cls: type) -> bool:
    return any(_listed(parent.__module__, parent.__name__) for parent in cls.__mro__)


def _is_known_text(dotted: str) -> bool:
    module, _, name = dotted.rpartition(".")
    return name in _TELLING or _listed(module, name)


def _listed(module: str, name: str) -> bool:
    return any(name == known and (module == package or module.startswith(f"{package}.")) for package, known in INJECTED)


def _parts(annotation: Any) -> Iterator[type]:
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        yield from _parts(annotation.__origin__)
        yield from (item if isinstance(item, type) else type(item) for item in annotation.__metadata__)
    elif origin in (typing.Union, types.UnionType):
        for choice in typing.get_args(annotation):
            yield from _parts(choice)
    elif isinstance(origin or annotation, type):
        yield origin or annotation


def _names_in(text: str) -> Iterator[str]:
    """The dotted names of an annotation, also in quoted parts; not the words of a Literal or of a comment."""
    try:
        yield from _names(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError):
        return


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.Name, ast.Attribute)):
        yield ast.unparse(node)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _names_in(node.value)
    elif isinstance(node, ast.Subscript):
        yield from _names_of_generic(node)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _names(child)


def _names_of_generic(node: ast.Subscript) -> Iterator[str]:
    yield from _names(node.value)
    kind = ast.unparse(node.value).rpartition(".")[2]
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for index, part in enumerate(parts):
        is_text = isinstance(part, ast.Constant) and (kind == "Literal" or (kind == "Annotated" and index > 0))
        if not is_text:
            yield from _names(part)
