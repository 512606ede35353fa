"""Objects of the local S3 as files and back, for jobs and hosted containers.

Knows addresses, prefixes and folders; nothing of what is in the objects.
"""

import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.sagemaker.context import Context

FAILURES = (ClientError, BotoCoreError, Boto3Error)

# The local AWS's own work; never the user's real keys.
_ADMINISTRATOR = (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"))

_building = threading.Lock()


class ObjectError(Exception):
    """An S3 address that cannot be read or written; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """One ``s3://bucket/key``."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "Address":
        """Read an S3 URI; ObjectError where it is none."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not bucket:
            raise ObjectError(f"{uri!r} is not an S3 URI")
        return cls(bucket=bucket, key=key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def below(self, *names: str) -> "Address":
        """The address of something under this one, taken as a folder."""
        parts = [self.key.strip("/"), *names]
        return Address(bucket=self.bucket, key="/".join(part for part in parts if part))


def client(context: Context, service: str = "s3", *, role_arn: str = "") -> Any:
    """A boto3 client of a service of the local AWS, shared by all threads; with a role it may do what the role may."""
    with _building:
        keys = tuple(context.credentials(role_arn).items()) if role_arn else _ADMINISTRATOR
        return _client(context.endpoint_url, context.region, service, keys)


@cache
def _client(endpoint_url: str, region: str, service: str, keys: tuple[tuple[str, str], ...]) -> Any:
    given = {name.lower(): value for name, value in keys}
    session = boto3.session.Session(**given, region_name=region)
    config = Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 3})
    return session.client(cast(Any, service), endpoint_url=endpoint_url, config=config)


def download(uri: str, path: Path, *, s3: Any) -> None:
    """Write one object to ``path``, folders made as needed; ObjectError where there is no such object."""
    address = Address.parse(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        s3.download_file(address.bucket, address.key, str(path))
    except FAILURES as error:
        raise ObjectError(f"cannot read {uri}: {_reason(error)}") from error


def download_prefix(uri: str, folder: Path, *, s3: Any) -> int:
    """Write every object under a prefix below ``folder``, as SageMaker lays out a channel; how many there were.

    ``s3://bucket/data/`` and ``s3://bucket/data`` give the names below ``data/``. A prefix that is the whole key of
    an object gives that object under its last name. Keys ending in ``/`` are folder marks and are left out.
    """
    address = Address.parse(uri)
    count = 0
    for key in keys(address, s3=s3):
        place = _inside(folder, relative(key, address.key))
        download(str(Address(bucket=address.bucket, key=key)), place, s3=s3)
        count += 1
    return count


def keys(prefix: Address, *, s3: Any) -> list[str]:
    """The keys under a prefix in S3's order, without folder marks; ObjectError where the bucket cannot be listed."""
    found: list[str] = []
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key):
            found.extend(entry["Key"] for entry in page.get("Contents", []) if not entry["Key"].endswith("/"))
    except FAILURES as error:
        raise ObjectError(f"cannot list {prefix}: {_reason(error)}") from error
    return found


def upload(path: Path, uri: str, *, s3: Any) -> None:
    """Store one file under an address."""
    address = Address.parse(uri)
    try:
        with path.open("rb") as content:
            s3.upload_fileobj(content, address.bucket, address.key)
    except FAILURES as error:
        raise ObjectError(f"cannot write {uri}: {_reason(error)}") from error


def upload_tree(folder: Path, uri: str, *, s3: Any) -> int:
    """Store every file below ``folder`` under a prefix with its relative name; how many there were."""
    address = Address.parse(uri)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        upload(path, str(address.below(path.relative_to(folder).as_posix())), s3=s3)
    return len(files)


def read(uri: str, *, s3: Any) -> bytes:
    """The whole content of one object; ObjectError where there is none."""
    address = Address.parse(uri)
    try:
        return cast(bytes, s3.get_object(Bucket=address.bucket, Key=address.key)["Body"].read())
    except FAILURES as error:
        raise ObjectError(f"cannot read {uri}: {_reason(error)}") from error


def relative(key: str, prefix: str) -> str:
    """The name of an object below its channel: what follows the prefix's last complete folder."""
    if prefix and not prefix.endswith("/") and key.startswith(prefix + "/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _inside(folder: Path, name: str) -> Path:
    if ".." in Path(name).parts or Path(name).is_absolute():
        raise ObjectError(f"{name!r}: a key that leads out of its folder")
    return folder / name


def _reason(error: Exception) -> str:
    if not isinstance(error, ClientError):
        return str(error)
    details = error.response.get("Error", {})
    return f"{details.get('Code', 'Unknown')}: {details.get('Message', error)}"
