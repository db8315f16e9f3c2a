"""Standing permissions as lines for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gatekit.cli.paint import moment, safe, since, under, wrap
from gatekit.cli.scopes import draw_scope
from gatekit.models import Grant, Request


def draw_grant(grant: Grant, now: datetime, width: int) -> list[str]:
    """One permission in full."""
    lines = wrap(f"{safe(grant.tool)}  {_state(grant, now)}", width)
    lines += under("id", safe(grant.id), width)
    lines += under("given by", f"{safe(grant.by)}, {since(grant.at, now)} ago, on {safe(grant.request_id)}", width)
    if grant.expires_at is not None:
        left = f"in {since(now, grant.expires_at)}, at " if grant.expires_at > now else ""
        lines += under("ends", f"{left}{moment(grant.expires_at)}", width)
    lines += under("used", f"{grant.used}" + (f" of {grant.uses}" if grant.uses is not None else ""), width)
    lines += under("covers", _whose(grant.run, grant.requester), width)
    return [*lines, *draw_scope(grant.scope, width)]


def draw_offer(
    request: Request, scope: Mapping[str, Any], within: str, lasts: timedelta | None, uses: int | None, width: int
) -> list[str]:
    """What would be allowed, in plain words, before it is."""
    run = request.run if within == "run" else None
    terms = [
        f"for {since(request.created_at, request.created_at + lasts)}" if lasts is not None else "",
        f"{uses} more time{'' if uses == 1 else 's'} at most" if uses is not None else "",
    ]
    text = f"you approve this call, and allow {_whose(run, None if within == 'all' else request.requester)}"
    lines = wrap(f"{text} of {safe(request.tool)}, {' and '.join(filter(None, terms))}, without asking, with", width)
    return [*(line.rstrip() for line in lines), *draw_scope(scope, width)]


def _whose(run: str | None, requester: str | None) -> str:
    where = f" in run {safe(run)}" if run is not None else ""
    return f"calls by {safe(requester)}{where}" if requester is not None else f"calls by anybody{where}"


def _state(grant: Grant, now: datetime) -> str:
    if grant.active:
        return "active"
    if grant.revoked_at is not None:
        return f"revoked by {safe(grant.revoked_by or '')}, {since(grant.revoked_at, now)} ago"
    return "used up" if grant.uses is not None and grant.used >= grant.uses else "ended"
