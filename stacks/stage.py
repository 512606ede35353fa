"""One stage of Earshot: its four stacks and what passes between them, one way.

Knows the order data -> training -> endpoint -> intake. Does not know what a stack holds, nor where a stage's values
come from.
"""

from aws_cdk import Environment, Stage, Tags
from constructs import Construct

from stacks.acknowledgements import acknowledge_settings
from stacks.assets import Assets
from stacks.data_lake import DataLake
from stacks.endpoint import Endpoint
from stacks.intake import Intake
from stacks.settings import StageSettings
from stacks.training import Training


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
            settings=settings.intake,
            platform=settings.platform,
            disposable=settings.disposable,
            network=self.data_lake.network,
            assets=assets,
            lake=self.data_lake.lake,
            endpoint=self.endpoint.endpoint,
            operations=self.data_lake.operations,
        )
        acknowledge_settings(
            settings, data_lake=self.data_lake, training=self.training, endpoint=self.endpoint, intake=self.intake
        )
        Tags.of(self).add("project", "earshot")
        Tags.of(self).add("stage", settings.name)
