"""A job and its reply on their way to one of the store's threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from gatekit.backend.tx import HANDED_ON, Refused, Tx
from gatekit.reply import Reply, wake

Work: TypeAlias = Callable[[Tx, int], Any]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, and whom it is for."""

    work: Work
    reply: Reply[Any]


@dataclass(frozen=True, slots=True)
class Raised:
    """The outcome of a job that raised where the others of its group go on."""

    error: Exception


def answer_all(jobs: Iterable[Job], outcomes: Iterable[object]) -> None:
    """Resolve each job's reply with its outcome, waking every event loop once."""
    wake(_answered(jobs, outcomes))


def fail_all(jobs: Iterable[Job], error: BaseException) -> None:
    """Resolve every job's reply with the same error."""
    wake(pair for job in jobs for pair in job.reply.resolve(error=error))


def _answered(jobs: Iterable[Job], outcomes: Iterable[object]) -> Iterator[Any]:
    for job, outcome in zip(jobs, outcomes, strict=True):
        if isinstance(outcome, Refused | Raised):
            yield from job.reply.resolve(error=outcome.error)
        elif outcome is not HANDED_ON:
            yield from job.reply.resolve(outcome)
