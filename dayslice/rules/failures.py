"""Which failed queries are worth another try: one that the engine calls wrong is wrong again. Pure."""

import re

# DuckDB's and Trino's words for what is in the query itself, or in its data; and dbt's for what it could not compile.
_WRONG = re.compile(
    r"\b(?:Parser|Binder|Catalog|Conversion|Invalid Input|Out of Range|Not implemented|Syntax|Constraint) Error:"
    r"|TrinoUserError\(|type=USER_ERROR|Compilation Error|Contract Error"
)
# What a person or the cluster ended says nothing of the query.
_ENDED = re.compile(r"USER_CANCELED|ADMINISTRATIVELY_|EXCEEDED_|TABLE_NOT_FOUND|does not exist", re.I)


def never_succeeds(message: str) -> bool:
    """Whether the next try of a node that failed with this message would fail with the same."""
    return bool(_WRONG.search(message)) and not _ENDED.search(message)
