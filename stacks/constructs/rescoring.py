"""The role of rescoring: batch transform jobs over texts of the lake, with a registered model.

Knows what such a job reads and writes. Does not know who starts it, nor which model it is: `earshot rescore` does.
"""

from constructs import Construct

from stacks.constructs.lake import MODELS, RESCORING, Lake
from stacks.constructs.sagemaker_role import SageMakerRole
from stacks.constructs.served_model import IMAGE_OF
from stacks.images import framework_image

INPUT = f"{RESCORING}*/input/"
OUTPUT = f"{RESCORING}*/output/"


class Rescoring(Construct):
    def __init__(self, scope: Construct, id_: str, *, lake: Lake) -> None:
        super().__init__(scope, id_)
        self.role_arn = SageMakerRole(
            self,
            "Job",
            description="Runs batch transform jobs that score texts of the lake again",
            logs_to="TransformJobs",
            images=[framework_image(name) for name in sorted(set(IMAGE_OF.values()))],
            statements=[
                *lake.artifacts.reading(MODELS),
                *lake.artifacts.listing(MODELS),
                *lake.data.reading(INPUT),
                *lake.data.listing(INPUT),
                *lake.data.uploading(OUTPUT),
            ],
        ).arn
