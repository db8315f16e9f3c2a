"""Shell commands in inked pieces: what runs, what it is joined with, what stands out. Pure, and nothing is expanded."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from gatekit_tui.request.code_text import Doubtful, Token, words
from gatekit_tui.request.shell_reader import GRAVE, Reader

_NAMES: Final = re.compile(r"(?:.*[_-])?(?:command|cmd|commandline|cmdline|command_line|shell|bash|script)", re.I)
_KNOWN: Final = words(
    "alias apt apt-get aws awk base64 brew bundle cargo cat cd cp cut date df docker du echo env export find gcloud "
    "gh git go grep gunzip gzip head helm if jq kubectl ln ls make mkdir mount mv node npm npx pip pip3 pnpm podman "
    "printf ps psql pwd pytest python python3 read sed set sleep sort tail tar tee terraform test touch true unset "
    "unzip uv wc while yarn zip"
)
_FIRST: Final = re.compile(
    r"\s*(?:[({!]\s*)*(?:[A-Za-z_]\w*=(?:\"[^\"]*\"|'[^']*'|[^\s\"'])*\s+)*([\w./+-]+)(?=[\s;|&]|$)"
)
_SHEBANG: Final = re.compile(r"#!\s*/\S*/(?:env\s+)?(?:ba|da|k|z)?sh\b")


def looks_like_shell(name: str, text: str) -> bool:
    """Whether an argument of this name and content is a shell command, as far as can be told."""
    if _NAMES.fullmatch(name) is None:
        return False
    if text.startswith("#!"):
        return _SHEBANG.match(text) is not None
    first = _FIRST.match(text)
    return first is not None and first[1].rpartition("/")[2] in _KNOWN | GRAVE


@lru_cache(maxsize=32)
def shell_tokens(text: str, *, is_cut: bool = False) -> tuple[Token, ...]:
    """The pieces of the text; `is_cut` if more of it follows. Raises `Doubtful`."""
    reader = Reader(text)
    try:
        while reader.at < len(text):
            reader.step()
    except Doubtful:
        if not is_cut:
            raise
        reader.tokens.append((text[reader.at :], "text"))
    if reader.inside and not is_cut:
        raise Doubtful(f"{reader.inside[-1][0]} is not closed")
    return tuple(reader.tokens)
