"""Numbers that people give as text."""

from dayslice.errors import UsageError


def positive(name: str, text: str | None, default: float, unit: str) -> float:
    """The number that a variable of the environment gives. Raises UsageError, naming it, for what is none."""
    if text is None or not text.strip():
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise UsageError(f"{name}={text!r} is no number of {unit}: write digits only, as in {default:g}")
    return number
