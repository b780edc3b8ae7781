"""What Markdown and HTML mark a text up with, found in plain text so that it stays silent.

Both are read leniently: a mark is what nobody would read out, whether or not it has its other half.
What is no mark stays: ``5 * 3``, ``snake_case``, ``C#``, ``a < b``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from ._tracked import Replacement

_BREAK = "\n\n"
"""An empty line, at which a sentence ends whatever comes next."""
_LINE = re.compile(r"[^\n]{0,1000}\n?")
_FENCE = re.compile(r"[ ]{0,3}(?:`{3,40}|~{3,40})[^`\n]{0,80}")
_RULE = re.compile(
    r"[ ]{0,3}(?:(?:\*[ \t]{0,4}){3,80}|(?:_[ \t]{0,4}){3,80}|(?:[-=][ \t]{0,4}){2,400})"
)
_HEADING = re.compile(r"[ ]{0,3}#{1,6}(?:[ \t]+|$)")
_HASHES = re.compile(r"#{2,400}|(?<!\S)#(?=[ \t]{1,8}[^\W\d])")
"""Of headings that were put into one line with what goes before them."""
_HEADING_END = re.compile(r"[ \t]+#{1,6}[ \t]*$")
_QUOTE = re.compile(r"[ ]{0,3}(?:>[ ]?){1,20}(?![\d=])")
_ITEM = re.compile(
    r"[ \t]{0,16}[-*+\u2022\u2023\u25e6\u25aa\u25cf\u25cb\u2043][ \t]{1,8}"
    r"(?:\[[ xX]\][ \t]{1,4})?(?=\S)"
)
_TASK = re.compile(r"[ \t]{0,16}\d{1,4}[.)][ \t]{1,8}(?P<box>\[[ xX]\][ \t]{1,4})")
_TABLE_RULE = re.compile(
    r"[ ]{0,3}\|?(?:[ ]{0,4}:?-{1,80}:?[ ]{0,4}\|){1,40}(?:[ ]{0,4}:?-{1,80}:?[ ]{0,4})?"
)
_TABLE_ROW = re.compile(r"[ ]{0,3}\|(?=[^\n]{0,1000}\|[ \t]*$)")
_CELL_END = re.compile(r"(?<![ \t])[ \t]{0,80}\|")
_DEFINITION = re.compile(
    r"[ ]{0,3}\[[^\[\]\n]{1,80}\]:[ \t]{1,4}\S{1,1000}(?:[ \t]{1,4}[\"'(][^\n]{0,200})?"
)
_FOOTNOTE = re.compile(r"[ ]{0,3}\[\^[^\[\]\n]{1,40}\]:[ \t]{0,4}")

_TARGET = (
    r"\((?!/[^()\n]{0,200}/\))(?=[^()\s]{0,2000}[./:#?])[ ]?<?[^()\s<>]{0,2000}"
    r"(?:\([^()\s]{0,200}\)[^()\s<>]{0,200})?>?(?:[ ]{1,4}(?:\"[^\"\n]{0,200}\""
    r"|'[^'\n]{0,200}'))?[ ]?\)"
)
_LINK = re.compile(
    rf"(?P<open>!?\[)(?P<text>[^\[\]\n]{{1,400}})(?P<close>\](?:{_TARGET}|\[[^\[\]\n]{{0,80}}\]))"
)
_PICTURE = re.compile(rf"!\[\]{_TARGET}")
_MENTION = re.compile(r"\[\^[^\[\]\s]{1,40}\]")
_AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^\s<>]{1,2000}>|<[^\s<>@]{1,64}@[^\s<>@]{1,255}>")
_DELIMITER = re.compile(r"(?<!\\)(?:\*{1,3}(?!\*)|_{1,3}(?!_)|~~(?!~))")
_TICKS = re.compile(r"`{1,40}")
_ESCAPE = re.compile(r"\\(?=[\\`*_{}\[\]()#+\-.!|~>])")

_BLOCKS = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "iframe",
    "legend",
    "li",
    "link",
    "main",
    "menu",
    "meta",
    "nav",
    "ol",
    "optgroup",
    "option",
    "p",
    "pre",
    "script",
    "section",
    "select",
    "style",
    "summary",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "video",
    "audio",
]
_SPANS = [
    "a",
    "abbr",
    "acronym",
    "b",
    "bdi",
    "bdo",
    "big",
    "cite",
    "code",
    "data",
    "del",
    "dfn",
    "em",
    "font",
    "i",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "mark",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "svg",
    "time",
    "tt",
    "u",
    "var",
    "wbr",
]
_PLAIN_TAGS = frozenset(
    [
        "b",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "html",
        "i",
        "li",
        "ol",
        "p",
        "pre",
        "span",
        "strong",
        "sub",
        "sup",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
        "wbr",
    ]
)
"""Names that are no English words: such a tag is one, also without its other half."""
_ATTRIBUTES = (
    r"(?:\s{1,8}[A-Za-z_:@-][\w:.-]{0,60}\s{0,4}=\s{0,4}(?:\"[^\"<>]{0,2000}\""
    r"|'[^'<>]{0,2000}'|[^\s\"'<>=]{1,500}))"
)
_TAG = re.compile(
    rf"</?(?P<name>{'|'.join(sorted([*_BLOCKS, *_SPANS], key=len, reverse=True))})"
    rf"(?:{_ATTRIBUTES}|\s{{1,8}}(?:checked|controls|disabled|hidden|open|readonly"
    rf"|required)\b){{0,20}}\s{{0,4}}/?>",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--(?:[^-]|-(?!->)){0,4000}-->|<!DOCTYPE[^<>]{0,200}>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style)\b[^<>]{0,500}>[^<]{0,20000}</\1\s{0,4}>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31}\d{0,2});")


def marks(text: str, fixed: Sequence[tuple[int, int]] = ()) -> list[Replacement]:
    """Find the marks of a text, ascending, and what stands for each: nothing, or a line's end.

    Args:
        text: plain text that may be Markdown or HTML.
        fixed: parts that stay as they are, ascending.
    """
    found = sorted(_all(text), key=lambda each: (each.start, -each.end))
    made: list[Replacement] = []
    reached, index = 0, 0
    for each in found:
        while index < len(fixed) and fixed[index][1] <= each.start:
            index += 1
        is_fixed = index < len(fixed) and fixed[index][0] < each.end
        if each.start >= reached and not is_fixed:
            made.append(each)
            reached = each.end
    return made


def _all(text: str) -> Iterator[Replacement]:
    if (
        "\n" in text
        or text[:1] in " \t#>-*+|=_`~[\u2022\u2023\u25e6\u25aa\u25cf\u25cb\u2043"
        or "|" in text
        or "[" in text
    ):
        yield from _lines(text)
    if "<" in text:
        yield from _tags(text)
    if "&" in text:
        yield from _entities(text)
    if "[" in text:
        yield from _links(text)
    for pattern in (_TICKS, _ESCAPE, _HASHES):
        yield from (_silent(match.start(), match.end()) for match in pattern.finditer(text))
    yield from _delimiters(text)


def _silent(start: int, end: int, text: str = "") -> Replacement:
    return Replacement(start, end, text, shown=text)


def _lines(text: str) -> Iterator[Replacement]:
    start = 0
    while start < len(text):
        match = _LINE.match(text, start)
        end = match.end() if match else len(text)
        if start == 0 or text[start - 1] == "\n":
            yield from _line(text[start:end], start)
        start = max(end, start + 1)


def _line(line: str, start: int) -> Iterator[Replacement]:
    """Find the marks that stand at a line's beginning or end, or are all of it."""
    body = line.rstrip("\n")
    if (quote := _QUOTE.match(body)) and quote.end():
        yield _silent(start, start + quote.end())
        start, line, body = start + quote.end(), line[quote.end() :], body[quote.end() :]
    whole = body.rstrip()
    if any(each.fullmatch(whole) for each in (_FENCE, _RULE, _TABLE_RULE, _DEFINITION) if whole):
        yield _silent(start, start + len(line), _BREAK)
    elif heading := _HEADING.match(body):
        yield _silent(start, start + heading.end(), "\n")
        closing = _HEADING_END.search(body, heading.end())
        end = closing.start() if closing else len(body)
        if end < len(line):
            yield _silent(start + end, start + len(line), _BREAK)
    elif item := _ITEM.match(body):
        yield _silent(start, start + item.end(), "\n")
    elif task := _TASK.match(body):
        yield _silent(start + task.start("box"), start + task.end("box"))
    elif note := _FOOTNOTE.match(body):
        yield _silent(start, start + note.end())
    elif row := _TABLE_ROW.match(body):
        yield from _cells(body, row.end(), start)


