"""The built bundles that the stacks deploy, by path.

Knows where `python -m bundles` puts them and says plainly when they are missing. Does not build anything and does not
know the CDK.
"""

from dataclasses import dataclass
from pathlib import Path

from stacks.launch import ROOT

CONTAINERS = ("transform", "classify", "label")


class AssetsMissing(SystemExit):
    """The bundles were not built; ends synth with one plain line."""


@dataclass(frozen=True, kw_only=True)
class Assets:
    """Paths of the Lambda bundle (a folder), the code archives and the starter model's artifacts."""

    lambda_bundle: Path
    jobs: Path
    serving: Path
    starter: Path

    @classmethod
    def built(cls, build: Path = ROOT / ".build") -> "Assets":
        """What `make build` left, or AssetsMissing naming what it did not."""
        assets = cls(
            lambda_bundle=build / "lambda",
            jobs=build / "jobs" / "sourcedir.tar.gz",
            serving=build / "serving" / "serving.tar.gz",
            starter=build / "starter",
        )
        wanted = (assets.lambda_bundle, assets.jobs, assets.serving, *map(assets.starter_artifact, CONTAINERS))
        missing = [str(path) for path in wanted if not path.exists()]
        if missing:
            raise AssetsMissing(f"Not built yet: {', '.join(missing)}. Run `make build` first.")
        return assets

    def starter_artifact(self, container: str) -> Path:
        """The starter model's artifact of one container."""
        return self.starter / f"{container}.tar.gz"
