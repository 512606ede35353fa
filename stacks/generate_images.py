"""Writes `stacks/images.json` from the data that the SageMaker SDK resolves image addresses with.

    python -m venv /tmp/sdk && /tmp/sdk/bin/pip install --no-deps sagemaker-core
    /tmp/sdk/bin/python -m stacks.generate_images

Knows the layout of the SDK's `image_uri_config` files, which are read as JSON: the SDK itself is never imported. Does
not know who uses the images.
"""

import importlib.metadata
import importlib.util
import json
from pathlib import Path
from typing import Any

from stacks.images import TABLE

PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")

# Chosen by hand, so that an SDK update never changes an image unseen. Each is the newest of its kind whose Python is
# known: the SDK lists scikit-learn 1.9-0 too, but neither it nor AWS's repository says which Python that image has.
SKLEARN_VERSION, SKLEARN_PYTHON = "1.4-2-py312", "3.12"
HUGGINGFACE_SERVING = ("5.5.3", "pytorch2.6.0")
HUGGINGFACE_TRAINING = ("5.3.0", "pytorch2.9.0")
BLAZINGTEXT_VERSION = "1"
CLARIFY_VERSION = "1.0"
# The SDK lists Spark and Python; the build at the end is AWS's, so that the tag stays on one image.
# https://github.com/aws/sagemaker-spark-container/blob/master/available_images.md
SPARK_VERSION, SPARK_PYTHON, SPARK_BUILD = "3.5", "py312", "v1.4"


def generate(data: Path, sdk_version: str) -> dict[str, Any]:
    """The table as it belongs into images.json, from a folder of the SDK's image_uri_config files."""
    sklearn = _read(data / "sklearn.json")["inference"]["versions"][SKLEARN_VERSION]
    huggingface = _read(data / "huggingface.json")
    blazingtext = _read(data / "blazingtext.json")["versions"][BLAZINGTEXT_VERSION]
    clarify = _read(data / "clarify.json")["processing"]["versions"][CLARIFY_VERSION]
    return {
        "source": f"sagemaker-core {sdk_version}",
        "images": {
            "sklearn-serving": {
                "repository": sklearn["repository"],
                "tag": f"{SKLEARN_VERSION}-cpu-py3",
                "python": SKLEARN_PYTHON,
                "accounts": _accounts(sklearn),
            },
            "huggingface-serving": _huggingface(huggingface["inference"], *HUGGINGFACE_SERVING, processor="cpu"),
            "huggingface-training": _huggingface(huggingface["training"], *HUGGINGFACE_TRAINING, processor="gpu"),
            "blazingtext": _own_program(blazingtext, tag=BLAZINGTEXT_VERSION),
            "clarify": _own_program(clarify, tag=CLARIFY_VERSION),
            "spark": _spark(_read(data / "spark.json")["processing"]),
        },
    }


def _own_program(image: dict[str, Any], *, tag: str) -> dict[str, Any]:
    """An image that runs AWS's program and no code of ours, so that its Python is nobody's business."""
    return {"repository": image["repository"], "tag": tag, "python": "", "accounts": _accounts(image)}


def _spark(scope: dict[str, Any]) -> dict[str, Any]:
    image = scope["versions"][SPARK_VERSION]
    (processor,) = scope["processors"]
    if SPARK_PYTHON not in image["py_versions"]:
        raise ValueError(f"the SDK lists no Spark {SPARK_VERSION} with {SPARK_PYTHON}")
    return {
        "repository": image["repository"],
        "tag": "-".join((SPARK_VERSION, processor, SPARK_PYTHON, SPARK_BUILD)),
        "python": f"3.{SPARK_PYTHON.removeprefix('py3')}",
        "accounts": _accounts(image),
    }


def _huggingface(scope: dict[str, Any], transformers: str, framework: str, *, processor: str) -> dict[str, Any]:
    image = scope["versions"][transformers][framework]
    (python,) = image["py_versions"]
    pytorch = framework.removeprefix("pytorch")
    return {
        "repository": image["repository"],
        "tag": "-".join(
            (pytorch, f"transformers{transformers}", processor, python, image["container_version"][processor])
        ),
        "python": f"3.{python.removeprefix('py3')}",
        "accounts": _accounts(image),
    }


def _accounts(image: dict[str, Any]) -> dict[str, str]:
    """Account by region. Isolated and government partitions are left out: nobody has deployed this product there."""
    return {
        region: account for region, account in sorted(image["registries"].items()) if not region.startswith(PARTITIONS)
    }


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def installed_data() -> Path | None:
    """The SDK's data in this environment, or None where the SDK is not installed. Imports nothing of it."""
    spec = importlib.util.find_spec("sagemaker")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        data = Path(location) / "core" / "image_uri_config"
        if data.is_dir():
            return data
    return None


def main() -> None:
    data = installed_data()
    if data is None:
        raise SystemExit("sagemaker-core is not installed here: see the top of stacks/generate_images.py")
    table = generate(data, importlib.metadata.version("sagemaker-core"))
    TABLE.write_text(json.dumps(table, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{TABLE} written from {table['source']}")


if __name__ == "__main__":
    main()
