"""HTML mail to words. The HTML is a stranger's: it is read in one pass, however it is broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgbot.channels.hypertext import read_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Please cancel</p><p>Jane</p>", "Please cancel\n\nJane"),
        ("<div>Please</div><div>cancel</div>", "Please\ncancel"),
        ("Please<br>cancel<br/>it</br>now", "Please\ncancel\nit\nnow"),
        ("<b>Can</b>cel\n   my <i>order</i>", "Cancel my order"),  # marked-up letters stay one word, blanks collapse
        ("<table><tr><td>one</td><td>two</td></tr></table>", "one\ntwo"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<pre>\na  b\n\tc\n\n\nd</pre>", "a  b\n\tc\n\nd"),  # lines and blanks of a <pre> stay, runs of blank lines don't
        ("K&ouml;ln&nbsp;&amp;&#32;&#x4e;ord &lt;3", "Köln & Nord <3"),
        ("a < b and c <3 you", "a < b and c <3 you"),  # no tags
        ("<head><title>T</title><style>p{}</style></head><script>if (a<b) cancel()</script>words", "words"),
        ("<style>never closed <p>words", "never closed\n\nwords"),
        ("<!-- cancel --><![if !mso]>words<![endif]>", "words"),
        ("<div style='DISPLAY : none'>preview<div>more</div></div>words", "words"),
        ("<img style='display:none'>words", "words"),  # nothing closes an <img>
        ('<a title="x>y" href=z>link</a>', "link"),
        ("<p title=it's>don't</p>", "don't"),  # a quote that opens nothing
        ("<a href='never closed", ""),
        ("&#" + "9" * 6_000 + ";x", "\ufffdx"),  # Python's own unescape raises here
        ("mine<blockquote type=cite>ours<br>more</blockquote>mine too", "mine\n\n> ours\n> more\n\nmine too"),
        ("mine<div class=gmail_quote><blockquote class='gmail_quote'>ours</blockquote></div>", "mine\n\n> ours"),
        ("<blockquote>indented</blockquote>", "indented"),  # not every blockquote quotes a mail
        ("x</pre>y</blockquote></div>z", "x\n\ny\n\nz"),  # closing what was never open
        ("", ""),
    ],
)
def test_words(html: str, text: str) -> None:
    assert read_html(html).text == text


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>Frame</p><pre>Please\ncancel</pre><p>Frame</p>", "Please\ncancel"),
        ("<pre> </pre><pre>one</pre>", "one"),  # an empty one does not count
        ("<pre>one</pre><pre>two</pre>", ""),  # which is it?
        ("<pre>one<pre>two</pre></pre>", "one\n\ntwo"),
        ("<pre>never closed", "never closed"),
        ("<p>none</p>", ""),
    ],
)
def test_the_only_preformatted_block(html: str, words: str) -> None:
    assert read_html(html).preformatted == words


TAGS = st.sampled_from(
    ["<p>", "</p>", "<pre>", "</pre>", "<blockquote type=cite>", "</blockquote>", "<div style=display:none>", "</div>", "<br>"]
)
BROKEN = st.sampled_from(
    ["<a x='", '"', "<!--", "-->", "<style>", "</style", "&#", "&#99999999999;", "<", ">", "=", "\n", "\x00", "\ud800"]
)


@given(st.lists(st.one_of(TAGS, BROKEN, st.text(max_size=5))).map("".join))
def test_any_html_can_be_read(html: str) -> None:
    page = read_html(html)
    assert page.text == page.text.strip()
    assert "\n\n\n" not in page.text


@given(st.lists(st.text(alphabet="abc äß", min_size=1), max_size=20))
def test_no_word_is_lost(lines: list[str]) -> None:
    html = "".join(f"<p>{line}</p>" for line in lines)
    assert read_html(html).text.split() == " ".join(lines).split()
