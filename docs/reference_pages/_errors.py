"""Errors: the tree, then each class with its code and its HTTP status."""

from __future__ import annotations

import ast
import inspect

from open_speech import errors
from open_speech_server.api.errors import status_of

from ._markdown import block, document, inline, prose, table
from ._source import class_of


def page() -> str:
    """The page errors.md."""
    summary, _, tree = (errors.__doc__ or "").partition("\n\n")
    return document(
        "# Errors",
        f"{prose(summary)} All are in `open_speech.errors`; the server answers with the HTTP "
        "status of the table and the code in `error.code`.",
        block(tree.strip()),
        table(
            ["Error", "Code", "Status", "Meaning"],
            [
                [
                    f"[`{kind.__name__}`](#{kind.__name__.lower()})",
                    f"`{kind.code}`",
                    str(status_of(kind("?"))),
                    inline(inspect.getdoc(kind) or ""),
                ]
                for kind in classes()
            ],
        ),
        *(_section(kind) for kind in classes()),
    )


def classes() -> list[type[errors.OpenSpeechError]]:
    """Every error, as the module defines them."""
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.OpenSpeechError)
    ]


def _section(kind: type[errors.OpenSpeechError]) -> str:
    parents = [base.__name__ for base in kind.__mro__[1:] if base in classes()]
    parent = f"A kind of [`{parents[0]}`](#{parents[0].lower()}). " if parents else ""
    return document(
        f"## {kind.__name__}",
        f"{prose(inspect.getdoc(kind) or '')}",
        f"{parent}Code `{kind.code}`, HTTP status {status_of(kind('?'))}.",
        _attributes(kind),
    )


def _attributes(kind: type[errors.OpenSpeechError]) -> str:
    """What ``__init__`` keeps, with the text under each assignment."""
    node = class_of(errors, kind.__name__)
    if node is None:
        return ""
    rows = []
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or method.name != "__init__":
            continue
        for line, after in zip(method.body, [*method.body[1:], None], strict=True):
            if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Attribute):
                said = after.value if isinstance(after, ast.Expr) else None
                text = said.value if isinstance(said, ast.Constant) else ""
                rows.append([f"`{line.targets[0].attr}`", inline(str(text))])
    return table(["Attribute", "Meaning"], rows) if rows else ""
