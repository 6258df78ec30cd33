"""Python's collector of cycles, while many objects are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Without it: of versions by the hundred thousand none is in a cycle, and it looks at all of them again and again.

    That is a third of the time. Where two threads do so at once, it may run for one of them: nothing else changes.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
