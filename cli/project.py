"""Where things lie in a checkout, and what the environment says about them.

Responsible for paths, the port of the local AWS and the interpreters. It starts nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cli.errors import BadInput, NotReady

ROOT = Path(__file__).resolve().parent.parent
LOCAL = "local"
STAGES = (LOCAL, "dev", "prod")
LOCAL_ACCOUNT = "000000000000"
LOCAL_REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A checkout and the home of its local state."""

    root: Path
    home: Path
    port: int

    @classmethod
    def from_env(cls) -> Project:
        """EARSHOT_HOME (default `.earshot` in the checkout) and EARSHOT_PORT (default 4566)."""
        text = os.environ.get("EARSHOT_PORT", "4566")
        if not text.isdecimal() or not 0 < int(text) < 65536:
            raise BadInput(f"EARSHOT_PORT is '{text}': give a port number from 1 to 65535.")
        home = Path(os.environ.get("EARSHOT_HOME", str(ROOT / ".earshot"))).expanduser().resolve()
        return cls(root=ROOT, home=home, port=int(text))

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data_dir(self) -> Path:
        """State of the local AWS."""
        return self.home / "local"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def build(self) -> Path:
        return self.root / ".build"

    @property
    def cdk(self) -> Path:
        """The pinned CDK command line."""
        path = self.root / "node_modules" / ".bin" / "cdk"
        if not path.exists():
            raise NotReady("The CDK command line is missing: run `make node_modules` (needs Node 20 or newer).")
        return path

    def assembly(self, stage: str) -> Path:
        """Folder of the synthesised templates; each home has its own, so that two of them never write to one folder."""
        return self.home / "cdk.out" / stage

    def python(self, environment: str) -> Path:
        """The interpreter of one of the virtual environments, such as `.venv-local`."""
        path = self.root / environment / "bin" / "python"
        if not path.exists():
            raise NotReady(f"The environment {environment} is missing: run `make {environment}`.")
        return path


def stack_name(stage: str, stack: str) -> str:
    """`stack` is one of data-lake, training, endpoint, intake."""
    return f"earshot-{stage}-{stack}"


STACKS = ("data-lake", "training", "endpoint", "intake", "channels", "alerts", "watch")
