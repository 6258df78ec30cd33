"""A model's SQL as one SELECT, which is put into other statements."""

from dayslice.errors import UsageError


def one_select(sql: str, where: str) -> str:
    """The SQL without a semicolon at its end. Raises UsageError for more than one statement; `where`: the file."""
    if ";" not in sql:
        return sql
    from sqlparse.lexer import tokenize  # noqa: PLC0415 - dbt's own; few models need it
    from sqlparse.tokens import Comment, Punctuation, Whitespace  # noqa: PLC0415

    tokens = list(tokenize(sql))
    ends = [at for at, (kind, text) in enumerate(tokens) if kind is Punctuation and text == ";"]
    if not ends:
        return sql
    rest = [(kind, text) for at, (kind, text) in enumerate(tokens) if at > ends[0] and at not in ends]
    if any(kind not in Comment and kind not in Whitespace for kind, _ in rest):
        raise UsageError(
            f"{where}: more than one statement: a model is one SELECT; what runs before or after it is a pre_hook or a "
            "post_hook"
        )
    return "".join(text for at, (_, text) in enumerate(tokens) if at not in ends)
