"""Goes through a shell command once, and says of each piece of it what it is. Pure, and nothing is expanded."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from gatekit_tui.frame.spans import Ink
from gatekit_tui.request.code_text import Doubtful, Token, words

GRAVE: Final = words(
    ". bash chgrp chmod chown crontab curl dash dd doas eval exec fdisk halt init iptables kill killall ksh mkfs nc "
    "ncat netcat nohup parted passwd pkill poweroff reboot rm rmdir rsync scp service sftp sh shred shutdown socat "
    "source ssh su sudo systemctl telnet truncate umount useradd userdel usermod visudo wget xargs zsh"
)
"""Commands that destroy, reach elsewhere, take other rights, or run what they are given."""
_PREFIXES: Final = words("command doas env exec nice nohup sudo time timeout xargs")
"""Commands behind which another one may stand."""
_CONTROL: Final = words("if then elif else fi while until do done ! { }")
_ODD: Final = words("for case select function esac coproc [[ ((")
_VALUE: Final = r"(?P<value>\$(?:\w+|[?!#$*@-]|\{\w+\}))"
_RUN: Final = r"(?P<run>\$\((?!\()|`)"
_TOKEN: Final = re.compile(
    r"(?P<blank>[ \t]+)"
    r"|(?P<joint>\\\n)"
    r"|(?P<join>\n|&&|\|\|?|;(?!;))"
    r"|(?P<apart>&(?!>))"
    r"|(?P<pipe>[<>]\()"
    r"|(?P<write>&>>?|\d*>>?[|&]?)"
    r"|(?P<read>\d*<&?(?!<))"
    r"|(?P<open>\((?!\())"
    r"|(?P<close>\))"
    r"|(?P<single>'[^']*')"
    r"|(?P<quote>\")"
    rf"|{_RUN}|{_VALUE}"
    r"|(?P<word>(?:[^ \t\n\\'\"`$&|;<>()]|\\.)+)",
    re.S,
)
_IN_QUOTES: Final = re.compile(
    rf"(?P<quote>\")|{_RUN}|{_VALUE}|(?P<plain>(?:[^\"\\`$]|\\.|\$(?=[ \"]))+)",
    re.S,
)
Word = Literal["", "plain", "odd"]
_PLAIN_COMMAND: Final = re.compile(r"[\w./~+:@%-]+")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")


@dataclass(slots=True)
class Reader:
    """A text, and how far it was read."""

    text: str
    at: int = 0
    tokens: list[Token] = field(default_factory=list[Token])
    inside: list[tuple[str, bool, Word]] = field(default_factory=list["tuple[str, bool, Word]"])
    """What is open: a quote, `$(`, `(` or a backtick; and what is to follow once it is closed, as the next two say."""
    wants_command: bool = True
    word: Word = ""
    """What the word that was begun is."""
    wants_file: bool = False
    """Whether the next word is where something is read from or written to."""

    def step(self) -> None:
        """Read one piece. Raises `Doubtful`."""
        is_quoted = self._innermost() == '"'
        if self.text[self.at] == "#" and not self.word and not is_quoted:
            if any(opener == "`" for opener, _, _ in self.inside):
                raise Doubtful("a comment in backticks")
            self._take(self.text[self.at :].partition("\n")[0], "note")
            return
        found = (_IN_QUOTES if is_quoted else _TOKEN).match(self.text, self.at)
        if found is None:
            raise Doubtful(f"{self.text[self.at : self.at + 20]!r} is not read as a command")
        self._take(found[0], self._ink(found.lastgroup or "", found[0]))

    def _take(self, piece: str, ink: Ink) -> None:
        self.tokens.append((piece, ink))
        self.at += len(piece)

    def _innermost(self) -> str:
        return self.inside[-1][0] if self.inside else ""

    def _ink(self, kind: str, piece: str) -> Ink:
        match kind:
            case "joint":
                return "dim"
            case "blank":
                self.word = ""
                return "text"
            case "join" | "apart":
                self.wants_command, self.wants_file, self.word = True, False, ""
                return "constant" if kind == "join" else "warn"
            case "write" | "read":
                self.wants_file, self.word = True, ""
                return "warn" if kind == "write" else "constant"
            case "quote":
                return self._quote()
            case "run" | "pipe" | "open" | "close":
                closes = kind == "close" or piece == self._innermost() == "`"
                return self._close(piece) if closes else self._open(piece)
            case _:
                return self._part(kind, piece)

    def _open(self, piece: str) -> Ink:
        if piece == "`" and any(opener == "`" for opener, _, _ in self.inside):
            raise Doubtful("a backtick in a quote in backticks")
        if piece == "(" and (self.word or not self.wants_command or self.wants_file):
            raise Doubtful("a bracket where no command begins")
        if piece != "(":
            self._begin_word()
        self.inside.append((piece, self.wants_command, self.word))
        self.wants_command, self.wants_file, self.word = True, False, ""
        return "constant" if piece == "(" else "warn"

    def _close(self, piece: str) -> Ink:
        opener = self._innermost()
        if opener in ("", '"') or (opener == "`") != (piece == "`"):
            raise Doubtful("a bracket closes what was not opened")
        # What a value is put in goes on behind it: a `#` there is no comment.
        _, wants_command, self.word = self.inside.pop()
        self.wants_command = wants_command and opener != "("
        return "constant" if opener == "(" else "warn"

    def _quote(self) -> Ink:
        if self._innermost() == '"':
            _, self.wants_command, self.word = self.inside.pop()
        else:
            self._begin_word()
            self.inside.append(('"', self.wants_command, self.word))
        return "warn" if self.word == "odd" else "string"

    def _begin_word(self) -> None:
        """A word begins here, if none did yet: an odd one if it is a command that is not told in a plain way."""
        if not self.word:
            # Another command is wanted behind an odd one, which may turn out to be nothing at all.
            self.word = "odd" if self.wants_command and not self.wants_file else "plain"
            self.wants_file = False

    def _part(self, kind: str, piece: str) -> Ink:
        """A word or a part of one: as it stands, in quotes, or the value of a variable."""
        if kind == "word" and self.wants_command and not self.word and not self.wants_file:
            return self._command(piece)
        self._begin_word()
        if self.word == "odd" or (kind == "word" and piece in GRAVE and len(piece) > 1):
            return "warn"
        inks: dict[str, Ink] = {"single": "string", "plain": "string", "value": "constant"}
        return inks.get(kind, "text")

    def _command(self, piece: str) -> Ink:
        end = self.at + len(piece)
        goes_on = self.text[end : end + 1] in ("'", '"', "$", "`")
        self.word = "plain"
        if piece in _ODD:
            raise Doubtful(f"{piece!r} needs more than a look at it")
        if _ASSIGNMENT.match(piece) or (piece in _CONTROL and not goes_on):
            return "constant"
        if goes_on or _PLAIN_COMMAND.fullmatch(piece) is None:
            self.word = "odd"
            return "warn"
        if piece.startswith("-"):
            return "text"
        name = piece.rpartition("/")[2]
        self.wants_command = name in _PREFIXES
        return "warn" if name in GRAVE or name.partition(".")[0] in GRAVE else "label"
