"""Where versions' files lie: an S3 bucket or a plain directory, by the location's own form.

S3's endpoint, region and credentials are boto3's own (`AWS_…` variables, profile, instance role).
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from dayslice.errors import DaysliceError, Transient

_DELETE_AT_MOST = 1000  # S3's limit for one request


@dataclass(frozen=True)
class StoredFile:
    """A file: where it lies, and its size in bytes."""

    location: str
    bytes: int


class Store(Protocol):
    """What is asked of a store. A location is a directory's path, or s3://bucket/prefix; no slash at its end."""

    def files(self, location: str) -> Iterator[StoredFile]:
        """All files under a location; none if it is not there. S3's markers of empty directories are no files."""
        ...

    def children(self, location: str) -> list[str]:
        """The names of the directories directly under a location."""
        ...

    def delete(self, location: str) -> None:
        """Delete all that is under a location. Nothing there is no error."""
        ...


def open_store(location: str) -> Store:
    """The store that a location is in."""
    return s3_store() if location.startswith(("s3://", "s3a://")) else DirectoryStore()


def weigh(location: str) -> tuple[int, int]:
    """Bytes and number of files under a location."""
    sizes = [file.bytes for file in open_store(location).files(location)]
    return sum(sizes), len(sizes)


class DirectoryStore:
    """See `Store`."""

    def files(self, location: str) -> Iterator[StoredFile]:
        """All files under a directory."""
        for path in sorted(Path(location).rglob("*")):
            if path.is_file():
                yield StoredFile(str(path), path.stat().st_size)

    def children(self, location: str) -> list[str]:
        """The names of the directories directly under a directory."""
        root = Path(location)
        return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []

    def delete(self, location: str) -> None:
        """Delete a directory."""
        shutil.rmtree(location, ignore_errors=True)


class S3Store:
    """See `Store`."""

    def __init__(self, client: Any):
        self.client = client

    def files(self, location: str) -> Iterator[StoredFile]:
        """All objects under a prefix that are no directory marker."""
        bucket, prefix = split(location)
        for page in self._pages(Bucket=bucket, Prefix=f"{prefix}/"):
            for each in page.get("Contents", []):
                if not each["Key"].endswith("/"):
                    yield StoredFile(f"s3://{bucket}/{each['Key']}", each["Size"])

    def children(self, location: str) -> list[str]:
        """The next parts of the names under a prefix."""
        bucket, prefix = split(location)
        found: list[str] = []
        for page in self._pages(Bucket=bucket, Prefix=f"{prefix}/", Delimiter="/"):
            found += [each["Prefix"].rstrip("/").rpartition("/")[2] for each in page.get("CommonPrefixes", [])]
        return sorted(found)

    def delete(self, location: str) -> None:
        """Delete all objects under a prefix, its markers too, deepest first."""
        bucket, prefix = split(location)
        keys = [
            each["Key"] for page in self._pages(Bucket=bucket, Prefix=f"{prefix}/") for each in page.get("Contents", [])
        ]
        # A store with real directories gives up a marker only when nothing lies under it.
        keys.sort(key=lambda key: (-key.count("/"), key.endswith("/"), key))
        for start in range(0, len(keys), _DELETE_AT_MOST):
            batch = [{"Key": key} for key in keys[start : start + _DELETE_AT_MOST]]
            answer = self._call(self.client.delete_objects, Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
            if errors := answer.get("Errors"):
                first = errors[0]
                raise DaysliceError(
                    f"{len(errors)} files under {location} could not be deleted: {first['Key']}: {first['Message']}"
                )

    def _pages(self, **request: Any) -> Iterator[Any]:
        while True:
            page = self._call(self.client.list_objects_v2, **request)
            yield page
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def _call(self, method: Any, **request: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            return method(**request)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
                raise Transient(f"the object store is not well: {error}") from None
            raise DaysliceError(f"the object store refused: {error}") from None
        except BotoCoreError as error:
            raise Transient(f"the object store does not answer: {error}") from None


@cache
def s3_store() -> S3Store:
    """One client for the process: its connections are shared by threads, and making one takes a while."""
    import boto3  # noqa: PLC0415 - half a second, for those who use S3
    from botocore.config import Config  # noqa: PLC0415

    retries = {"mode": "standard", "total_max_attempts": 8}
    return S3Store(boto3.client("s3", config=Config(s3={"addressing_style": "auto"}, retries=retries)))


def split(location: str) -> tuple[str, str]:
    """Bucket and key of s3://bucket/key, without slashes at the key's ends."""
    parts = urlsplit(location)
    return parts.netloc, parts.path.strip("/")
