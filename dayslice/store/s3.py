"""A store in an S3 bucket. Endpoint, region and credentials are boto3's own (`AWS_…` variables, profile, role)."""

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dayslice.errors import DaysliceError, Transient, UsageError
from dayslice.store.interface import NewFile
from dayslice.store.s3_upload import Upload

T = TypeVar("T")
_DELETE_AT_MOST = 1000  # S3's limit for one request
# What AWS's own variables cannot say. Each is read where it is used, and named in docs/importing.md.
PATH_STYLE = "DAYSLICE_S3_PATH_STYLE"
UPLOAD_OPTIONS = {
    "DAYSLICE_S3_ENCRYPTION": "ServerSideEncryption",
    "DAYSLICE_S3_KMS_KEY": "SSEKMSKeyId",
    "DAYSLICE_S3_STORAGE_CLASS": "StorageClass",
}


def s3_client() -> Any:
    """The process's client: threads share its connections, and making one takes a while."""
    own = [name for name in sorted(os.environ) if name.startswith(("AWS_", PATH_STYLE))]
    return _client(tuple((name, os.environ[name]) for name in own))


@cache
def _client(environment: tuple[tuple[str, str], ...]) -> Any:
    import boto3  # noqa: PLC0415 - half a second, for those who use S3
    from botocore.config import Config  # noqa: PLC0415

    attempts = os.environ.get("AWS_MAX_ATTEMPTS", "8")
    if not attempts.isdecimal() or attempts == "0":
        raise UsageError(f"AWS_MAX_ATTEMPTS={attempts!r} is no number of attempts: write digits only, as in 8")
    config = Config(
        retries={"mode": "standard", "total_max_attempts": int(attempts)},
        s3={"addressing_style": "path" if path_style() else "auto"},
        max_pool_connections=32,
    )
    # A session of its own: the default one keeps the credentials that it met first.
    return boto3.Session().client("s3", config=config)


def path_style() -> bool:
    """Whether buckets are folders of the endpoint (`1`), or hosts below it where that can be (boto3's own rule)."""
    return os.environ.get(PATH_STYLE, "0").lower() in ("1", "true", "yes")


def _code(error: BaseException) -> str | None:
    """S3's word for what went wrong."""
    return getattr(error, "response", {}).get("Error", {}).get("Code")  # type: ignore[no-any-return]


def upload_options() -> dict[str, str]:
    """Encryption (AES256 or aws:kms), its key and the storage class of new objects, from the environment."""
    return {option: os.environ[name] for name, option in UPLOAD_OPTIONS.items() if os.environ.get(name)}


class S3:
    """See `dayslice.store.interface.Store`."""

    def __init__(self, root: str, client: Any = None):
        parts = urlsplit(root)
        if not parts.netloc:
            raise UsageError(f"{root!r} is no place on S3: write s3://bucket/prefix")
        self.bucket = parts.netloc
        self.prefix = parts.path.strip("/")
        self.client = client or s3_client()
        self.options = upload_options()

    def location(self, path: str) -> str:
        """The URL."""
        return f"s3://{self.bucket}/{self._key(path)}"

    def create(self, path: str) -> NewFile:
        """A new object, uploaded in parts; it is there when it is closed, and never half."""
        return Upload(self, self._key(path), self.options)

    def put(self, path: str, content: bytes, replace: bool = False) -> bool:
        """A small object, in one request. A store that knows no condition takes the later of two writers'.

        A conflict says that another writer is at it, and not that there is one: as S3 asks for, it is tried again.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415
        from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential  # noqa: PLC0415

        request = {"Bucket": self.bucket, "Key": self._key(path), "Body": content, **self.options}

        @retry(
            retry=retry_if_exception(lambda error: _code(error) == "ConditionalRequestConflict"),
            stop=stop_after_attempt(6),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )
        def put() -> bool:
            try:
                self.client.put_object(**request, **({} if replace else {"IfNoneMatch": "*"}))
            except ClientError as error:
                if _code(error) == "PreconditionFailed":
                    return False
                if replace or _code(error) != "NotImplemented":
                    raise
                self.client.put_object(**request)
            return True

        return self.call(put)

    def read(self, path: str) -> bytes | None:
        """An object's bytes, or None."""

        def get() -> bytes | None:
            try:
                return bytes(self.client.get_object(Bucket=self.bucket, Key=self._key(path))["Body"].read())
            except self.client.exceptions.NoSuchKey:
                return None

        return self.call(get)

    def checksum(self, path: str) -> str:
        """The digest of an object, as it is downloaded; of one that is not what the store's own checksum says, none."""
        from botocore.exceptions import FlexibleChecksumError  # noqa: PLC0415

        def read() -> str:
            digest = hashlib.sha256()
            body = self.client.get_object(Bucket=self.bucket, Key=self._key(path))["Body"]
            try:
                for chunk in body.iter_chunks(1 << 20):
                    digest.update(chunk)
            except FlexibleChecksumError:
                return "damaged"
            return f"sha256:{digest.hexdigest()}"

        return self.call(read)

    def make(self, path: str) -> None:
        """There are no folders to make."""

    def sync(self, path: str) -> None:
        """An object is durable when it is there."""

    def sizes(self, path: str) -> dict[str, int]:
        """The files below a path, with their bytes. Markers of empty directories are no files."""
        listed = self._objects(self._key(path) + "/")
        return {key: size for key, size in listed if not key.endswith("/")}

    def folders(self, path: str) -> list[str]:
        """The names of the folders right below a path, those of uploads that were never finished among them."""
        prefix = self._key(path) + "/"
        found: set[str] = set()
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            found.update(each["Prefix"].rstrip("/").rpartition("/")[2] for each in page.get("CommonPrefixes", []))
        for upload in self._uploads(prefix):
            folder, slash, _ = upload["Key"].removeprefix(prefix).partition("/")
            found.update([folder] if slash else [])
        return sorted(found)

    def remove(self, path: str) -> None:
        """Delete everything below a path, deepest first: a store with real directories empties them before it can.

        The parts of unfinished uploads are deleted too: they are listed nowhere, and paid for.
        """
        for upload in self._uploads(self._key(path) + "/"):
            self._abort(upload)
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

    def _abort(self, upload: dict[str, str]) -> None:
        place = {"Bucket": self.bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
        self.call(lambda: self.client.abort_multipart_upload(**place))

    def _uploads(self, prefix: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        request: dict[str, str] = {}
        while True:
            page = self.call(
                lambda: self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=prefix, **request)  # noqa: B023
            )
            # Not every store heeds the prefix.
            found += [each for each in page.get("Uploads", []) if each["Key"].startswith(prefix)]
            if not page.get("IsTruncated"):
                return found
            request = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

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
