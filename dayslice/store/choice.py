"""The store of a warehouse."""

from dayslice.store.interface import Store


def open_store(root: str) -> Store:
    """The store of a warehouse's root: a directory, or s3://bucket/prefix."""
    if root.startswith("s3://"):
        from dayslice.store.s3 import S3  # noqa: PLC0415 - boto3 only where it is needed

        return S3(root)
    from dayslice.store.directory import Directory  # noqa: PLC0415

    return Directory(root)
