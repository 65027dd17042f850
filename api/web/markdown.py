"""Markdown of catalog authors, made into HTML: no HTML of theirs, links of the web only.

Descriptions know emphasis, code, lists and links; an item's documentation also headings, quotes,
tables and blocks of code.
"""

from collections.abc import Callable, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from markupsafe import Markup

from api.web.visible_text import visible_text

FIRST_HEADING, LAST_HEADING = 3, 6
_SMALL = ("paragraph", "list", "emphasis", "backticks", "link", "autolink", "escape", "newline")
_LARGE = (*_SMALL, "heading", "lheading", "blockquote", "fence", "code", "hr", "table", "entity")


def description(text: str) -> Markup:
    """Return a description of a field, a group or an item as HTML."""
    return Markup(_DESCRIPTIONS.render(_visible(text)))  # noqa: S704 -- HTML is off in it


def documentation(text: str) -> Markup:
    """Return an item's documentation as HTML; its headings begin below those of the page."""
    tokens = _DOCUMENTATION.parse(_visible(text))
    _lower_headings(tokens)
    html = _DOCUMENTATION.renderer.render(tokens, _DOCUMENTATION.options, {})
    return Markup(html)  # noqa: S704 -- as above


def words(text: str) -> str:
    """Return a description as plain words, for where it is shown in short."""
    blocks = _DESCRIPTIONS.parse(_visible(text))
    return " ".join(
        "".join(_word(inner) for inner in one.children or ())
        for one in blocks
        if one.type == "inline"
    )


def _word(token: Token) -> str:
    return " " if token.type in {"softbreak", "hardbreak"} else token.content


def _visible(text: str) -> str:
    return str(visible_text(text))


def _lower_headings(tokens: Sequence[Token]) -> None:
    """Make headings begin at `FIRST_HEADING`, without skipping levels."""
    first = min((int(one.tag[1]) for one in tokens if one.type == "heading_open"), default=1)
    before = FIRST_HEADING - 1
    for one in tokens:
        if one.type == "heading_open":
            level = FIRST_HEADING + int(one.tag[1]) - first
            before = min(level, before + 1, LAST_HEADING)
        if one.type in {"heading_open", "heading_close"}:
            one.tag = f"h{before}"


def _is_of_the_web(address: str) -> bool:
    return address.strip().lower().startswith(("https://", "http://"))


Render = Callable[..., str]


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 -- the library's name
        return _is_of_the_web(url)


def _build_parser(rules: Sequence[str]) -> MarkdownIt:
    parser = _Markdown("zero", {"html": False}).enable(list(rules))
    parser.add_render_rule("link_open", _link)
    parser.add_render_rule("fence", _block)
    parser.add_render_rule("code_block", _block)
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll" tabindex="0"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    for cell in ("th_open", "td_open"):
        parser.add_render_rule(cell, lambda _, tokens, index, *__: f"<{tokens[index].tag}>")
    return parser


def _link(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "noreferrer")
    return str(renderer.renderToken(tokens, index, options, env))


def _block(_: Any, tokens: Sequence[Token], index: int, *_more: Any) -> str:
    # What can be scrolled must be reached by the keyboard.
    return f'<pre tabindex="0"><code>{escapeHtml(tokens[index].content)}</code></pre>\n'


_DESCRIPTIONS = _build_parser(_SMALL)
_DOCUMENTATION = _build_parser(_LARGE)
