"""Rules for ECR: images are scanned, their tags do not move, and old ones go."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import broken, on, one_of, present
from policy.rule import Fault, rule
from policy.template import Template

REPOSITORY = "AWS::ECR::Repository"


@rule(
    id="DATA-80",
    title="Images are scanned when they are pushed",
    why="A known hole in an image is found by a scan, or by somebody else",
    mend="Set ImageScanningConfiguration.ScanOnPush to true",
    controls=("ECR.1",),
)
def images_are_scanned(template: Template) -> Iterator[Fault]:
    return broken(template, REPOSITORY, "ImageScanningConfiguration.ScanOnPush", on)


@rule(
    id="DATA-81",
    title="Tags of images do not move",
    why="Who may push to a tag that is in use changes what runs without a deploy",
    mend="Set ImageTagMutability to IMMUTABLE",
    controls=("ECR.2",),
)
def tags_do_not_move(template: Template) -> Iterator[Fault]:
    return broken(template, REPOSITORY, "ImageTagMutability", one_of("IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"))


@rule(
    id="DATA-82",
    title="Repositories have a lifecycle",
    why="Old images, with old holes, can be started for as long as they are kept",
    mend="Set LifecyclePolicy.LifecyclePolicyText",
    controls=("ECR.3",),
)
def repositories_have_a_lifecycle(template: Template) -> Iterator[Fault]:
    return broken(template, REPOSITORY, "LifecyclePolicy.LifecyclePolicyText", present)
