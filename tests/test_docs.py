"""The documentation: its code runs, its links lead somewhere, its reference is what the docstrings say."""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib
import importlib.metadata
import pkgutil
import re
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import cast
from urllib.parse import unquote

import click
import pytest
from textual.binding import Binding

import gatekit
import gatekit_tui
from gatekit import Gate
from gatekit.cli import failing, main
from gatekit.display import friction
from gatekit.machine.plan import ON_EXPIRY
from gatekit.models import RISKS, RUN_OVER, STATUSES
from gatekit.testing import memory_gate
from gatekit_tui.frame.theme import GATEKIT_LIGHT
from gatekit_tui.queue.lanes import LANES
from gatekit_tui.queue.review_keys import KEYS
from gatekit_tui.queue.settings import Settings, settings_from
from tests.corpus_cases import CASES
from tests.docs_console import Command, Console, commands_of, fits
from tests.machine.storm import STEPS, Storm

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```")
NO_RUN = "<!-- no-run -->"
ELSEWHERE = "<!-- file: "
"""Before a block that is a program of its own, which a test below runs."""
NAMED = re.compile(r"<!-- (file|output): (\S+) -->\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
ALLOWED_TO_SKIP = 4


def program_of(text: str) -> tuple[str, int, int]:
    """A page's Python blocks on the lines where they stand, all else blank; how many run; how many do not."""
    lines: list[str] = []
    fence, last, runs, skipped = "", "", 0, 0
    for line in text.splitlines():
        runnable = fence == "```python"
        if FENCE.match(line):
            fence = "" if fence else line.strip()
            if fence == "```python" and last == NO_RUN:
                fence, skipped = NO_RUN, skipped + 1
            if fence == "```python" and last.startswith(ELSEWHERE):
                fence = ELSEWHERE
            runs += fence == "```python"
            runnable = False
        lines.append(line if runnable else "")
        last = line.strip() or last
    return "\n".join(lines) + "\n", runs, skipped


PAGE = """\
Words
```python
a = 1
```
<!-- no-run -->

```python
b
```
```sh
c
```
<!-- file: d.py -->

```python
d
```
```python
print(a)
```
"""


