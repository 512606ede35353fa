"""Releases an approved model: points the release parameter at its artifacts and updates the Endpoint stack.

CloudFormation stays the only owner of the endpoint: the stack is updated with its previous template and parameters, of
which the one behind the release parameter resolves anew. Called by the release state machine with

- ``{"action": "begin", "model_package_arn"}``: answers ``{"model_package_arn", "release", "previous", "status"}``,
- ``{"action": "check", ...begun}``: answers ``{..., "status": "RUNNING" | "RELEASED" | "FAILED", "reason"}``,
- ``{"action": "undo", ...begun}``: puts the parameter back to ``previous``, where it still names this release.
"""
