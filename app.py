"""The CDK app: one stage each for local, dev and prod.

The CDK command line starts it (see cdk.json). It knows the stages and where account and region come from; what a stage
holds is in `stacks/`.
"""

import os
from collections.abc import Mapping

from stacks.launch import prepare_process

prepare_process()

from aws_cdk import App, Environment, Validations  # noqa: E402  the CDK's Node process starts with this import

from stacks.assets import Assets  # noqa: E402
from stacks.settings import LOCAL, STAGES, StageSettings  # noqa: E402
from stacks.stage import EarshotStage  # noqa: E402


def environment_of(settings: StageSettings) -> Environment:
    """The local AWS has one account and region; any other stage goes where the CDK's credentials point."""
    if settings is LOCAL:
        return Environment(account="000000000000", region="us-east-1")
    return Environment(
        account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION", "us-east-1")
    )


def build(
    assets: Assets, *, outdir: str | None = None, context: Mapping[str, object] | None = None, validate: bool = False
) -> App:
    """The whole app, not yet synthesised. The CDK command line supplies the context of cdk.json itself.

    With `validate`, a template that breaks one of our own rules fails the synthesis, where the CDK validates at all.
    """
    app = App(outdir=outdir, context=context)
    if validate:
        from policy.cdk_plugin import EarshotRules

        Validations.of(app).add_plugins(EarshotRules())
    for settings in STAGES:
        EarshotStage(app, settings=settings, assets=assets, env=environment_of(settings))
    return app


if __name__ == "__main__":
    build(Assets.built(), validate=os.environ["CDK_VALIDATION"] != "false").synth()
