"""A question, or a confirmation, as lines: what is asked, and what an answer is to be. Pure."""

from __future__ import annotations

from gatekit.models import Request
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked


def prompt_of(request: Request) -> str:
    """What is asked."""
    prompt = request.args.get("prompt")
    return prompt if isinstance(prompt, str) else request.description


def question_lines(request: Request) -> list[Inked]:
    """What is asked, each of its own lines on one; what ends them is seen."""
    return [((one_line(part), "title"),) for part in prompt_of(request).splitlines(keepends=True)]
