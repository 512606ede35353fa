"""Addresses of AWS's own images, from a pinned table: frameworks, built-in algorithms, Clarify and Spark.

Knows `stacks/images.json` and how an address is put together. The table is written by `stacks/generate_images.py` from
the SageMaker SDK's own data; this module does not know the SDK, which takes seconds to import.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

TABLE = Path(__file__).with_name("images.json")

ImageName = Literal["sklearn-serving", "huggingface-serving", "huggingface-training", "blazingtext", "clarify", "spark"]


@dataclass(frozen=True, kw_only=True)
class FrameworkImage:
    """One image in the account of each region."""

    repository: str
    tag: str
    python: str
    """Empty where the image runs no code of ours."""
    accounts: dict[str, str]

    def address(self, region: str) -> str:
        """The image's address in the region; ValueError where AWS does not offer it."""
        account = self.accounts.get(region)
        if account is None:
            raise ValueError(f"AWS does not offer {self.repository}:{self.tag} in {region}")
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return f"{account}.dkr.ecr.{region}.{suffix}/{self.repository}:{self.tag}"


def framework_image(name: ImageName) -> FrameworkImage:
    """The pinned image of that name."""
    return FrameworkImage(**json.loads(TABLE.read_text(encoding="utf-8"))["images"][name])
