"""What a tool found in a template, told in one form by all of them."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """One rule that one construct of one stage breaks."""

    stage: str
    construct: str
    """Path below the stage."""
    id: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.stage}/{self.construct}: {self.id} {self.detail}".rstrip()

    def is_in(self, construct: str) -> bool:
        """Whether it is about that construct or what is in it; the empty path is the whole stage."""
        return not construct or f"{self.construct}/".startswith(f"{construct}/")


@dataclass(frozen=True)
class Place:
    """Where a logical id of a template comes from."""

    template: Path

    @property
    def stage(self) -> str:
        return self.template.parent.name.removeprefix("assembly-")

    def finding(self, logical_id: str, id_: str, detail: str = "") -> Finding:
        """A finding on a resource; what is not a resource (outputs, conditions) belongs to its stack."""
        stack = self.template.name.removesuffix(".template.json").removeprefix(self.stage)[:-8]
        construct = _constructs(self.template).get(logical_id, stack)
        return Finding(stage=self.stage, construct=construct, id=id_, detail=detail)


@cache
def _constructs(template: Path) -> dict[str, str]:
    """Paths below the stage by logical id, as the assembly's metadata tells them."""
    metadata = json.loads(template.with_name(template.name.replace(".template.", ".metadata.")).read_text())
    return {
        entry["data"]: path.split("/", 2)[2]
        for path, entries in metadata.items()
        for entry in entries
        if entry["type"] == "aws:cdk:logicalId"
    }


def templates(assembly: Path) -> list[Path]:
    """Every template of every stage."""
    return sorted(assembly.glob("assembly-*/*.template.json"))
