"""The environment variables that ministack and every child process are given.

They are set before ministack is imported, since it reads most of them at import. Knows no ministack names.
"""

import os
import shutil
import tempfile

from local.options import Options

ACCOUNT = "000000000000"
REGION = "us-east-1"

# A person's own AWS set-up, Python path or proxy must not reach a local Lambda: it could talk to a real account.
_FOREIGN_PREFIXES = ("AWS_", "LOCALSTACK_", "MINISTACK_")
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy",
            "all_proxy", "EDGE_PORT", "SERVICES", "AUTH", "USE_SSL", "SFN_MOCK_CONFIG")  # fmt: skip


def prepare(options: Options) -> None:
    """Make this process's environment the local AWS's own; children inherit it."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN:
            del os.environ[name]
    scratch = options.data_dir / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    tempfile.tempdir = str(scratch)
    os.environ.update(
        {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": options.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1,localhost",
            "TMPDIR": str(scratch),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(options.port),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(options.data_dir / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(options.data_dir / "s3"),
            "SFTP_ENABLED": "false",
            "IOT_MTLS_ENABLED": "false",
            # Lambda as plain subprocesses, and no look at a Docker daemon: ministack would reap containers there.
            "LAMBDA_EXECUTOR": "local",
            "DOCKER_HOST": f"unix://{options.data_dir}/no-docker.sock",
            "LOG_LEVEL": options.log_level,
            "AUTH": "true" if options.iam else "false",
        }
    )
