"""What a program wrote to a terminal, cut into escape sequences and text; and which of it no harmless text makes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from gatekit.display import visible

_SEQUENCE = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b[\]PX^_][^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
    # An escape that begins nothing, or what it begins is cut off.
    r"|\x1b",
    re.DOTALL,
)
_COLOUR = re.compile(r"[34]8;(?:5;\d+|2;\d+;\d+;\d+)")


def tokens(written: str) -> Iterator[str]:
    """The escape sequences, and the texts between them."""
    at = 0
    for found in _SEQUENCE.finditer(written):
        if found.start() > at:
            yield written[at : found.start()]
        yield found[0]
        at = found.end()
    if at < len(written):
        yield written[at:]


def form(sequence: str) -> frozenset[str]:
    """What of a sequence has to be known: all of it, but not where the cursor goes, nor which colour text gets."""
    found = _SEQUENCE.fullmatch(sequence)
    parameters = None if found is None else found["parameters"]
    if found is None or parameters is None or found["between"] or not re.fullmatch("[0-9;]*", parameters):
        return frozenset({sequence})
    if found["final"] == "m":
        others = _COLOUR.sub("", parameters).split(";")
        return frozenset(f"\x1b[{other}m" for other in others if other)
    if found["final"] == "H":
        return frozenset({f"\x1b[{'n;n' if re.fullmatch('[0-9]+;[0-9]+', parameters) else parameters}H"})
    return frozenset({sequence})


def forms(written: str) -> frozenset[str]:
    """All forms of what was written."""
    return frozenset(one for token in tokens(written) if token[0] == "\x1b" for one in form(token))


def faults(written: str, harmless: str, payloads: Sequence[str]) -> list[str]:
    """What stands in `written` and not in what the same program wrote over harmless texts."""
    known = forms(harmless)
    found = [f"sequence {one!r}" for one in sorted(forms(written) - known)]
    texts = [token for token in tokens(written) if token[0] != "\x1b"]
    bad = Counter(char for text in texts for char in set(text) if char != "\r" and visible(f"x{char}")[1])
    found += [f"U+{ord(char):04X} {count} times" for char, count in bad.items()]
    # Modes that the program itself sets are set as often as without these texts.
    for one in sorted({token for text in payloads for token in tokens(text) if token[0] == "\x1b"}):
        if one[-1] not in "mH\x1b" and written.count(one) > harmless.count(one):
            found.append(f"payload's {one!r} {written.count(one)} times")
    return found


def caught_late(written: str) -> list[str]:
    """What only the net under all widgets kept from the terminal."""
    return [text for text in tokens(written) if "\ufffd" in text]
