"""OpenVINO without its telemetry: what jobs and containers do here is reported to nobody.

Importing `openvino` sends an event to its makers where `openvino_telemetry` is installed, as it is beside NNCF. Without
that package both go on in silence, so it is made unimportable first.
"""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino  # noqa: E402

__all__ = ["openvino"]