def test_a_page_becomes_a_program_whose_lines_keep_their_numbers() -> None:
    program, runs, skipped = program_of(PAGE)

    kept = {number: line for number, line in enumerate(program.splitlines(), start=1) if line}
    assert kept == {3: "a = 1", 19: "print(a)"}
    assert (runs, skipped) == (2, 1)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    program, runs, _ = program_of(page.read_text(encoding="utf-8"))
    if not runs:
        return
    script = tmp_path / f"{page.stem}.py"
    script.write_text(program, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert done.returncode == 0, done.stderr


def test_few_blocks_are_left_out() -> None:
    assert sum(program_of(page.read_text(encoding="utf-8"))[2] for page in PAGES) <= ALLOWED_TO_SKIP


TYPED = [page for page in PAGES if "\n```console\n" in page.read_text(encoding="utf-8")]
"""The pages whose programs are run by what the pages type."""
SLOW = ("cron.md", "idempotent-tools.md", "reconcile.md", "standing-permissions.md")
"""Those of them that take long and show least that others do not."""


@pytest.mark.sweep
@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=page.name, marks=pytest.mark.long if page.name in SLOW else ()) for page in TYPED],
)
@pytest.mark.timeout(240)
def test_what_a_page_types_into_a_terminal_shows_what_it_says(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    console = Console(tmp_path, text)
    try:
        for command in commands_of(text):
            said = console.run(command)
            assert fits(command, said), f"$ {command.typed}\n{said}"
    finally:
        console.close()


TYPES = """\
```console
$ list
HIGH pay 4s 01K9Z0V8T2M6Q4R1B7N3C5D8EF
LOW  ask 5s 01K9Z0V8T2M6Q4R1B7N3C5D8EG
…
the end…
$ next
```
"""


@pytest.mark.parametrize(
    ("said", "whether"),
    [
        ("LOW ask 12s 01AAAAAAAAAAAAAAAAAAAAAAAA\nHIGH pay 9m 01AAAAAAAAAAAAAAAAAAAAAAAB\na\nb\nthe end of it", True),
        ("LOW ask 12s 01AAAAAAAAAAAAAAAAAAAAAAAA\nHIGH pay 9m 01AAAAAAAAAAAAAAAAAAAAAAAB\nthe end", True),
        ("LOW ask 12s 01AAAAAAAAAAAAAAAAAAAAAAAA\nHIGH buy 9m 01AAAAAAAAAAAAAAAAAAAAAAAB\nthe end", False),
        ("LOW ask 12s 01AAAAAAAAAAAAAAAAAAAAAAAA\nthe end", False),
        ("HIGH pay 4s 01K9Z0V8T2M6Q4R1B7N3C5D8EF\nLOW ask 5s 01K9Z0V8T2M6Q4R1B7N3C5D8EG\nend", False),
        ("", False),
    ],
)
def test_what_a_page_shows_fits_but_for_times_and_ids_what_was_said(said: str, whether: bool) -> None:
    first, second = commands_of(TYPES)

    assert fits(first, said) is whether
    assert fits(second, said) is (said == "")
    assert second == Command("next", [])


def named(kind: str) -> dict[str, str]:
    """The blocks that a comment calls the file, or the output, of a program; by name; of pages that type nothing."""
    pages = [page.read_text(encoding="utf-8") for page in PAGES if page not in TYPED]
    return {match[2]: match[3] for page in pages for match in NAMED.finditer(page) if match[1] == kind}


def test_the_tutorials_agent_prints_what_the_tutorial_says(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(named("file")["agent.py"], encoding="utf-8")
    program = [sys.executable, "agent.py"]
    with (
        subprocess.Popen(program, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as agent,
        Gate(tmp_path / "approvals.db") as gate,
    ):
        alice = gate.reviewer("alice")
        asked = (gate.get(event.request_id) for event in gate.watch(since=0) if event.kind == "submitted")
        alice.approve(next(asked))
        alice.edit(next(asked), {"amount": 50})
        alice.reject(next(asked), reason="ask the manager first")
        printed, _ = agent.communicate(timeout=20)

    assert agent.returncode == 0
    assert printed == named("output")["agent.py"]


def test_the_tutorials_tests_pass(tmp_path: Path) -> None:
    (tmp_path / "test_refund.py").write_text(named("file")["test_refund.py"], encoding="utf-8")
    installed = importlib.metadata.entry_points(group="pytest11", name="gatekit")
    plugin = [] if installed else ["-p", "gatekit.testing.plugin"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_every_program_that_a_page_calls_a_file_is_run_above() -> None:
    assert named("file").keys() == {"agent.py", "test_refund.py"}
    assert named("output").keys() == {"agent.py"}


MODULES = sorted(module.name for module in pkgutil.walk_packages(gatekit.__path__, "gatekit."))


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_the_examples_in_the_docstrings_are_true(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Some examples open a queue by its usual name.
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def relative_links(page: Path) -> Iterator[str]:
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        target = match[1] or match[2]
        if not re.match(r"[a-z]+:|#", target):
            yield unquote(target.partition("#")[0])


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_the_links_of_a_page_lead_to_files_that_exist(page: Path) -> None:
    assert [link for link in relative_links(page) if not (page.parent / link).exists()] == []


def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_into_a_page_lead_to_one_of_its_headings(page: Path) -> None:
    for match in re.finditer(r"\]\(([^)\s:#]*)#([^)\s]+)\)", page.read_text(encoding="utf-8")):
        assert match[2] in anchors(page.parent / match[1] if match[1] else page), match[0]


def test_every_page_is_in_the_index() -> None:
    linked = set(relative_links(DOCS / "index.md"))

    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} <= linked


def test_every_test_that_a_page_names_exists() -> None:
    named = {name for page in PAGES for name in re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8"))}
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "tests").rglob("test_*.py")]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)

    assert len(named) > 20
    assert named - {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, functions)} == set()


def test_the_number_of_hostile_inputs_is_the_documented_one() -> None:
    assert f"holds {len(CASES)} hostile inputs" in (DOCS / "trust-model.md").read_text(encoding="utf-8")


def table_under(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    text = ("\n" + page.read_text(encoding="utf-8")).partition(f"\n{heading}\n")[2]
    table = re.search(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert table, f"{page.name} has no table under {heading}"
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table[0].splitlines()[2:]]


def test_the_dependencies_are_those_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[<>=]", one)[0] for one in project["dependencies"]}
    rows = table_under(DOCS / "dependencies.md", "# Dependencies")
    licences = {name: licence_of(name) for name in needed}

    assert {row[0]: row[2] for row in rows} == licences


def licence_of(distribution: str) -> str:
    # Newer metadata name it by an expression, older ones by free text.
    found = importlib.metadata.metadata(distribution).json
    return str(found.get("license_expression") or found.get("license"))


KEY_NAMES = {
    "arrows": {"up", "down"}, "Home": {"home"}, "End": {"end"}, "PageUp": {"pageup"}, "PageDown": {"pagedown"},
    "Tab": {"tab"}, "Enter": {"enter"}, "Esc": {"escape"}, "Ctrl-S": {"ctrl+s"}, "Ctrl-R": {"ctrl+r"},
    "`[`": {"left_square_bracket"}, "`]`": {"right_square_bracket"}, "`?`": {"question_mark"},
    "Space": {"space"}, "left": {"left"}, "right": {"right"}, "`/`": {"slash"}, "`*`": {"asterisk"},
    "Ctrl-E": {"ctrl+e"}, "Ctrl-P": {"ctrl+p"}, "Ctrl-T": {"ctrl+t"}, "Ctrl-Z": {"ctrl+z"},
    "Ctrl-PageUp": {"ctrl+pageup"}, "Ctrl-PageDown": {"ctrl+pagedown"},
    "Ctrl-O": {"ctrl+o"}, "Ctrl-Enter": {"ctrl+enter"}, "Ctrl-J": {"ctrl+j"}, "Ctrl-N": {"ctrl+n"}, "F1": {"f1"},
    "`1` to `9`": set("123456789"),
}  # fmt: skip


def bound_keys() -> set[str]:
    """Every key that some part of the dashboard binds."""
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(gatekit_tui.__path__, "gatekit_tui.")
    ]
    parts = {part for module in modules for part in vars(module).values() if isinstance(part, type)}
    keys: set[str] = set()
    for part in parts:
        for binding in vars(part).get("BINDINGS", ()) if part.__module__.startswith("gatekit_tui.") else ():
            assert isinstance(binding, Binding)
            keys.update(binding.key.split(","))
    return keys


def keys_named_in(text: str) -> set[str]:
    """What Textual calls the keys that a text names."""
    named = set(re.findall(r"`(\w)`", text))
    return named.union(*(keys for name, keys in KEY_NAMES.items() if name in text))


def test_the_keys_of_the_dashboard_are_the_documented_ones() -> None:
    cells = " ".join(row[1] for row in table_under(DOCS / "cli.md", "## The keys of the dashboard"))

    assert keys_named_in(cells) == bound_keys()


SETTINGS_PAGE = DOCS / "how-to" / "dashboard-settings.md"
SIGNS = set("▲▶✓·≠")
"""What a page names and nobody can press."""


@pytest.mark.parametrize("page", [DOCS / "reviewers.md", SETTINGS_PAGE], ids=lambda page: page.name)
def test_every_key_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    unknown = {sign for sign in re.findall(r"`([^\w\s`])`", text) if f"`{sign}`" not in KEY_NAMES} - SIGNS

    assert len(keys_named_in(text)) > 10
    assert keys_named_in(text) <= bound_keys()
    assert unknown == set()


def test_what_a_yes_costs_is_documented_for_reviewers() -> None:
    costs = dict(table_under(DOCS / "reviewers.md", "## What a yes costs"))
    told = {"nothing": "key", "type `yes`, then Enter": "yes", "type the name of the tool, then Enter": "name"}

    for risk in RISKS:
        assert told[costs.pop(f"{risk} risk")] == friction(risk, hidden=0, shown_all=True)
    assert told[costs.pop("hidden characters")] == friction("low", hidden=1, shown_all=True)
    assert told[costs.pop("arguments that were not all on the screen")] == friction("low", hidden=0, shown_all=False)
    assert costs == {}


def test_the_warnings_that_reviewers_are_told_of_are_those_of_the_dashboard() -> None:
    folders = (ROOT / "tui" / "gatekit_tui", ROOT / "gatekit" / "display")
    source = "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    rows = table_under(DOCS / "reviewers.md", "## What the warnings mean")
    told = [words for row in rows for words in re.findall(r"\*([^*]+)\*", row[0])]

    assert len(told) > 10
    assert [words for words in told if words not in source] == []


def test_the_lists_of_the_dashboard_are_the_documented_ones() -> None:
    rows = table_under(DOCS / "reviewers.md", "## The lists")

    assert [row[0] for row in rows] == [lane.counted for lane in LANES]


def settings_on_the_page() -> Settings:
    text = SETTINGS_PAGE.read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return settings_from(tomllib.loads(example))


def test_the_settings_on_the_page_are_read_as_the_page_says() -> None:
    settings = settings_on_the_page()

    assert (settings.theme, settings.hold) == (GATEKIT_LIGHT.name, 10)
    assert settings.filters["5"] == "tool:deploy* newer:1d"
    assert settings.keys["release"] == settings.keys["approve"] == "Y"
    with memory_gate() as gate:
        for where in settings.filters.values():
            gate.requests(where=where)


def test_the_usual_settings_are_the_documented_ones() -> None:
    rows = {row[0]: row[2] for row in table_under(SETTINGS_PAGE, "# How to set up your dashboard")}
    usual = Settings()

    assert float(rows["`hold`"]) == usual.hold
    assert re.findall(r"`(\d)` `([^`]+)`", rows["`[filters]`"]) == sorted(usual.filters.items())


def test_every_name_of_a_key_is_on_the_page_of_settings() -> None:
    rows = table_under(SETTINGS_PAGE, "## Other keys")
    named = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row[0])}

    assert named == {binding.id for binding in KEYS if binding.id} - {"release", "answer"}


