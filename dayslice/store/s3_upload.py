"""A file on its way into S3: in parts, one of them under way while the next one fills; whole, or not there at all."""

import io
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

# S3 takes 10,000 parts of an object, of 5 MiB or more. Parts grow, so that memory is small and 500 GiB still fit.
PART_BYTES = 5 << 20
PARTS_OF_ONE_SIZE = 500


def part_bytes(number: int) -> int:
    """How large part `number` (from 1) is: 5 MiB, and 5 more for each 500 parts before it."""
    return PART_BYTES * (1 + (number - 1) // PARTS_OF_ONE_SIZE)


class Bucket(Protocol):
    """Where an upload goes: `S3`."""

    bucket: str
    client: Any

    def call(self, request: Callable[[], T]) -> T:
        """One request, its failure as one of ours."""
        ...


class Upload(io.RawIOBase):
    """What `S3.create` gives. Memory: two parts. A small object is one request; nothing is there until `close`."""

    def __init__(self, store: Bucket, key: str, options: Mapping[str, str]):
        self.store = store
        self.place = {"Bucket": store.bucket, "Key": key}
        self.options = options
        self.buffer = bytearray()
        self.upload: dict[str, str] = {}
        self.parts: list[dict[str, Any]] = []
        self.sent = 0
        self.sender = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self.under_way: Future[None] | None = None

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take a chunk. Raises DaysliceError if the part before this one did not arrive."""
        self.buffer += data
        if len(self.buffer) >= part_bytes(self.sent + 1):
            self._send_buffer()
        return len(data)

    def close(self) -> None:
        """Make the object visible, once."""
        if self.closed:
            return
        super().close()
        client = self.store.client
        try:
            if not self.upload:
                self.store.call(lambda: client.put_object(**self.place, **self.options, Body=bytes(self.buffer)))
                return
            if self.buffer:
                self._send_buffer()
            self._arrived()
            whole = {"Parts": self.parts}
            self.store.call(
                lambda: client.complete_multipart_upload(**self.place, **self.upload, MultipartUpload=whole)
            )
        finally:
            self.buffer = bytearray()
            self.sender.shutdown()

    def abandon(self) -> None:
        """Give the file up. Its parts are `S3.remove`'s to delete, now or in the next run."""
        if self.closed:
            return
        super().close()
        self.buffer = bytearray()
        self.sender.shutdown(cancel_futures=True)

    def __del__(self) -> None:
        """A file that nobody closed is half a file: nothing is done, where RawIOBase would close it."""

    def _send_buffer(self) -> None:
        self._arrived()
        # Bytes, which botocore shares where it would copy a bytearray.
        part, self.buffer = bytes(self.buffer), bytearray()
        if not self.upload:
            client = self.store.client
            begun = self.store.call(lambda: client.create_multipart_upload(**self.place, **self.options))
            self.upload = {"UploadId": begun["UploadId"]}
        self.sent += 1
        self.under_way = self.sender.submit(self._send_part, self.sent, part)

    def _arrived(self) -> None:
        if self.under_way:
            self.under_way.result()

    def _send_part(self, number: int, part: bytes) -> None:
        client = self.store.client
        sent = self.store.call(lambda: client.upload_part(**self.place, **self.upload, PartNumber=number, Body=part))
        self.parts.append({"PartNumber": number, "ETag": sent["ETag"]})
