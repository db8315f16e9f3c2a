"""`MODULE:GATE`: the gate of a program, for the commands that need the code of its workflows."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from types import ModuleType

from gatekit.cli.paint import safe
from gatekit.errors import GatekitError, UsageError
from gatekit.gate import Gate


def gate_of(app: str) -> Gate:
    """Import the gate that `app` names, as `module:gate`; the current folder is looked into first.

    Raises `UsageError` where there is no such gate, where it has no workflows, and where its module raises.
    """
    name, found, attribute = app.partition(":")
    if not found or not name or not attribute:
        raise UsageError(f"{safe(app)!r} names no gate: write MODULE:GATE, as in app:gate for `gate` in app.py")
    module = _imported(name)
    gate = getattr(module, attribute, None)
    if gate is None:
        raise UsageError(f"the module {safe(name)} has no {safe(attribute)}: name the variable that holds its gate")
    if not isinstance(gate, Gate):
        raise UsageError(f"{safe(app)} is no Gate but {_article(type(gate).__name__)}")
    if not gate.workflows:
        raise UsageError(f"the gate {safe(app)} has no workflows: name a module that defines or imports them")
    return gate


def _imported(name: str) -> ModuleType:
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise UsageError(_raised(name, error)) from error
        raise UsageError(f"there is no module {safe(name)} in {safe(here)} or on Python's path") from None
    except GatekitError:
        raise
    except Exception as error:
        raise UsageError(_raised(name, error)) from error


def _raised(name: str, error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(where.filename)}, line {where.lineno}"
    return f"importing {safe(name)} raised {type(error).__name__}: {safe(str(error))} ({safe(place)})"


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'AEIOUaeiou' else 'a'} {safe(kind)}"