def test_the_exit_codes_are_the_documented_ones() -> None:
    codes = [int(row[0]) for row in table_under(DOCS / "cli.md", "## Output")]

    assert codes == [0, failing.REFUSED, failing.WRONG_USE, failing.NO_QUEUE]


EMITTERS = {"event": 0, "_event": 1, "event_of_queue": 0, "_moved": 2}
"""The functions through which every event is written, and which of their arguments is its kind."""
WRITERS = ("gatekit.machine.", "gatekit.backend.")
"""Whose modules decide what happens; a store only carries it out."""
ENDS_OF_A_RUN = {f"run.{end.replace('-', '_')}" for end in (*RUN_OVER, "needs-review")}


def kinds_written_by(source: str, known: Mapping[str, object]) -> set[str]:
    """The kinds that a module's calls of the emitters name. `known` are the module's own names.

    Raises `AssertionError` where an event is written otherwise, or its kind cannot be told.
    """
    kinds: set[str] = set()
    for outer in [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]:
        for call in [node for node in ast.walk(outer) if isinstance(node, ast.Call)]:
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in EMITTERS:
                kinds |= kinds_meant(call.args[EMITTERS[name]], outer, known)
            elif makes_an_event(call):
                assert emitter_round(call, outer), f"an event is written past {', '.join(EMITTERS)}"
    return kinds


