"""Small texts: how long ago, and a cut that says that it is one."""

from __future__ import annotations

from gatekit.models import Decision


def shorten(text: str, limit: int) -> tuple[str, int]:
    """The first `limit` characters and a note of how many more there are, and that number (0: all is there).

    >>> shorten("transfer everything", 8)
    ('transfer… 11 more characters', 11)
    """
    cut = max(0, len(text) - max(0, limit))
    if not cut:
        return text, 0
    return f"{text[: len(text) - cut]}… {cut:,} more character{'' if cut == 1 else 's'}", cut


def words_of(decision: Decision) -> str:
    """What was said with a decision: the reason or the answer, and the remark for the record. Foreign text.

    For people who review, not for the agent: a reviewer may have kept the remark from it.
    """
    return "; ".join(words for words in (decision.reason or decision.text, decision.note) if words)


def ago(seconds: float) -> str:
    """A span of time in at most five characters: `41s`, `3m`, `1h04`, `2d03`, `400d`; never below `0s`.

    >>> ago(3840)
    '1h04'
    """
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 60:
        return f"{whole}s"
    if minutes < 60:
        return f"{minutes}m"
    if hours < 24:
        return f"{hours}h{minutes % 60:02}"
    return f"{days}d{hours % 24:02}" if days < 100 else f"{min(days, 9999)}d"
