"""Mutations of operations: logs, alarms, functions, state machines."""

# ruff: noqa: E501 - a table, one mutation to a line

from benchmarks.mutation.mutation import change, delete, having, holding, unnamed_under
from benchmarks.mutation.operators import empty, flip, put, remove

LOGS = "AWS::Logs::LogGroup"
ALARM = "AWS::CloudWatch::Alarm"
FUNCTION = "AWS::Lambda::Function"
# A rollback alarm acts by turning an update back.
NOT_ROLLBACK = unnamed_under("AutoRollbackConfiguration")
MACHINE = "AWS::StepFunctions::StateMachine"

OPERATIONS = (
    change("logs-for-ever", LOGS, "Properties.RetentionInDays", remove, "kept, and paid for, for ever"),
    change("logs-one-day", LOGS, "Properties.RetentionInDays", put(1), "gone before anyone looks"),
    change("logs-key-left-out", LOGS, "Properties.KmsKeyId", remove, "logs are not under the key"),
    change("alarm-tells-nobody", ALARM, "Properties.AlarmActions", remove, "it goes off unseen", NOT_ROLLBACK),
    change("alarm-tells-empty", ALARM, "Properties.AlarmActions", empty, "it goes off unseen", NOT_ROLLBACK),
    change("alarm-actions-off", ALARM, "Properties.ActionsEnabled", put(False), "it goes off unseen"),
    change("function-key-left-out", FUNCTION, "Properties.KmsKeyArn", remove, "its settings are not under the key", having("Properties.Environment")),
    change("function-runtime-old", FUNCTION, "Properties.Runtime", put("python3.8"), "no patches"),
    change("function-log-group-left-out", FUNCTION, "Properties.LoggingConfig", remove, "logs of its own, kept for ever"),
    change("machine-no-logs", MACHINE, "Properties.LoggingConfiguration", remove, "a failed run leaves no trace"),
    change("machine-logs-off", MACHINE, "Properties.LoggingConfiguration.Level", put("OFF"), "a failed run leaves no trace"),
    change("machine-logs-data", MACHINE, "Properties.LoggingConfiguration.IncludeExecutionData", put(True), "feedback in the logs"),
    change("machine-no-destination", MACHINE, "Properties.LoggingConfiguration.Destinations", empty, "a failed run leaves no trace"),
    change("machine-no-tracing", MACHINE, "Properties.TracingConfiguration.Enabled", flip, "a slow run cannot be followed"),
    delete("alarm-deleted", ALARM, "nobody is told", NOT_ROLLBACK),
    delete("error-alarm-deleted", ALARM, "nothing turns a bad update back", holding("Properties.MetricName", "Invocation5XXErrors")),
)  # fmt: skip