def makes_an_event(node: ast.AST) -> bool:
    """Whether it is a new event, not one that is read from a row."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "EventRecord":
        return False
    return any(word.arg for word in node.keywords)


def emitter_round(call: ast.Call, outer: ast.AST) -> bool:
    functions = [node for node in ast.walk(outer) if isinstance(node, ast.FunctionDef) and node.name in EMITTERS]
    return any(call in list(ast.walk(function)) for function in functions)


def kinds_meant(node: ast.expr, outer: ast.AST, known: Mapping[str, object]) -> set[str]:
    match node:
        case ast.Constant(value=str(kind)):
            return {kind}
        case ast.IfExp(body=one, orelse=other):
            return kinds_meant(one, outer, known) | kinds_meant(other, outer, known)
        case ast.Subscript(value=ast.Name(id=table)) if isinstance(known.get(table), dict):
            return set(cast("dict[object, str]", known[table]).values())
        case ast.JoinedStr(values=[ast.Constant(value="run."), _]):
            return ENDS_OF_A_RUN
        case ast.Name(id=name) if isinstance(known.get(name), str):
            return {cast(str, known[name])}
        case ast.Name(id=name) if name == "kind":
            given = [one.value for one in ast.walk(outer) if isinstance(one, ast.Assign) and names(one) == ["kind"]]
            # An emitter hands on the kind that it was given itself.
            return {kind for value in given for kind in kinds_meant(value, outer, known)}
        case _:
            raise AssertionError(f"which kind of event is {ast.unparse(node)}?")


def names(assignment: ast.Assign) -> list[str]:
    return [target.id for target in assignment.targets if isinstance(target, ast.Name)]


WRITES = """\
def end(self, over):
    self.draft.event("ended" if over else LATE, by)
    kind = "once"
    event_of_queue(kind, by)
    self.event(PAST[verb], by)
