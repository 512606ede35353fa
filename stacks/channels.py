"""The Channels stack: the functions that read what was dropped, and those that go and ask.

Composes what the channels declare. Channels with a route are in the Intake stack, beside the API that calls them.
"""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.assets import Assets
from stacks.constructs.channels import ChannelRights, add_dropped, add_scheduled
from stacks.constructs.declared_channels import DeclaredChannels
from stacks.constructs.functions import Functions
from stacks.constructs.operations import Operations
from stacks.constructs.parameter import Parameter
from stacks.constructs.private_network import PrivateNetwork
from stacks.intake import Intake
from stacks.settings import IntakeSettings, PlatformSettings

_NO_SOURCES = '{"version": 1, "sources": []}'


class Channels(Stack):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stack_name: str,
        stage: str,
        settings: IntakeSettings,
        platform: PlatformSettings,
        disposable: bool,
        network: PrivateNetwork | None,
        assets: Assets,
        intake: Intake,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_, stack_name=stack_name, description="Earshot: channels beside the API")
        functions = Functions.of_stack(
            self,
            bundle=assets.lambda_bundle,
            platform=platform,
            disposable=disposable,
            failures=intake.failures,
            network=network,
            position=4,
            operations=operations,
        )
        sources = Parameter(
            self, "Sources", name=f"/earshot/{stage}/sources", what="What the puller asks", value=_NO_SOURCES
        )
        rights = ChannelRights(acceptance=intake.stores.acceptance, desk=intake.stores.desk, sources=sources)
        channels = DeclaredChannels.named(settings.channels)
        for dropped in channels.dropped:
            add_dropped(self, dropped, drop_box=intake.drop_box, functions=functions, rights=rights)
        for scheduled in channels.scheduled:
            minutes = getattr(settings, scheduled.schedule.setting)
            add_scheduled(self, scheduled, minutes=minutes, functions=functions, rights=rights)
        CfnOutput(self, "SourcesOutput", value=sources.name).override_logical_id("Sources")
