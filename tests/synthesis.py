"""The synthesised app, once for all tests of a session: the real app over small stand-ins for the built bundles."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stacks.assets import CONTAINERS, Assets
from stacks.launch import QUICK_SYNTH, ROOT

if TYPE_CHECKING:
    from aws_cdk import App

Resource = dict[str, Any]
Template = dict[str, Any]

STAGES = ("local", "dev", "prod")
STACKS = ("DataLake", "Training", "Endpoint", "Intake", "Channels", "Alerts", "Watch")


def stand_in_assets(folder: Path) -> Assets:
    """Files in the places of what `make build` makes; their content is not looked at by synth."""
    bundle = folder / "lambda"
    bundle.mkdir(parents=True)
    (bundle / "handler.py").write_text("# stands for the bundle\n", encoding="utf-8")
    starter = folder / "starter"
    archives = [folder / "jobs" / "sourcedir.tar.gz", folder / "serving" / "serving.tar.gz"]
    archives += [starter / f"{container}.tar.gz" for container in CONTAINERS]
    for archive in archives:
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.write_bytes(f"stands for {archive.name}\n".encode())
    return Assets(lambda_bundle=bundle, jobs=archives[0], serving=archives[1], starter=starter)


def synthesise(assets: Assets, outdir: Path, *, validate: bool) -> Path:
    """Synthesise every stage as the CDK command line would, without it; the folder of the cloud assembly."""
    synthesised_app(assets, outdir, validate=validate)
    return outdir


def synthesised_app(assets: Assets, outdir: Path, *, validate: bool) -> "App":
    """The same; the app, whose construct tree rules can still be held against."""
    with _environment({"CDK_DEFAULT_ACCOUNT": "000000000000", "CDK_DEFAULT_REGION": "eu-west-1"}):
        # `validate` is decided before the CDK's Node process starts, and that is when `app` is imported.
        if "aws_cdk" not in sys.modules:
            os.environ.update(QUICK_SYNTH | ({"CDK_VALIDATION": "true"} if validate else {}))
        from app import build

        context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
        app = build(assets, outdir=str(outdir), context=context)
        app.synth()
    return app


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


@dataclass(frozen=True)
class Assembly:
    """Templates of a cloud assembly by stage and stack."""

    folder: Path

    @cached_property
    def templates(self) -> dict[tuple[str, str], Template]:
        found = {}
        for stage in STAGES:
            for path in sorted((self.folder / f"assembly-{stage}").glob("*.template.json")):
                (stack,) = [name for name in STACKS if path.name.startswith(f"{stage}{name}")]
                found[stage, stack] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def template(self, stage: str, stack: str) -> Template:
        return self.templates[stage, stack]

    def resources(self, stage: str, type_: str, *, stack: str | None = None) -> dict[str, Resource]:
        """Resources of one type in a stage, by logical id; by `Stack.id` where an earlier stack has the same id."""
        found: dict[str, Resource] = {}
        for (in_stage, in_stack), template in self.templates.items():
            if in_stage == stage and stack in (None, in_stack):
                for logical_id, resource in template["Resources"].items():
                    if resource["Type"] == type_:
                        found[f"{in_stack}.{logical_id}" if logical_id in found else logical_id] = resource
        return found

    def resource(self, stage: str, type_: str, *, stack: str | None = None) -> Resource:
        """The only resource of its type."""
        (resource,) = self.resources(stage, type_, stack=stack).values()
        return resource


def function_of(resource: Resource) -> str | None:
    """The package of a Lambda function of ours, None for the CDK's own."""
    handler: str = resource["Properties"]["Handler"]
    return handler.removeprefix("lambdas.").removesuffix(".handler.handle") if handler.startswith("lambdas.") else None