"""


def test_the_kinds_of_events_are_found_in_the_code() -> None:
    known = {"LATE": "late", "PAST": {"approve": "approved"}}

    assert kinds_written_by(WRITES, known) == {"ended", "late", "once", "approved"}
    for wrong in ("def f(): EventRecord(kind='new')", "def f(): draft.event(some[kind], by)"):
        with pytest.raises(AssertionError):
            kinds_written_by(wrong, {})


def documented_kinds() -> set[str]:
    text = (DOCS / "stored-format.md").read_text(encoding="utf-8").partition("\n## Events\n")[2]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {kind for cell in rows for kind in re.findall(r"`([\w.]+)`", cell)}


def test_the_documented_kinds_of_events_are_those_that_the_code_writes() -> None:
    written: set[str] = set()
    for name in MODULES:
        path = ROOT / Path(*name.split(".")).with_suffix(".py")
        source = path.read_text(encoding="utf-8") if path.exists() else ""
        if name.startswith(WRITERS):
            written |= kinds_written_by(source, vars(importlib.import_module(name)))
        else:
            assert not any(map(makes_an_event, ast.walk(ast.parse(source)))), f"{name} writes events too"

    assert len(written) > 40
    assert documented_kinds() == written


def test_whatever_happens_is_a_documented_kind_of_event() -> None:
    happened: set[str] = set()
    for seed in range(200):
        chance = Random(seed)
        storm = Storm(chance)
        for _ in range(40):
            chance.choice(STEPS)(storm, chance)
        happened.update(storm.case.rows.kinds())

    assert len(happened) > 12
    assert happened <= documented_kinds()


def test_the_tables_and_columns_that_the_stored_format_names_exist(tmp_path: Path) -> None:
    with Gate(tmp_path / "queue.db") as gate:
        gate.reviewer("alice").pending()
        gate.stop("so that there is a file")
    with contextlib.closing(sqlite3.connect(tmp_path / "queue.db")) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        columns = {row[1] for row in connection.execute("PRAGMA table_info(requests)")}
    page = DOCS / "stored-format.md"
    rows = table_under(page, "## The file")
    named = {name for row in table_under(page, "## What a policy keeps") for name in re.findall(r"`(\w+)`", row[0])}

    assert {row[0].strip("`") for row in rows} == tables - {"_sqlite_migrations", "sqlite_sequence"}
    assert len(named) > 10
    assert named <= columns


def test_the_documented_states_are_those_that_there_are() -> None:
    cells = [row[0] for row in table_under(DOCS / "states.md", "# States of a request")]

    assert {state for cell in cells for state in re.findall(r"`(\w+)`", cell)} == set(STATUSES)


def test_what_silence_can_mean_is_documented() -> None:
    for page in ("states.md", "policies.md"):
        heading = "## What silence does" if page == "states.md" else "## What silence means"
        cells = [row[0] for row in table_under(DOCS / page, heading)]

        assert {word for cell in cells for word in re.findall(r'`"(\w+)"`', cell)} == set(ON_EXPIRY), page


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            inner = command.get_command(context, child)
            assert inner is not None
            yield from commands(f"{name} {child}", inner)


COMMANDS = dict(commands("gatekit", main))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_say_what_they_do(name: str) -> None:
    command = COMMANDS[name]

    assert command.help
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented(name: str) -> None:
    assert any(re.search(rf"\b{name}\b", page.read_text(encoding="utf-8")) for page in PAGES)


def test_the_reference_is_what_the_docstrings_say() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_reference.py", "--check"], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("signature", ["Gate.get(request_id: str) -> Request", "Reviewer.approve(", "gated_step("])
def test_the_reference_tells_how_to_call_what_is_called_most(signature: str) -> None:
    assert re.search(
        rf"^###+ `{re.escape(signature)}", (DOCS / "reference.md").read_text(encoding="utf-8"), re.MULTILINE
    )


def test_the_reference_names_no_place_on_a_machine_and_no_address_in_memory() -> None:
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")

    assert re.findall(r" at 0x[0-9a-f]+", text) == []
    assert [place for place in (str(ROOT), str(Path.home()), sys.prefix) if place in text] == []
