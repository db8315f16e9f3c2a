"""`warnings_of()`: visible text that deceives is named; honest writing in any language is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekit.display import visible, warnings_of


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("p\u0430ypal.example", "mixes CYRILLIC and LATIN"),
        ("g\u03bfogle", "mixes GREEK and LATIN"),
        ("\u0430\u0440\u0440\u04cf\u0435.com", "CYRILLIC letter here looks like a Latin one"),
        ("variable \u0441 = 1", "CYRILLIC letter here"),
        ("\u0391\u0392\u0395", "GREEK letter here"),
        ("ls\u037e rm", "U+037E"),
        ("bank.example\u2215login", "U+2215"),
        ("\U0001d42b\U0001d426 -rf", "styled to look like “rm”"),
        ("ｒｍ now", "styled to look like"),
        ("a．b", "U+FF0E"),
        ("\u212aelvin", "U+212A"),
        ("e\u0301", "written in two parts"),
        ("a\u0336b\u0336", "drawn over"),
        ("Q" + "\u0323\u0324\u0325\u0326\u0327\u0328", "marks are piled"),
        ("ls" + " " * 100_000 + "; rm -rf /", "100,000 blanks"),
        ("ok" + "\n" * 40 + "Approved.", "39 empty lines"),
    ],
)
def test_what_deceives_is_named(text: str, part: str) -> None:
    assert any(part in warning for warning in warnings_of(text)), warnings_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Send the report to bob@example.com; then rm -rf /srv/x && echo 'done' | tee log.txt",
        "Où est l’hôtel\u00a0? «\u202fLà-bas\u202f», à 12\u202f€ près — ça coûte cher…",
        "Größe: 5 µm, Straße „Am Übergang“, 3 × 4 ≤ 12, 20 °C, Δt = 5 ms, λ-Kalkül, σ²",
        "请把发票发送给客户，金额为１２０元。（测试）SDK版本：２．０",
        "東京タワーへ行く。ＡＢＣ商事のメール：①確認②送信\u3000以上",
        "안녕하세요 SDK를 사용합니다",
        "Great job 👩\u200d💻👍🏽 ❤\ufe0f 🇩🇪 ⚠\ufe0f 1\ufe0f\u20e3",
        "Привет, как дела? Отправь отчёт в IT-отдел",
        "Καλημέρα κόσμε",
        "שלום עולם, مرحبا بالعالم",
        "Việt Nam, Łódź, naïve, İstanbul, ﬁnal, ½ cup, m², ℝ, № 5, ™",
        "หวัดดีชาวโลก नमस्ते दुनिया",
        "def f():\n    return 1\n\n\n" + " " * 40 + "# aligned",
        "−5 °C, 1⁄2, 10 ∶ 3, x ∗ y",
        "trailing" + " " * 500 + "\n" * 100,
    ],
)
def test_honest_writing_is_left_alone(text: str) -> None:
    assert warnings_of(text) == ()


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=100))
def test_a_warning_can_itself_be_shown_without_harm(text: str) -> None:
    for warning in warnings_of(text):
        assert visible(warning) == (warning, 0)
        assert len(warning) < 400
