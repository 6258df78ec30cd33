"""A store in an S3 bucket. Endpoint, region and credentials are boto3's own (`AWS_…` variables, profile, role)."""

import io
import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

from dayslice.errors import DaysliceError, Transient, UsageError

T = TypeVar("T")
_DELETE_AT_MOST = 1000  # S3's limits for one request, and for a part of an upload
_PART_BYTES = 16 << 20


def s3_client() -> Any:
    """The process's client: threads share its connections, and making one takes a while."""
    return _client(tuple((name, os.environ[name]) for name in sorted(os.environ) if name.startswith("AWS_")))


@cache
def _client(environment: tuple[tuple[str, str], ...]) -> Any:
    import boto3  # noqa: PLC0415 - half a second, for those who use S3
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client("s3", config=Config(retries={"mode": "standard", "total_max_attempts": 8}))


class S3:
    """See `dayslice.store.interface.Store`."""

    def __init__(self, root: str, client: Any = None):
        parts = urlsplit(root)
        if not parts.netloc:
            raise UsageError(f"{root!r} is no place on S3: write s3://bucket/prefix")
        self.bucket = parts.netloc
        self.prefix = parts.path.strip("/")
        self.client = client or s3_client()

    def location(self, path: str) -> str:
        """The URL."""
        return f"s3://{self.bucket}/{self._key(path)}"

    def create(self, path: str) -> BinaryIO:
        """A new object, uploaded in parts; it is there when it is closed, and never half."""
        return cast(BinaryIO, _Upload(self, self._key(path)))

    def sizes(self, path: str) -> dict[str, int]:
        """The files below a path, with their bytes. Markers of empty directories are no files."""
        listed = self._objects(self._key(path) + "/")
        return {key: size for key, size in listed if not key.endswith("/")}

    def folders(self, path: str) -> list[str]:
        """The names of the folders right below a path."""
        found: list[str] = []
        for page in self._pages(Prefix=self._key(path) + "/", Delimiter="/"):
            found += [each["Prefix"].rstrip("/").rpartition("/")[2] for each in page.get("CommonPrefixes", [])]
        return sorted(found)

    def remove(self, path: str) -> None:
        """Delete everything below a path, deepest first: a store with real directories empties them before it can."""
        keys = [key for key, _ in self._objects(self._key(path) + "/")]
        keys.sort(key=lambda key: (-key.rstrip("/").count("/"), key))
        for start in range(0, len(keys), _DELETE_AT_MOST):
            self._delete(keys[start : start + _DELETE_AT_MOST])

    def call(self, request: Callable[[], T]) -> T:
        """One request, its failure as one of ours."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            return request()
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
                raise Transient(f"the object store is not well: {error}") from None
            raise DaysliceError(f"the object store refused s3://{self.bucket}/{self.prefix}: {error}") from None
        except BotoCoreError as error:
            raise Transient(f"the object store does not answer: {error}") from None

    def _key(self, path: str) -> str:
        return "/".join(part for part in (self.prefix, path) if part)

    def _delete(self, keys: list[str]) -> None:
        batch = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = self.call(lambda: self.client.delete_objects(Bucket=self.bucket, Delete=batch))
        if errors := answer.get("Errors"):
            raise DaysliceError(
                f"{len(errors)} files in s3://{self.bucket} could not be deleted, the first of them: "
                f"{errors[0]['Key']}: {errors[0].get('Message', errors[0].get('Code'))}"
            )

    def _objects(self, prefix: str) -> Iterator[tuple[str, int]]:
        for page in self._pages(Prefix=prefix):
            yield from ((each["Key"], each["Size"]) for each in page.get("Contents", []))

    def _pages(self, **request: Any) -> Iterator[Any]:
        while True:
            page = self.call(lambda: self.client.list_objects_v2(Bucket=self.bucket, **request))
            yield page
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]


class _Upload(io.RawIOBase):
    """Gathers what is written into parts. A small object is one request; nothing is there until `close`."""

    def __init__(self, store: S3, key: str):
        self.store = store
        self.place = {"Bucket": store.bucket, "Key": key}
        self.buffer = bytearray()
        self.upload: dict[str, str] = {}
        self.parts: list[dict[str, Any]] = []

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take a chunk."""
        self.buffer += data
        while len(self.buffer) >= _PART_BYTES:
            self._send(bytes(self.buffer[:_PART_BYTES]))
            del self.buffer[:_PART_BYTES]
        return len(data)

    def close(self) -> None:
        """Make the object visible. Not done for a file that is dropped without being closed."""
        if self.closed:
            return
        super().close()
        client = self.store.client
        if not self.upload:
            self.store.call(lambda: client.put_object(**self.place, Body=bytes(self.buffer)))
            return
        if self.buffer:
            self._send(bytes(self.buffer))
        finished = {"Parts": self.parts}
        self.store.call(lambda: client.complete_multipart_upload(**self.place, **self.upload, MultipartUpload=finished))

    def __del__(self) -> None:
        """An object that nobody closed is half a file: its parts are given up, not joined."""
        if not self.closed and self.upload:
            self.store.client.abort_multipart_upload(**self.place, **self.upload)
        self.buffer.clear()

    def _send(self, part: bytes) -> None:
        client, number = self.store.client, len(self.parts) + 1
        if not self.upload:
            begun = self.store.call(lambda: client.create_multipart_upload(**self.place))
            self.upload = {"UploadId": begun["UploadId"]}
        sent = self.store.call(lambda: client.upload_part(**self.place, **self.upload, PartNumber=number, Body=part))
        self.parts.append({"PartNumber": number, "ETag": sent["ETag"]})
