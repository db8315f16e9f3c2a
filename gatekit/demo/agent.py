"""The demo's agent: a script with a few rules, not a language model. It looks, proposes, and lives with the answers."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from gatekit import Cancelled, NotApproved, Responded, Suspended, calling
from gatekit.demo.tools import Entry, Tools
from gatekit.display import shorten, visible

NAME: Final = "tidy-agent"
INDEX: Final = "INDEX.md"
MOST_FILES: Final = 200
"""More files than these are left alone: nobody reads a longer list of what is about to happen."""
_OLD: Final = 10
"""Years after which a file with a year in its name is for the archive."""
_KINDS: Final = {
    ".csv": "documents", ".doc": "documents", ".docx": "documents", ".md": "documents", ".odt": "documents",
    ".pdf": "documents", ".txt": "documents", ".xlsx": "documents",
    ".gif": "pictures", ".jpeg": "pictures", ".jpg": "pictures", ".png": "pictures", ".svg": "pictures",
    ".log": "logs",
}  # fmt: skip
_READABLE: Final = frozenset({".csv", ".log", ".md", ".txt"})
_JUNK: Final = frozenset({".bak", ".tmp"})
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_FILE_NAME: Final = re.compile(r"[\w-]+\.\w+")


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a tool that the agent means to make."""

    tool: str
    args: Mapping[str, str]

    def __str__(self) -> str:
        return call_text(self.tool, self.args)


def call_text(tool: str, args: Mapping[str, Any]) -> str:
    """A call as one line, long values cut with a note, made visible."""
    shown = ", ".join(f"{name}={shorten(json.dumps(value, ensure_ascii=False), 40)[0]}" for name, value in args.items())
    return visible(f"{tool}({shown})")[0]


def plan(entries: Sequence[Entry], folder: str, year: int) -> list[Step]:
    """What a tidy folder of this name needs, by the names and fingerprints of its files alone.

    >>> print(plan([{"name": "a.tmp", "sha256": ""}], "desk", 2026)[0])
    delete_file(path="a.tmp")
    """
    first: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: (len(entry["name"]), entry["name"])):
        if entry["sha256"]:
            first.setdefault(entry["sha256"], entry["name"])
    steps = (_step(entry["name"], first.get(entry["sha256"], entry["name"]), folder, year) for entry in entries)
    return [step for step in steps if step is not None]


def _step(name: str, same_as: str, folder: str, year: int) -> Step | None:
    ending = PurePosixPath(name).suffix.lower()
    found = _YEAR.search(name)
    if name == INDEX or name.startswith("."):
        return None
    if ending in _JUNK or same_as != name:
        return Step("delete_file", {"path": name})
    if found and int(found[0]) <= year - _OLD:
        return Step("move_file", {"source": name, "to": f"../{folder}-archive/{name}"})
    if ending in _KINDS:
        return Step("move_file", {"source": name, "to": f"{_KINDS[ending]}/{name}"})
    return None


class Agent:
    """Works through a plan with its tools. `say` gets a line for everything that it does, from several threads."""

    def __init__(self, tools: Tools, folder: str, *, say: Callable[[str], None]) -> None:
        self._tools = tools
        self._folder = folder
        self._say = say
        self._stopped = threading.Event()

    def look(self, year: int) -> list[Step]:
        """What it would do. It changes nothing."""
        entries = self._call(Step("list_folder", {"path": "."}))
        return plan(entries[:MOST_FILES], self._folder, year)

    def work(self, steps: Sequence[Step]) -> None:
        """Make the calls of the plan, all at once as a model's turn does, then write down where everything is."""
        with ThreadPoolExecutor(max_workers=32, thread_name_prefix=NAME) as pool:
            list(pool.map(self._act, steps))
        self._write_index(INDEX)

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopped.set()

    def _act(self, step: Step) -> str | None:
        """Make a call and say what came of it; the answer is what a reviewer wrote instead of letting it run."""
        try:
            self._say(f"{step}: {visible(str(self._call(step)))[0]}")
        except Responded as answer:
            self._say(f"{step}: was answered: {visible(answer.text)[0]}")
            return answer.text
        except (Cancelled, Suspended) as end:
            self.stop()
            self._say(f"{step}: {end}")
        except (NotApproved, OSError) as refusal:
            self._say(f"{step}: {visible(str(refusal))[0]}")
        return None

    def _call(self, step: Step) -> Any:
        with calling(agent=NAME):
            return self._tools[step.tool](**step.args)

    def _write_index(self, path: str) -> None:
        if self._stopped.is_set():
            return
        content = f"# {self._folder}\n\n" + "".join(f"- {line}\n" for line in self._lines_of_index())
        answer = self._act(Step("write_file", {"path": path, "content": content}))
        other = _FILE_NAME.findall(answer or "")
        if other and path == INDEX:
            # All that this agent understands of an answer: the last file named in it is where to write instead.
            self._write_index(other[-1])

    def _lines_of_index(self) -> Iterable[str]:
        for folder in (".", *sorted(set(_KINDS.values()))):
            try:
                entries = self._call(Step("list_folder", {"path": folder}))
            except OSError:
                # Not every kind of file has its folder, and not every folder can be read.
                continue
            for entry in entries[:MOST_FILES]:
                path = entry["name"] if folder == "." else f"{folder}/{entry['name']}"
                first = self._first_line(path)
                yield f"{path}: {first}" if first else path

    def _first_line(self, path: str) -> str:
        if PurePosixPath(path).suffix.lower() not in _READABLE:
            return ""
        try:
            return str(self._call(Step("read_first_line", {"path": path})))
        except OSError as error:
            return f"({error.strerror})"
