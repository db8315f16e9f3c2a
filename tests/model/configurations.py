"""What is searched: small corners for every push, and the whole of them for `make long`."""

from __future__ import annotations

from typing import Final

from tests.model.bounds import Bounds, Word

HUMANS: Final[tuple[Word, ...]] = ("retry", "settle", "declare_lost")

SHORT: Final = (
    Bounds(name="two reviewers, holds", hold=1, instants=2),
    Bounds(name="two reviewers, edits", revisions=2, misfits=True, instants=1, expires_after=None),
    Bounds(name="starts in time", start_within=1, stale=True, reviewers=1),
    Bounds(name="starts that are left", max_starts=2, give_backs=1, reviewers=1),
    Bounds(name="what humans say of an attempt", resolves=HUMANS, reviewers=1),
    Bounds(name="a call without an id", call_given=False, reviewers=1),
    Bounds(name="a pause", kind="pause", revisions=2, hold=1, instants=2, reviewers=1),
    Bounds(name="a call that needed nobody", allowed=True, max_starts=2, give_backs=1, instants=1, votes=1),
)
LONG: Final = (
    Bounds(
        name="held after a start was given back",
        hold=1,
        start_within=1,
        give_backs=1,
        reviewers=1,
        workers=1,
        expires_after=None,
    ),
    Bounds(name="holds and edits", hold=2, revisions=2, misfits=True, instants=4, expires_after=3, thorough=True),
    Bounds(name="the same arguments asked again", revisions=3, votes=3, misfits=True, instants=1, expires_after=None),
    Bounds(name="held and started in time", hold=1, start_within=1, stale=True, votes=3, reviewers=1, instants=4),
    Bounds(name="starts in time, again", start_within=1, stale=True, max_starts=2, give_backs=2),
    Bounds(name="two humans on an attempt", resolves=HUMANS, thorough=True),
    Bounds(name="humans on attempts, late", resolves=HUMANS, start_within=1, stale=True, votes=3, reviewers=1),
    Bounds(
        name="what a process finds out",
        resolves=HUMANS,
        findings=("again", "returned", "raised"),
        max_starts=2,
        reviewers=1,
    ),
    Bounds(
        name="what a process finds not to have happened",
        resolves=HUMANS,
        findings=("again", "never"),
        false_deaths=False,
        max_starts=2,
        give_backs=1,
        reviewers=1,
    ),
    Bounds(name="a call without an id", call_given=False, hold=1, start_within=1, resolves=HUMANS),
    Bounds(name="a pause", kind="pause", revisions=3, votes=3, hold=1, thorough=True),
    Bounds(
        name="a little of everything",
        resolves=HUMANS,
        findings=("again",),
        revisions=2,
        hold=1,
        start_within=1,
        stale=True,
        give_backs=1,
        reviewers=1,
    ),
)
