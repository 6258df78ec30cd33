"""A real S3 server on a plain directory: versitygw on loopback."""

import configparser
import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from dayslice.services.service import LOOPBACK, Service, free_port
from dayslice.services.stack.versitygw import install_versitygw

REGION = "us-east-1"
DEFAULT_PORT = 9711


class ObjectStore:
    """An S3 server whose buckets are the directories under `<directory>/buckets`.

    Start and stop it, or use it as a context manager. Its credentials are made at random the first time and kept in
    `<directory>/credentials`, an AWS shared credentials file that only this user can read:

        with ObjectStore(tmp_path) as store:
            store.create_bucket("warehouse")
            os.environ.update(store.environment())
    """

    def __init__(self, directory: Path, port: int | None = None):
        self.directory = directory.absolute()
        self.port = port or free_port()

    @property
    def endpoint(self) -> str:
        """The URL that S3 clients need, path-style."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def credentials_file(self) -> Path:
        """In AWS's own format, mode 600; clients take it through AWS_SHARED_CREDENTIALS_FILE."""
        return self.directory / "credentials"

    def environment(self) -> dict[str, str]:
        """What boto3, dbt and Trino's catalog read: endpoint, region, credentials. Holds a secret: print it nowhere."""
        access, secret = self.credentials()
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
        }

    def credentials(self) -> tuple[str, str]:
        """Access key and secret key, made and kept at the first call."""
        file = configparser.ConfigParser(interpolation=None)
        if not self.credentials_file.exists():
            file["default"] = {
                "aws_access_key_id": f"DAYSLICE{secrets.token_hex(6).upper()}",
                "aws_secret_access_key": secrets.token_urlsafe(30),
            }
            self.directory.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self.credentials_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                file.write(out)
        file.read(self.credentials_file)
        return file["default"]["aws_access_key_id"], file["default"]["aws_secret_access_key"]

    def service(self) -> Service:
        """The process, which may or may not run."""
        access, secret = self.credentials()
        return Service(
            name="S3 server",
            directory=self.directory,
            command=lambda: [
                str(install_versitygw()),
                "--port",
                f"{LOOPBACK}:{self.port}",
                "--quiet",
                "posix",
                str(self.directory / "buckets"),
            ],
            port=self.port,
            environment={"ROOT_ACCESS_KEY": access, "ROOT_SECRET_KEY": secret, "VGW_REGION": REGION},
        )

    def start(self) -> None:
        """Start the server and return when it answers. The first time ever, it is built (about two minutes)."""
        (self.directory / "buckets").mkdir(parents=True, exist_ok=True)
        service = self.service()
        service.start()
        service.wait_until_listening(seconds=30)

    def stop(self) -> None:
        """Stop the server; what lies in it stays."""
        self.service().stop()

    def client(self) -> Any:
        """A boto3 S3 client of this server."""
        access, secret = self.credentials()
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 5, "mode": "standard"}),
        )

    def create_bucket(self, name: str) -> None:
        """Make a bucket unless it is there."""
        with contextlib.suppress(self.client().exceptions.BucketAlreadyOwnedByYou):
            self.client().create_bucket(Bucket=name)

    def __enter__(self) -> "ObjectStore":
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()
