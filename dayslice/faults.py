"""What a command says of a fault: one sentence, what went wrong and what to do, and never a traceback.

Faults are known by the package that raises them, so that none has to be imported to be recognised.
"""

import errno
import os
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from dayslice.errors import DaysliceError

STANDS = "what was published stands, and a rerun is safe"
TRACEBACK = "DAYSLICE_TRACEBACK"
_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk's quota is used up",
    errno.EFBIG: "a file is too large",
}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
# SQLSTATE classes of which the server's own words name no value of a row.
_SAFE_CLASSES = {"08", "0A", "25", "26", "28", "34", "3D", "3F", "42", "53", "54", "55", "57", "58", "F0", "XX"}


def sentence_of(error: BaseException) -> tuple[str, int]:
    """What to say of an error, and the exit code."""
    if isinstance(error, DaysliceError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        return _of_system(error), 1
    package = type(error).__module__.partition(".")[0]
    said = _PACKAGES.get(package)
    if said is not None:
        return said(error), 1
    if isinstance(error, MemoryError):
        return f"there is not enough memory; {STANDS}", 1
    return _unexpected(error), 1


def _of_system(error: OSError) -> str:
    file = f": {error.filename}" if error.filename else ""
    if error.errno in _FULL:
        return f"{_FULL[error.errno]}{file}; make room and run it again: {STANDS}"
    if error.errno in _DENIED:
        return f"not allowed to read or write{file or ' a file'}; look at its owner and rights"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "too many files are open: raise the limit (ulimit -n 4096) and run it again"
    if isinstance(error, ConnectionError | TimeoutError):
        return f"a service did not answer ({_first_line(error)}); see that it runs, and run it again"
    if isinstance(error, FileNotFoundError):
        return f"there is no file{file}"
    return f"{_first_line(error)}; {STANDS}"


def _of_duckdb(error: BaseException) -> str:
    said = _first_line(error)
    if "lock" in said:
        return f"the warehouse's DuckDB file is held by another program: end it and run this again ({said})"
    if any(word in str(error) for word in ("No space left", "disk", "quota")):
        return f"the disk is full ({said}); make room and run it again: {STANDS}"
    if _name(error) in ("SerializationException", "FatalException", "InternalException") or "not a valid" in str(error):
        return f"the warehouse's DuckDB file is damaged ({said}); move it away and restore it from a backup"
    return f"DuckDB: {said}"


def _of_sqlite(error: BaseException) -> str:
    said = _first_line(error)
    if "locked" in said or "busy" in said:
        return f"the metastore's file is held by another program: end it and run this again ({said})"
    if "full" in said:
        return f"the disk is full ({said}); make room and run it again: {STANDS}"
    if "malformed" in said or "not a database" in said or "I/O" in said:
        return f"the metastore's file is damaged ({said}); move it away and restore it from a backup"
    return f"the metastore: {said}"


def _of_postgres(error: BaseException) -> str:
    code = getattr(error, "pgcode", None) or ""
    # Words of other classes may hold a value of a row; so may all lines but the first.
    said = _first_line(error) if not code or code[:2] in _SAFE_CLASSES else f"{_name(error)}, SQLSTATE {code}"
    return f"PostgreSQL: {said}"


def _of_dbt(error: BaseException) -> str:
    return " ".join(str(error).split())


def _of_s3(error: BaseException) -> str:
    return f"the object store: {_first_line(error)}; see that its address and keys are right"


def _of_trino(error: BaseException) -> str:
    said = getattr(error, "message", None) or _first_line(error)
    return f"Trino: {str(said).splitlines()[0] if str(said) else _name(error)}"


def _of_thrift(error: BaseException) -> str:
    return f"the Hive metastore did not answer ({_first_line(error)}); see that it runs, and run it again"


def _of_yaml(error: BaseException) -> str:
    return f"a YAML file cannot be read: {' '.join(str(error).split())}"


_PACKAGES: dict[str, Callable[[BaseException], str]] = {
    "duckdb": _of_duckdb,
    "_duckdb": _of_duckdb,
    "sqlite3": _of_sqlite,
    "psycopg2": _of_postgres,
    "dbt": _of_dbt,
    "dbt_common": _of_dbt,
    "botocore": _of_s3,
    "boto3": _of_s3,
    "s3transfer": _of_s3,
    "trino": _of_trino,
    "requests": _of_trino,
    "thrift": _of_thrift,
    "thriftpy2": _of_thrift,
    "yaml": _of_yaml,
}


def _unexpected(error: BaseException) -> str:
    """A fault of ours. The traceback goes to a file that only its owner reads."""
    text = "".join(traceback.format_exception(error))
    try:
        handle, name = tempfile.mkstemp(prefix="dayslice-", suffix=".log")
        with os.fdopen(handle, "w") as out:
            out.write(text)
        where = f"; {Path(name)} says where"
    except OSError:
        where = f"; {TRACEBACK}=1 shows where"
    return f"this should not happen ({_name(error)}: {_first_line(error)}){where}. {STANDS[0].upper()}{STANDS[1:]}"


def _name(error: BaseException) -> str:
    return type(error).__name__


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else _name(error)
