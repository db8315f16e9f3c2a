"""The documentation: its code runs, its links lead somewhere, its reference is what the docstrings say."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.metadata
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import unquote

import click
import pytest
from textual.binding import Binding

import gatekit
from gatekit import Gate
from gatekit.cli import failing, main
from gatekit_tui.ask import AskScreen, ReasonScreen
from gatekit_tui.detail import DetailView
from gatekit_tui.edit import EditScreen
from gatekit_tui.queue_list import QueueList
from gatekit_tui.review import ReviewScreen
from gatekit_tui.settle import SettleScreen
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


@pytest.mark.sweep
@pytest.mark.parametrize("page", TYPED, ids=lambda page: page.name)
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
    "`[`": {"left_square_bracket"}, "`]`": {"right_square_bracket"},
}  # fmt: skip


def test_the_keys_of_the_dashboard_are_the_documented_ones() -> None:
    cells = " ".join(row[1] for row in table_under(DOCS / "cli.md", "## The keys of the dashboard"))
    documented = set(re.findall(r"`(\w)`", cells))
    for name, keys in KEY_NAMES.items():
        if name in cells:
            documented |= keys
    bound: set[str] = set()
    for owner in (ReviewScreen, QueueList, DetailView, EditScreen, AskScreen, ReasonScreen, SettleScreen):
        for binding in owner.BINDINGS:
            assert isinstance(binding, Binding)
            bound.update(binding.key.split(","))

    assert documented == bound


def test_the_exit_codes_are_the_documented_ones() -> None:
    codes = [int(row[0]) for row in table_under(DOCS / "cli.md", "## Output")]

    assert codes == [0, failing.REFUSED, failing.WRONG_USE, failing.NO_QUEUE]


def test_whatever_happens_is_a_documented_kind_of_event() -> None:
    cells = [row[0] for row in table_under(DOCS / "stored-format.md", "## Events")]
    documented = {kind for cell in cells for kind in re.findall(r"`(\w+)`", cell)}
    happened: set[str] = set()
    for seed in range(200):
        chance = Random(seed)
        storm = Storm(chance)
        for _ in range(40):
            chance.choice(STEPS)(storm, chance)
        happened.update(storm.case.rows.kinds())

    assert len(happened) > 12
    assert happened <= documented


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for child, inner in command.commands.items():
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
