"""Mutations of delivery: queues, dead letters, mappings, rules, topics, schedules."""

# ruff: noqa: E501 - a table, one mutation to a line

from benchmarks.mutation.mutation import change, delete, having, named_under
from benchmarks.mutation.operators import empty, put, remove, without

QUEUE = "AWS::SQS::Queue"
QUEUE_POLICY = "AWS::SQS::QueuePolicy"
MAPPING = "AWS::Lambda::EventSourceMapping"
TOPIC = "AWS::SNS::Topic"
TOPIC_POLICY = "AWS::SNS::TopicPolicy"
SUBSCRIPTION = "AWS::SNS::Subscription"
RULE = "AWS::Events::Rule"
SCHEDULE = "AWS::Scheduler::Schedule"
STREAMS = having("Properties.StartingPosition")
DEAD_LETTERS = named_under("deadLetterTargetArn", "DeadLetterConfig", "OnFailure")
FIRST = "Properties.PolicyDocument.Statement.0"

DELIVERY = (
    change("queue-key-left-out", QUEUE, "Properties.KmsMasterKeyId", remove, "messages under SQS's key"),
    change("queue-key-of-aws", QUEUE, "Properties.KmsMasterKeyId", put("alias/aws/sqs"), "messages under AWS's key"),
    change("queue-redrive-left-out", QUEUE, "Properties.RedrivePolicy", remove, "poison goes round for ever"),
    change("queue-one-receive", QUEUE, "Properties.RedrivePolicy.maxReceiveCount", put(1), "one hiccup and it is dead"),
    change("queue-visible-soon", QUEUE, "Properties.VisibilityTimeout", put(30), "worked on twice"),
    change("queue-visible-default", QUEUE, "Properties.VisibilityTimeout", remove, "worked on twice"),
    change("dead-letters-short", QUEUE, "Properties.MessageRetentionPeriod", put(60), "gone before anyone looks", DEAD_LETTERS),
    change("dead-letters-default", QUEUE, "Properties.MessageRetentionPeriod", remove, "four days", DEAD_LETTERS),
    delete("queue-policy-deleted", QUEUE_POLICY, "plain text is taken"),
    change("queue-tls-allows", QUEUE_POLICY, f"{FIRST}.Effect", put("Allow"), "plain text is invited"),
    change("queue-tls-condition", QUEUE_POLICY, f"{FIRST}.Condition.Bool", put({"aws:SecureTransport": "true"}), "TLS is refused"),
    change("queue-public", QUEUE_POLICY, FIRST, put({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}), "everyone sends"),
    delete("dead-letters-deleted", QUEUE, "what fails is lost", DEAD_LETTERS),
    change("mapping-no-partial", MAPPING, "Properties.FunctionResponseTypes", remove, "one bad record fails ten"),
    change("mapping-partial-empty", MAPPING, "Properties.FunctionResponseTypes", empty, "one bad record fails ten"),
    change("mapping-no-concurrency", MAPPING, "Properties.ScalingConfig", remove, "takes every function of the account"),
    change("mapping-concurrency-zero", MAPPING, "Properties.ScalingConfig.MaximumConcurrency", remove, "takes every function of the account"),
    change("stream-no-dead-letters", MAPPING, "Properties.DestinationConfig", remove, "what fails is lost"),
    change("stream-never-given-up", MAPPING, "Properties", without("MaximumRetryAttempts", "MaximumRecordAgeInSeconds"), "one bad record stops the shard", STREAMS),
    change("stream-not-bisected", MAPPING, "Properties.BisectBatchOnFunctionError", remove, "one bad record takes its batch along"),
    change("topic-key-left-out", TOPIC, "Properties.KmsMasterKeyId", remove, "alerts are readable"),
    change("topic-tls-allows", TOPIC_POLICY, f"{FIRST}.Effect", put("Allow"), "everyone publishes, without TLS"),
    delete("topic-policy-deleted", TOPIC_POLICY, "plain text is taken"),
    change("topic-public", TOPIC_POLICY, FIRST, put({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sns:Publish", "Resource": "*"}), "everyone publishes"),
    change("subscription-no-dead-letters", SUBSCRIPTION, "Properties.RedrivePolicy", remove, "what is not delivered is lost"),
    change("subscription-plain", SUBSCRIPTION, "Properties.Protocol", put("http"), "alerts in the clear"),
    change("rule-no-dead-letters", RULE, "Properties.Targets.*.DeadLetterConfig", remove, "an event that fails is lost"),
    change("rule-no-retries", RULE, "Properties.Targets.*.RetryPolicy.MaximumRetryAttempts", put(0), "one hiccup and it is lost"),
    change("rule-disabled", RULE, "Properties.State", put("DISABLED"), "nothing is started"),
    change("rule-no-targets", RULE, "Properties.Targets", empty, "an event without effect"),
    change("schedule-no-dead-letters", SCHEDULE, "Properties.Target.DeadLetterConfig", remove, "a run that fails is lost"),
    change("schedule-disabled", SCHEDULE, "Properties.State", put("DISABLED"), "nothing is started"),
)  # fmt: skip
