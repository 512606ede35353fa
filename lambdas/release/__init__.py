"""Changes which models are served: writes SSM parameters that the Endpoint stack reads, and updates that stack.

CloudFormation stays the only owner of the endpoint: the stack is updated with its previous template and parameters, of
which the ones behind SSM resolve anew. Called by the release state machine with

- ``{"action": "inspect", "mode", "model_package_arn"?, "share"?}``: checks all that can be checked before anything is
  changed; answers ``{"mode", "release", "share"}``,
- ``{"action": "begin", ...inspected}``: answers ``{..., "previous", "status"}``,
- ``{"action": "check", ...begun}``: answers ``{..., "status": "RUNNING" | "RELEASED" | "FAILED", "reason"}``,
- ``{"action": "undo", ...begun}``: puts the parameter back to ``previous``, where it still names this release,
- ``{"action": "take_back", ...begun}``: serves ``previous`` again after the update was complete,
- ``{"action": "reject", "model_package_arn", "reason"}``: takes the approval of a bad model back.

Modes: ``release`` (a canary with alarms, the default), ``rollback`` (to an approved package, or the starter where none
is given; at once and without alarms, which ring already), ``beside`` (a second production variant that gets ``share``
of the traffic, 0 for none; its model may wait for approval), ``alone`` (no second variant any more).
"""
