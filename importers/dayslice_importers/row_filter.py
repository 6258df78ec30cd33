"""`row_filter`: a condition on the source's rows, and nothing that could end the query around it."""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from dayslice.errors import UsageError
from dayslice.rules.graph import TableNode

_OPEN = {TokenType.L_PAREN: TokenType.R_PAREN, TokenType.L_BRACKET: TokenType.R_BRACKET}


def row_filter_of(node: TableNode) -> str | None:
    """The condition as its YAML has it; None for none. Raises UsageError for what is no condition."""
    text = node.meta.get("row_filter")
    if text is None:
        return None
    where = f"{node.path}: {node}: row_filter"
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"{where}: {text!r} is no condition: write one of SQL, in quotes: \"status <> 'draft'\"")
    try:
        tokens = sqlglot.tokenize(text, dialect="postgres")
    except SqlglotError:
        raise UsageError(f"{where}: {text!r} is no SQL: a quote or a comment in it does not end") from None
    # Comments are kept beside tokens, and a text of nothing else has none.
    if not tokens or any(token.comments for token in tokens):
        raise UsageError(f"{where}: {text!r} has a comment: write it in the YAML, beside the condition")
    if not _is_closed(tokens):
        raise UsageError(
            f"{where}: {text!r} ends the query that it is a condition of: a bracket or a semicolon too many"
        )
    try:
        parsed = sqlglot.parse_one(f"select 1 where ({text}\n)", dialect="postgres")
    except SqlglotError:
        return text  # PostgreSQL knows more of its SQL; what is no condition it refuses before anything is read
    condition = parsed.args["where"].this if isinstance(parsed, exp.Select) and parsed.args.get("where") else None
    if not isinstance(condition, exp.Paren) or isinstance(condition.this, exp.Query):
        raise UsageError(f"{where}: {text!r} is no condition: write one of SQL, such as status <> 'draft'")
    return text


def _is_closed(tokens: list[Token]) -> bool:
    """Whether each bracket that is closed was opened in here, and the other way round, and nothing ends the query."""
    waiting: list[TokenType] = []
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            return False
        if token.token_type in _OPEN:
            waiting.append(_OPEN[token.token_type])
        elif token.token_type in _OPEN.values() and (not waiting or waiting.pop() is not token.token_type):
            return False
    return not waiting
