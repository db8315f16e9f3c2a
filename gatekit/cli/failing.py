"""What a command's failure looks like from outside: a message on stderr and an exit code, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import click

from gatekit.cli.importing import uncollected
from gatekit.display import visible
from gatekit.errors import GatekitError, InvalidEdit, StoreError, UsageError

REFUSED: Final = 1
"""The queue is fine and the answer is no: a decision was refused, or the reviewer did not say yes."""
WRONG_USE: Final = 2
"""The command was called wrongly; click's own code for that too."""
NO_QUEUE: Final = 3
"""The queue could not be used."""

EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 refused (decided before, changed since, not allowed, not confirmed), or `doctor` and "
    "`demo` found something wrong, or the run of `resume --app` came to no good end, or `stop` says that the queue is "
    "stopped; 2 wrong use; 3 the queue could not be used."
)


class Failure(click.ClickException):
    """An error of gatekit as click shows it."""

    def __init__(self, error: GatekitError) -> None:
        super().__init__(visible(str(error))[0])
        # click declares the code for the class and reads it from the object.
        setattr(self, "exit_code", exit_code_of(error))  # noqa: B010


class InvalidAnswer(click.ClickException):
    """The answer does not fit the question, which stays open."""

    exit_code = REFUSED

    def __init__(self, error: InvalidEdit) -> None:
        super().__init__(visible(f"the answer does not fit: {'; '.join(error.errors)}")[0])


class NotConfirmed(click.ClickException):
    """The reviewer was asked and did not say yes; nothing was decided."""

    exit_code = REFUSED


def exit_code_of(error: GatekitError) -> int:
    """The exit code for an error.

    >>> from gatekit.errors import RequestNotFound
    >>> exit_code_of(RequestNotFound("01J"))
    1
    """
    if isinstance(error, StoreError):
        return NO_QUEUE
    return WRONG_USE if isinstance(error, UsageError) else REFUSED


class Commands(click.Group):
    """The group of all commands: no error of gatekit leaves it as a traceback. `homes` is where they are."""

    def __init__(self, *args: Any, homes: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, sorted."""
        return sorted(self._homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; its module is imported now."""
        home = self._homes.get(cmd_name)
        if home is None:
            return None
        module, _, name = home.partition(":")
        with uncollected():
            command: click.Command = getattr(import_module(f"gatekit.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except GatekitError as error:
            raise Failure(error) from error
