"""What a record brought along is harmless in a terminal and in Markdown, whatever it is."""

from __future__ import annotations

import pytest

from harness.core import ItemStatus
from harness.reporting import failure_text, terminal_summary
from harness.reporting.comparison import (
    compare_runs,
    comparison_markdown,
    comparison_short_text,
    comparison_text,
    history_of,
    history_text,
)
from harness.reporting.foreign_text import LONGEST_LINE, markdown_block, markdown_text, one_line, visible_text
from harness.reporting.templating import MARKDOWN
from harness.trial import Outcome
from tests.reporting.comparison.runs import failing_item, failure, item, recorded_run
from tests.reporting.records import CASE, record

SCRIPT = "<script>alert('1')</script><img src=x onerror=alert(2)>"
ANSI = "\x1b[2J\x1b]0;title\x07\x9b31m"
LINES = "first\r\n# second\n| third |\n```\nfourth"
DIRECTION = "\u202egnp.exe\u2066"
HALF = "\udc80"
LONG = "x" * 10_000
EVERY = f"{SCRIPT}\n{ANSI}\n{LINES}\n{DIRECTION}\n`*_[link](javascript:alert(1))_*` & @everyone\n\0"


def test_hidden_characters_are_written_out() -> None:
    """Escape sequences, marks that turn the direction and halves of surrogates are seen; line breaks and tabs stay."""
    written = "\\x1b[2J\\x1b]0;title\\x07\\x9b31m\\u202egnp.exe\\u2066\\udc80é"
    assert visible_text(f"a\tb\n{ANSI}{DIRECTION}{HALF}é") == f"a\tb\n{written}"


def test_one_line_is_one_line() -> None:
    """White space is folded, and what is cut off is counted."""
    assert one_line(LINES) == "first # second | third | ``` fourth"
    assert one_line(LONG) == f"{'x' * LONGEST_LINE}… (9500 characters more)"


def test_markdown_of_foreign_text_has_no_markup() -> None:
    """Neither a tag, nor an emphasis, a link, a cell of a table, an entity or a mention."""
    assert markdown_text("<b> *a* _b_ [c](d) `e` | f & @g #1 ~~h~~ \\") == (
        r"&lt;b> \*a\* \_b\_ \[c\](d) \`e\` \| f &amp; &#64;g \#1 \~\~h\~\~ \\"
    )


@pytest.mark.parametrize("text", ["a", "```", "a ````` b", "``"])
def test_a_block_of_code_is_not_left_by_what_is_in_it(text: str) -> None:
    """The fence is longer than any run of backticks in the text."""
    fence, *_, end = markdown_block(text, "py").splitlines()
    assert fence == f"{end}py"
    assert end not in text


def test_a_template_of_markdown_escapes_by_itself() -> None:
    """No filter is needed; what is Markdown already, such as a block, is left."""
    text = MARKDOWN.from_string("**{{ text }}** {{ 3 }}\n{{ text | block }}").render(text="*a*")
    assert text == "**\\*a\\*** 3\n```\n*a*\n```"


def test_the_views_of_a_terminal_have_no_control_characters() -> None:
    """Summary, story, comparison and history keep their own line breaks and nothing else that a terminal obeys."""
    outcome = Outcome(CASE, "float32", notes=[EVERY], incidents=[EVERY])
    old, new = recorded_run(item()), recorded_run(failing_item(failure(EVERY + LONG)), torch=EVERY)
    texts = [
        terminal_summary(record(item(notes=(EVERY,), incidents=(EVERY,), lack=EVERY))),
        failure_text(outcome),
        comparison_text(compare_runs(old, new)),
        comparison_short_text(compare_runs(old, new)),
        history_text(history_of([old, new])),
    ]
    for text in texts:
        assert visible_text(text) == text
        assert r"\x1b[2J" in text
    for text in texts[2:]:
        assert max(map(len, text.splitlines())) < 1000


def test_the_markdown_of_a_comparison_has_the_markup_of_its_template_alone() -> None:
    """What is foreign opens no tag, no code, no heading, no row of a table; ten thousand characters are cut."""
    old = recorded_run(item(status=ItemStatus.NOT_RUN), torch=EVERY)
    text = comparison_markdown(compare_runs(old, recorded_run(failing_item(failure(EVERY + LONG)), torch=EVERY)))
    assert "<" not in text
    assert "@everyone" not in text
    assert "`" not in text.replace("\\`", "")
    assert [line for line in text.splitlines() if line.startswith(("# ", "```", "first", "fourth"))] == []
    assert max(map(len, text.splitlines())) < 2000
