"""SQL, shell commands and replaced texts in a shape of their own: all of the text, coloured only where it is sure."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekit.display import visible
from gatekit_tui.frame.spans import Ink, Inked, length
from gatekit_tui.request import views_text
from gatekit_tui.request.code_text import Doubtful, Token, code_lines
from gatekit_tui.request.shell_text import looks_like_shell, shell_tokens
from gatekit_tui.request.sql_text import looks_like_sql, sql_tokens
from gatekit_tui.request.views_text import LONGEST, views_of
from tests.corpus_cases import CASES
from tests.tui.test_pieces import made_request

SQL = [
    "SELECT id, 'it''s' FROM t WHERE a = 1.5e3 -- note\n AND b = \"x\"; DROP TABLE x",
    "select $1, a::int, j->>'k' from t /* why\nnot */ where x is null;",
    "with a as (select 1) select * from `a` limit 5",
]
SHELL = [
    "sudo -u root rm -rf / # gone",
    'FOO="a b" git push --force && curl x | sh > /dev/null 2>&1 &',
    'echo "a $(ls `pwd` "x") b" < in\ndiff <(ls a) <(ls b)',
    "if test -f x; then ls; fi",
    "( cd /srv && ( ls ) ) || echo 'no'",
]


def inks(tokens: tuple[Token, ...]) -> dict[str, Ink]:
    return {piece: ink for piece, ink in tokens if piece.strip()}


def joined(lines: list[Inked]) -> str:
    return "".join(text for line in lines for text, _ in line)


def drawn(args: Any, width: int = 60) -> dict[str, str]:
    return {name: joined(lines) for name, lines in views_of(made_request(_args=json.dumps(args)), width)}


# -- nothing is left out, added or moved

PIECES = "select -- /* */ ' '' \" ` $( ) ( ; && | > 2>&1 < \\ # $x ${x} 漢 👩\u200d🚀 ⏎ <U+202E> rm r\\m a=1 [x] $$ é"
pieces = st.sampled_from([*PIECES.split(" "), "\n", "\t", "\u202e", "\x1b", "\u00a0", "[/]"])
texts = st.lists(pieces, max_size=30).map(" ".join) | st.text(st.characters(exclude_categories=()), max_size=40)


@given(texts, st.integers(20, 90))
def test_every_character_of_a_text_is_drawn_once_and_in_its_order_or_the_text_is_doubtful(
    text: str, width: int
) -> None:
    for tokens_of in (sql_tokens, shell_tokens):
        for is_cut in (False, True):
            try:
                lines = code_lines(text, tokens_of(text, is_cut=is_cut), width)
            except Doubtful:
                continue
            assert joined(lines) == visible(text)[0]
            assert all(length(line) <= width for line in lines)


@pytest.mark.parametrize("text", [*SQL, *SHELL])
def test_what_is_written_every_day_is_not_doubtful(text: str) -> None:
    tokens = sql_tokens(text) if text in SQL else shell_tokens(text)
    assert "".join(piece for piece, _ in tokens) == text
    assert joined(code_lines(text, tokens, 30)) == visible(text)[0]
    assert looks_like_sql("query", text) == (text in SQL)
    assert looks_like_shell("cmd", text) == (text in SHELL)


def test_a_joined_emoji_moves_no_ink_to_another_character() -> None:
    text = "select '👩\u200d🚀', 5 from t"
    (line,) = code_lines(text, sql_tokens(text), 80)
    assert ("'👩<U+200D>🚀'", "string") in line
    assert ("5", "number") in line


# -- what stands out


def test_what_changes_or_destroys_stands_out_in_sql() -> None:
    found = inks(sql_tokens(SQL[0]))
    assert found["DROP"] == found[";"] == "warn"
    assert found["SELECT"] == "label"
    assert found["-- note"] == "note"
    assert found["'it''s'"] == "string"
    assert found["1.5e3"] == "number"
    assert inks(sql_tokens("select 1;"))[";"] == "dim", "nothing follows"


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        (SHELL[0], {"sudo", "rm"}),
        (SHELL[1], {"curl", "sh", ">", "2>&", "&"}),
        ("r\\m -rf /", {"r\\m"}),
        ("r''m -rf /", {"r", "''", "m"}),
        ('"r"m -rf /', {'"', "r", "m"}),
        ("$x r$y /", {"$x", "r", "$y"}),
        ("$(echo r)m /", {"$(", ")", "m"}),
        ("'rm' -rf /", {"'rm'"}),
        (">/dev/null rm x", {">", "rm"}),
        ("a=$(date) rm x", {"$(", ")", "rm"}),
        ("echo $(true)#$(dd if=x)", {"$(", ")", "dd"}),
        ("find . -exec rm {} \\;", {"rm"}),
        ("/usr/bin/curl x", {"/usr/bin/curl"}),
        ("mkfs.ext4 /dev/sda", {"mkfs.ext4"}),
    ],
)
def test_what_is_dangerous_stands_out_in_a_shell_command(text: str, warned: set[str]) -> None:
    assert {piece for piece, ink in shell_tokens(text) if ink == "warn"} == warned


def test_a_comment_is_one_only_where_a_word_begins() -> None:
    assert inks(shell_tokens("ls # rm"))["# rm"] == "note"
    for text in ("ls a#b", "ls 'x'#$(ls)", "ls a\\\n#b", 'ls "# x"', "ls $(ls)#x"):
        assert "note" not in inks(shell_tokens(text)).values(), text


@pytest.mark.parametrize(
    "text",
    [
        "select 5--1",
        "select '\\' or 1=1 -- ' from t",
        "select /*!50000 1 */ 2",
        "select 1 # 2",
        "select $$ ' $$",
        "select q'[it's]'",
        "select [it's] from t",
        "select 5[-- x]",
        "select /* /* */ */ 1",
        "select 'open",
        "select 1 /* open",
        "select “1”",
    ],
)
def test_what_dialects_read_in_different_ways_is_doubtful(text: str) -> None:
    with pytest.raises(Doubtful):
        sql_tokens(text)


@pytest.mark.parametrize(
    "text",
    [
        "cat <<E\nrm\nE",
        "for x in a; do ls; done",
        "echo 'open",
        'echo "open',
        "echo $(open",
        "echo `echo # x`",
        'echo `ls "`"`',
        "ls )",
        "f() { ls; }",
        "a=(1 2)",
        "echo $'x'",
        "echo $((1+1))",
        "echo ${x:-$(ls)}",
        "((i++))",
        "ls \\",
        "x;;",
    ],
)
def test_what_a_look_does_not_settle_is_doubtful_in_a_shell_command(text: str) -> None:
    with pytest.raises(Doubtful):
        shell_tokens(text)


PARTS = [
    "echo ", "RUN", "RUN", "RUN", " ", "\n", ";", "&&", "|", "#", "# ", "'", '"', "`", "$(", ")", "(", "\\", "\\\n",
    "$x", "a", "=", ">/dev/null ", "2>&1", "<(", "{ ", " }", "!", "''", '""', "a#b", "&", "if ", "then ", "fi", "${x}",
    "x=", "$*", "<",
]  # fmt: skip


@pytest.mark.sweep
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_nothing_that_bash_runs_is_drawn_as_a_text_or_a_comment(tmp_path: Path) -> None:
    chance, ran = random.Random(5), 0
    for _ in range(4000):
        text, commands = "", 0
        for part in chance.choices(PARTS, k=chance.randint(2, 9)):
            text += f"R{commands}Z" if part == "RUN" else part
            commands += part == "RUN"
        try:
            tokens = shell_tokens(text)
        except Doubtful:
            continue
        for number in run_by_bash(text, commands, tmp_path) if commands else ():
            ran += 1
            inks = [ink for piece, ink in tokens if f"R{number}Z" in piece]
            assert set(inks) <= {"label", "warn"}, text
    assert ran > 50, "it tried nothing"


def run_by_bash(text: str, commands: int, folder: Path) -> set[int]:
    """Which of the commands `R0Z`, `R1Z`, … a real shell runs; they and `echo` do nothing but say so."""
    says = "".join(f"R{number}Z() {{ builtin echo {number} >&9; }}\n" for number in range(commands))
    script = folder / "script"
    script.write_text(f"exec 9>&1 >/dev/null\necho() {{ :; }}\n{says}{text}")
    command = ["bash", "--norc", str(script)]
    environment = {"PATH": "/nowhere" + os.pathsep + os.path.dirname(shutil.which("bash") or "")}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return {int(line) for line in done.stdout.split()}


# -- which arguments, and how much of them


def test_an_argument_is_code_by_its_name_and_its_content() -> None:
    for name in ("sql", "query", "db_query", "raw-sql", "statement", "SQL"):
        assert looks_like_sql(name, "select * from t")
    assert not looks_like_sql("text", "select * from t")
    assert not looks_like_sql("query", "select a venue in Berlin")
    assert not looks_like_sql("query", "cheap flights from Berlin")
    for name in ("cmd", "command", "shell_command", "script", "bash"):
        assert looks_like_shell(name, "git status")
    assert looks_like_shell("script", "#!/usr/bin/env bash\nx")
    assert not looks_like_shell("script", "#!/usr/bin/env python\nimport os")
    assert not looks_like_shell("script", "import os\nos.remove('x')")
    assert not looks_like_shell("command", "Deploy the app")
    assert not looks_like_shell("note", "rm -rf /")


def test_the_views_of_a_call_stand_under_the_names_of_their_arguments() -> None:
    views = drawn({"query": "select 1\nfrom t", "cmd": "rm -rf /", "old_string": "a\nb", "new_string": "a\nc", "n": 1})
    assert views == {
        "query as SQL": "select 1⏎from t",
        "cmd as a shell command": "rm -rf /",
        "old_string and new_string as a difference": "--- before+++ after@@ -1,2 +1,2 @@ a-b+c",
    }
    assert list(drawn({"oldText": "a", "newText": "b"})) == ["oldText and newText as a difference"]
    assert not drawn({"old_string": "a", "new_string": "a"})
    assert not drawn({"old": 1, "new": "a", "older": "x", "newer": "y"})


def test_a_view_that_is_doubtful_or_fails_says_so_and_takes_nothing_down(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn({"sql": "select 'a\u202eb' from t"}, 90) == {"sql as SQL": "no view: it holds 1 hidden character"}
    assert drawn({"cmd": "cat <<E\nE"})["cmd as a shell command"].startswith("no view: '<<E")

    def fails(*_: object, **__: object) -> tuple[Token, ...]:
        raise RuntimeError("no \x1b[2J")

    monkeypatch.setattr(views_text, "sql_tokens", fails)
    monkeypatch.setattr(views_text, "is_diff", fails)
    assert drawn({"sql": "select 1 from t"}) == {"sql": "no view: RuntimeError: no ␛[2J"}


def test_a_mark_without_a_letter_is_not_drawn_as_code() -> None:
    assert drawn({"sql": "select 1 from t\n\u0abe"})["sql as SQL"] == "no view: '\u0abe' is not closed, or is no SQL"
    assert drawn({"cmd": "ls '\u0abe' \u0abe"}) == {
        "cmd as a shell command": "no view: it holds a mark that belongs to no letter"
    }


def test_a_huge_argument_is_drawn_to_a_bound_and_says_so() -> None:
    text = "insert into t values (" + "'x', " * LONGEST + "1)"
    told = drawn({"sql": text})["sql as SQL"]
    assert told == text[:LONGEST] + f"… {len(text) - LONGEST:,} more characters: they stand among the arguments"
    patch = "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+" + "y" * LONGEST
    assert "more characters: they stand" in drawn({"p": patch})["p as a difference"]
    far = drawn({"before": "a" * LONGEST, "after": "b"})
    assert far == {"before and after as a difference": "no view: the two texts are too long to be compared here"}
    many = drawn({f"{number}_sql": "select 1 from t" for number in range(20)})
    assert len(many) == 6
    assert many["more arguments have a shape of their own"] == "no view: only the first are drawn in it"


@pytest.mark.parametrize("case", [case for case in CASES.values() if isinstance(case.payload, str)], ids=lambda c: c.id)
def test_a_hostile_text_in_a_view_is_harmless_or_not_drawn(case: Any) -> None:
    payload = case.payload
    args = {
        "sql": f"select '{payload}' from t",
        "cmd": f"echo {payload}",
        "patch": f"--- {payload}\n+++ b\n@@ -1 +1 @@\n-{payload}\n+{payload}",
        "old_string": payload,
        "new_string": payload + "!",
        "rows": [{payload: payload}, {payload: None}],
    }
    for name, lines in views_of(made_request(_args=json.dumps(args)), 40):
        assert visible(name) == (name, 0)
        for line in lines:
            assert length(line) <= 40
            assert all(visible(text)[1] == 0 for text, _ in line)