def _cells(row: str, position: int, start: int) -> Iterator[Replacement]:
    yield _silent(start, start + position, "\n")
    last = row.rindex("|")
    for match in _CELL_END.finditer(row, position, last):
        yield Replacement(start + match.start(), start + match.end(), ",", shown="")
    yield _silent(start + last, start + last + 1)


def _tags(text: str) -> Iterator[Replacement]:
    for pattern in (_HIDDEN, _COMMENT):
        yield from (_silent(match.start(), match.end(), "\n") for match in pattern.finditer(text))
    lower = text.lower()
    for match in _TAG.finditer(text):
        name = match["name"].lower()
        is_block = name in _BLOCKS
        if name not in _PLAIN_TAGS and len(match[0]) == len(name) + 2 and f"</{name}" not in lower:
            continue  # what somebody is to fill in, such as <time>
        yield _silent(match.start(), match.end(), _BREAK if is_block else "")
    for match in _AUTOLINK.finditer(text):
        yield _silent(match.start(), match.start() + 1)
        yield _silent(match.end() - 1, match.end())


def _entities(text: str) -> Iterator[Replacement]:
    for match in _ENTITY.finditer(text):
        said = html.unescape(match[0])
        if said != match[0]:
            said = "".join(
                " " if each.isspace() else each
                for each in said
                if each.isprintable() or each.isspace()
            )
            yield _silent(match.start(), match.end(), said)


def _links(text: str) -> Iterator[Replacement]:
    for match in _LINK.finditer(text):
        yield _silent(match.start("open"), match.end("open"))
        yield _silent(match.start("close"), match.end("close"))
    for pattern in (_MENTION, _PICTURE):
        yield from (_silent(match.start(), match.end()) for match in pattern.finditer(text))


def _delimiters(text: str) -> Iterator[Replacement]:
    for match in _DELIMITER.finditer(text):
        start, end = match.span()
        before, after = text[start - 1 : start], text[end : end + 1]
        apart = (not before or before.isspace()) and (not after or after.isspace())
        is_letter = before.isalpha() and after.isalpha()
        within = before.isalnum() and after.isalnum()
        if apart or (within and (match[0][0] == "_" or end - start == 1 or not is_letter)):
            continue
        yield _silent(start, end)
