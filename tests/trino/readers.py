"""Readers that hammer a slice while it is replaced, and remember what they saw."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import trino

QUERY = "select count(*), min(id), max(id) from {} where ds = '2013-01-05'"


class Readers:
    """Four of them: two read the table, two its `_latest` view. `seen` counts each answer, `errors` each failure."""

    def __init__(self, project):
        self.project = project
        self.seen: Counter = Counter()
        self.errors: Counter = Counter()
        self.over = threading.Event()

    def read(self, table: str) -> None:
        while not self.over.is_set():
            try:
                (row,) = self.project.query(QUERY.format(table))
                self.seen[row] += 1
            except trino.exceptions.Error as error:
                self.errors[getattr(error, "error_name", type(error).__name__)] += 1
                time.sleep(0.2)

    @contextmanager
    def reading(self) -> Iterator["Readers"]:
        tables = ["analytics.daily", "analytics.daily_latest"] * 2
        threads = [threading.Thread(target=self.read, args=[table]) for table in tables]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
