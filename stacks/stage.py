"""One stage of Earshot: its stacks and what passes between them, one way.

Knows the order data -> training -> endpoint -> intake -> channels, alerts and watch. Does not know what a stack holds,
nor where a stage's values come from.
"""

from aws_cdk import Environment, Stage, Tags
from constructs import Construct

from stacks.acknowledgements import acknowledge_settings
from stacks.alerts import Alerts
from stacks.assets import Assets
from stacks.channels import Channels
from stacks.data_lake import DataLake
from stacks.endpoint import Endpoint
from stacks.intake import Intake
from stacks.settings import StageSettings
from stacks.training import Training
from stacks.watch import Watch


class EarshotStage(Stage):
    def __init__(self, scope: Construct, *, settings: StageSettings, assets: Assets, env: Environment) -> None:
        super().__init__(scope, settings.name, env=env)
        prefix = f"earshot-{settings.name}"
        self.data_lake = DataLake(
            self,
            "DataLake",
            stack_name=f"{prefix}-data-lake",
            name=prefix,
            settings=settings.data_lake,
            platform=settings.platform,
            disposable=settings.disposable,
            called_by_some=_called_by_some(settings),
        )
        self.training = Training(
            self,
            "Training",
            stack_name=f"{prefix}-training",
            name=prefix,
            stage=settings.name,
            settings=settings.training,
            served_on=settings.endpoint.instance_type,
            platform=settings.platform,
            disposable=settings.disposable,
            network=self.data_lake.network,
            assets=assets,
            lake=self.data_lake.lake,
            crawler=self.data_lake.catalog.crawler,
            operations=self.data_lake.operations,
        )
        self.endpoint = Endpoint(
            self,
            "Endpoint",
            stack_name=f"{prefix}-endpoint",
            name=prefix,
            settings=settings.endpoint,
            platform=settings.platform,
            disposable=settings.disposable,
            network=self.data_lake.network,
            assets=assets,
            lake=self.data_lake.lake,
            released_model=self.training.released_model,
            registry=self.training.registry,
            operations=self.data_lake.operations,
        )
        self.intake = Intake(
            self,
            "Intake",
            stack_name=f"{prefix}-intake",
            name=prefix,
            stage=settings.name,
            settings=settings.intake,
            platform=settings.platform,
            disposable=settings.disposable,
            network=self.data_lake.network,
            assets=assets,
            lake=self.data_lake.lake,
            endpoint=self.endpoint.endpoint,
            operations=self.data_lake.operations,
        )
        self.channels = Channels(
            self,
            "Channels",
            stack_name=f"{prefix}-channels",
            stage=settings.name,
            settings=settings.intake,
            platform=settings.platform,
            disposable=settings.disposable,
            network=self.data_lake.network,
            assets=assets,
            intake=self.intake,
            operations=self.data_lake.operations,
        )
        self.alerts = Alerts(
            self,
            "Alerts",
            stack_name=f"{prefix}-alerts",
            stage=settings.name,
            platform=settings.platform,
            disposable=settings.disposable,
            network=self.data_lake.network,
            assets=assets,
            lake=self.data_lake.lake,
            endpoint=self.endpoint.endpoint,
            intake=self.intake,
            operations=self.data_lake.operations,
        )
        self.watch = Watch(
            self,
            "Watch",
            stack_name=f"{prefix}-watch",
            settings=settings.intake,
            platform=settings.platform,
            disposable=settings.disposable,
            network=self.data_lake.network,
            assets=assets,
            intake=self.intake,
            operations=self.data_lake.operations,
        )
        acknowledge_settings(
            settings,
            data_lake=self.data_lake,
            training=self.training,
            endpoint=self.endpoint,
            intake=self.intake,
            later=(self.channels, self.alerts, self.watch),
        )
        Tags.of(self).add("project", "earshot")
        Tags.of(self).add("stage", settings.name)


def _called_by_some(settings: StageSettings) -> tuple[str, ...]:
    """Services that functions call only where the settings say so."""
    transcribes, translates = "calls" in settings.intake.channels, settings.intake.translate
    return (*(("transcribe",) if transcribes else ()), *(("translate",) if translates else ()))
