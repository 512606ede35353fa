"""The pinned table of framework images against the SageMaker SDK's own data.

`sdk_image_uris/` is the part of that data which our images come from, as sagemaker-core has it (Clarify's as
sagemaker-python-sdk had it last). Where the SDK itself is installed, the table is compared with that as well.
"""

import json
from pathlib import Path

import pytest

from stacks.generate_images import generate, installed_data
from stacks.images import TABLE, framework_image

EXTRACT = Path(__file__).with_name("sdk_image_uris")
FRAMEWORKS = ("sklearn-serving", "huggingface-serving", "huggingface-training")
PROGRAMS = ("blazingtext", "clarify", "spark")


def test_the_table_is_what_the_sdks_data_says() -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    version = table["source"].removeprefix("sagemaker-core ")
    assert generate(EXTRACT, version) == table


@pytest.mark.skipif(installed_data() is None, reason="sagemaker-core is not installed in this environment")
def test_the_table_is_what_the_installed_sdk_says() -> None:
    data = installed_data()
    assert data is not None
    assert generate(data, "")["images"] == json.loads(TABLE.read_text(encoding="utf-8"))["images"]


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_images_are_pinned_and_run_the_python_that_wheels_are_bundled_for(name: str) -> None:
    image = framework_image(name)  # type: ignore[arg-type]
    assert image.tag
    assert "latest" not in image.tag
    assert image.python == "3.12"
    assert len(image.accounts) > 20


@pytest.mark.parametrize("name", PROGRAMS)
def test_images_of_aws_own_programs_are_pinned_and_offered_where_the_frameworks_are_in_use(name: str) -> None:
    image = framework_image(name)  # type: ignore[arg-type]
    assert image.tag
    assert "latest" not in image.tag
    assert {"us-east-1", "eu-west-1", "eu-central-1", "ap-northeast-1"} <= set(image.accounts)


def test_the_addresses_of_aws_own_programs_are_those_that_its_documentation_names() -> None:
    expected = {
        "blazingtext": "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1",
        "clarify": "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0",
        "spark": "173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py312-v1.4",
    }
    for name, address in expected.items():
        assert framework_image(name).address("us-east-1") == address  # type: ignore[arg-type]


def test_addresses_are_those_of_the_region() -> None:
    image = framework_image("huggingface-serving")
    expected = f"{image.accounts['eu-west-1']}.dkr.ecr.eu-west-1.amazonaws.com/{image.repository}:{image.tag}"
    assert image.address("eu-west-1") == expected


def test_a_region_without_the_image_is_named() -> None:
    with pytest.raises(ValueError, match=r"does not offer .* in mars-north-1"):
        framework_image("sklearn-serving").address("mars-north-1")
