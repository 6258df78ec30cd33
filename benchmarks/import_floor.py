"""The least that an import in two streams can take: `python -m benchmarks.import_floor TABLE`.

The connection `source` comes from the environment. Rows are received and compressed, by the sessions and the settings
of an import, and nothing else is done with them.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import zstandard
from dayslice_importers.connections import connect
from dayslice_importers.landing import BUFFER_BYTES, COMPRESSION
from dayslice_importers.sessions import open_stream

CONNECTION = "source"


def main(table: str) -> None:
    """Receive and compress."""
    with connect(CONNECTION, Path()) as lead, ThreadPoolExecutor(2) as threads:
        with lead.cursor() as cursor:
            cursor.execute("select pg_export_snapshot(), pg_relation_size(%s) / 8192 / 2", (table,))
            snapshot, middle = cursor.fetchone()

        def compress(half: str) -> int:
            compressor = zstandard.ZstdCompressor(compression_params=COMPRESSION)
            with (
                Path("/dev/null").open("wb", buffering=0) as nowhere,
                compressor.stream_writer(nowhere, write_size=BUFFER_BYTES) as out,
                open_stream(CONNECTION, Path(), lead, snapshot) as session,
            ):
                return session.copy(f"select * from {table} where ctid {half} '({middle},0)'::tid", {}, out)

        print(sum(threads.map(compress, ("<", ">="))))


if __name__ == "__main__":
    main(sys.argv[1])
