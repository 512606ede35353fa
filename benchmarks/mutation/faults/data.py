"""Mutations of data at rest: retention, buckets, tables, keys, queries, the catalog, streams, secrets, registries."""

# ruff: noqa: E501 - a table, one mutation to a line

from benchmarks.mutation.mutation import change, delete, holding
from benchmarks.mutation.operators import empty, flip, put, remove, replace

BUCKET = "AWS::S3::Bucket"
BUCKET_POLICY = "AWS::S3::BucketPolicy"
TABLE = "AWS::DynamoDB::Table"
KEY = "AWS::KMS::Key"
GROUP = "AWS::Athena::WorkGroup"
CRAWLER = "AWS::Glue::Crawler"
SETTINGS = "AWS::Glue::DataCatalogEncryptionSettings"
SECURITY = "AWS::Glue::SecurityConfiguration"
DATABASE = "AWS::Glue::Database"
DELIVERY = "AWS::KinesisFirehose::DeliveryStream"
STREAM = "AWS::Kinesis::Stream"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type of resource
REPOSITORY = "AWS::ECR::Repository"

BLOCK = "Properties.PublicAccessBlockConfiguration"
DEFAULT = "Properties.BucketEncryption.ServerSideEncryptionConfiguration.*.ServerSideEncryptionByDefault"
UNDER_KMS = holding(f"{DEFAULT}.SSEAlgorithm", "aws:kms")
DENY = "Properties.PolicyDocument.Statement.*"
WORK = "Properties.WorkGroupConfiguration"
CATALOG = "Properties.DataCatalogEncryptionSettings"
TO_S3 = "Properties.ExtendedS3DestinationConfiguration"
# The statement that refuses plain text, among others.
PLAIN = f"{DENY}.Condition.Bool"

RETAINED = (
    ("bucket", BUCKET),
    ("table", TABLE),
    ("key", KEY),
    ("catalog", DATABASE),
    ("secret", SECRET),
    ("repository", REPOSITORY),
)
SAID = ("queue", "AWS::SQS::Queue"), ("log-group", "AWS::Logs::LogGroup")

DATA = (
    # ---- retention ---------------------------------------------------------------------------------------------------
    *(change(f"{name}-deleted-with-stack", type_, "DeletionPolicy", put("Delete"), "gone with the stack") for name, type_ in RETAINED),
    *(change(f"{name}-deletion-unsaid", type_, "DeletionPolicy", remove, "the default is to delete") for name, type_ in RETAINED + SAID),
    *(change(f"{name}-deleted-on-replacement", type_, "UpdateReplacePolicy", put("Delete"), "gone with a renamed property") for name, type_ in RETAINED),
    *(change(f"{name}-replacement-unsaid", type_, "UpdateReplacePolicy", remove, "the default is to delete") for name, type_ in RETAINED + SAID),
    # ---- buckets -----------------------------------------------------------------------------------------------------
    change("bucket-block-left-out", BUCKET, BLOCK, remove, "nothing blocks public access"),
    change("bucket-block-acls", BUCKET, f"{BLOCK}.BlockPublicAcls", flip, "public ACLs are taken"),
    change("bucket-block-policy", BUCKET, f"{BLOCK}.BlockPublicPolicy", flip, "public policies are taken"),
    change("bucket-ignore-acls", BUCKET, f"{BLOCK}.IgnorePublicAcls", flip, "public ACLs count"),
    change("bucket-restrict", BUCKET, f"{BLOCK}.RestrictPublicBuckets", remove, "public policies count"),
    change("bucket-encryption-left-out", BUCKET, "Properties.BucketEncryption", remove, "under S3's own key"),
    change("bucket-own-key-left-out", BUCKET, f"{DEFAULT}.KMSMasterKeyID", remove, "under AWS's key"),
    change("bucket-key-of-aws", BUCKET, f"{DEFAULT}.KMSMasterKeyID", put("alias/aws/s3"), "under AWS's key"),
    change("bucket-s3-key", BUCKET, DEFAULT, put({"SSEAlgorithm": "AES256"}), "under S3's own key", UNDER_KMS),
    change("bucket-versions-left-out", BUCKET, "Properties.VersioningConfiguration", remove, "what is overwritten is gone", UNDER_KMS),
    change("bucket-versions-suspended", BUCKET, "Properties.VersioningConfiguration.Status", put("Suspended"), "what is overwritten is gone"),
    change("bucket-logs-left-out", BUCKET, "Properties.LoggingConfiguration", remove, "nobody knows who read", UNDER_KMS),
    change("bucket-lifecycle-left-out", BUCKET, "Properties.LifecycleConfiguration", remove, "kept for ever"),
    change("bucket-lifecycle-empty", BUCKET, "Properties.LifecycleConfiguration.Rules", empty, "kept for ever"),
    change("bucket-writer-owns", BUCKET, "Properties.OwnershipControls.Rules.*.ObjectOwnership", put("ObjectWriter"), "ACLs are back"),
    delete("bucket-policy-deleted", BUCKET_POLICY, "plain text is taken"),
    change("bucket-tls-statement-removed", BUCKET_POLICY, "Properties.PolicyDocument.Statement.0", remove, "plain text is taken"),
    change("bucket-tls-allows", BUCKET_POLICY, "Properties.PolicyDocument.Statement.0.Effect", put("Allow"), "plain text is invited"),
    change("bucket-tls-turned", BUCKET_POLICY, f"{PLAIN}.aws:SecureTransport", put("true"), "TLS is refused, plain text taken"),
    change("bucket-tls-gets-only", BUCKET_POLICY, "Properties.PolicyDocument.Statement.0.Action", put("s3:GetObject"), "plain writes are taken"),
    change("bucket-tls-no-objects", BUCKET_POLICY, "Properties.PolicyDocument.Statement.0.Resource.1", remove, "plain reads of objects are taken"),
    change("bucket-tls-one-person", BUCKET_POLICY, "Properties.PolicyDocument.Statement.0.Principal", put({"AWS": "arn:aws:iam::000000000000:user/one"}), "all others may come without"),
    change("bucket-public-policy", BUCKET_POLICY, "Properties.PolicyDocument.Statement.0", put({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}), "open to everyone"),
    # ---- tables ------------------------------------------------------------------------------------------------------
    change("table-recovery-off", TABLE, "Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", flip, "no way back"),
    change("table-recovery-left-out", TABLE, "Properties.PointInTimeRecoverySpecification", remove, "no way back"),
    change("table-protection-off", TABLE, "Properties.DeletionProtectionEnabled", flip, "one click deletes it"),
    change("table-protection-left-out", TABLE, "Properties.DeletionProtectionEnabled", remove, "one click deletes it"),
    change("table-encryption-left-out", TABLE, "Properties.SSESpecification", remove, "under DynamoDB's key"),
    change("table-encryption-off", TABLE, "Properties.SSESpecification.SSEEnabled", flip, "under DynamoDB's key"),
    change("table-own-key-left-out", TABLE, "Properties.SSESpecification.KMSMasterKeyId", remove, "under AWS's key"),
    change("table-fixed-capacity", TABLE, "Properties.BillingMode", put("PROVISIONED"), "refuses the peak"),
    change("table-never-expires", TABLE, "Properties.TimeToLiveSpecification.Enabled", flip, "kept for ever"),
    # ---- keys --------------------------------------------------------------------------------------------------------
    change("key-rotation-off", KEY, "Properties.EnableKeyRotation", flip, "one key for ever"),
    change("key-rotation-left-out", KEY, "Properties.EnableKeyRotation", remove, "the default is no rotation"),
    change("key-window-short", KEY, "Properties.PendingWindowInDays", put(7), "a week to notice"),
    change("key-public", KEY, "Properties.KeyPolicy.Statement.0.Principal", put({"AWS": "*"}), "everyone administers the key"),
    change("key-conditions-removed", KEY, "Properties.KeyPolicy.Statement.1", put({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}), "everyone decrypts"),
    # ---- queries and catalog -----------------------------------------------------------------------------------------
    change("queries-unenforced", GROUP, f"{WORK}.EnforceWorkGroupConfiguration", flip, "clients decide"),
    change("queries-unenforced-default", GROUP, f"{WORK}.EnforceWorkGroupConfiguration", remove, "nobody says so"),
    change("results-encryption-left-out", GROUP, f"{WORK}.ResultConfiguration.EncryptionConfiguration", remove, "plain copies of the data"),
    change("results-under-s3-key", GROUP, f"{WORK}.ResultConfiguration.EncryptionConfiguration", put({"EncryptionOption": "SSE_S3"}), "under S3's own key"),
    change("results-key-left-out", GROUP, f"{WORK}.ResultConfiguration.EncryptionConfiguration.KmsKey", remove, "no key"),
    change("queries-unbounded", GROUP, f"{WORK}.BytesScannedCutoffPerQuery", remove, "one query scans the lake"),
    change("queries-unmeasured", GROUP, f"{WORK}.PublishCloudWatchMetricsEnabled", flip, "no alarm sees them"),
    change("work-group-unconfigured", GROUP, WORK, remove, "none of all that"),
    change("crawler-unsecured", CRAWLER, "Properties.CrawlerSecurityConfiguration", remove, "its logs are not under the key"),
    delete("catalog-encryption-deleted", SETTINGS, "the catalog is not under the key"),
    change("catalog-encryption-off", SETTINGS, f"{CATALOG}.EncryptionAtRest.CatalogEncryptionMode", put("DISABLED"), "the catalog is not under the key"),
    change("catalog-passwords-plain", SETTINGS, f"{CATALOG}.ConnectionPasswordEncryption.ReturnConnectionPasswordEncrypted", flip, "passwords are readable"),
    change("glue-s3-plain", SECURITY, "Properties.EncryptionConfiguration.S3Encryptions", remove, "output not under the key"),
    change("glue-logs-plain", SECURITY, "Properties.EncryptionConfiguration.CloudWatchEncryption.CloudWatchEncryptionMode", put("DISABLED"), "logs not under the key"),
    # ---- streams, secrets, registries: in the other templates -----------------------------------------------------------
    change("stream-plain", STREAM, "Properties.StreamEncryption", remove, "records are readable"),
    change("stream-short", STREAM, "Properties.RetentionPeriodHours", put(24), "a long weekend loses records"),
    change("delivery-encryption-left-out", DELIVERY, "Properties.DeliveryStreamEncryptionConfigurationInput", remove, "what waits is readable"),
    change("delivery-error-prefix", DELIVERY, f"{TO_S3}.ErrorOutputPrefix", remove, "errors lie among the data"),
    change("delivery-logs-off", DELIVERY, f"{TO_S3}.CloudWatchLoggingOptions.Enabled", flip, "nobody is told"),
    change("delivery-logs-left-out", DELIVERY, f"{TO_S3}.CloudWatchLoggingOptions", remove, "nobody is told"),
    change("delivery-key-left-out", DELIVERY, f"{TO_S3}.EncryptionConfiguration", remove, "under S3's own key"),
    delete("rotation-deleted", "AWS::SecretsManager::RotationSchedule", "one secret for ever"),
    change("rotation-slow", "AWS::SecretsManager::RotationSchedule", "Properties.RotationRules.AutomaticallyAfterDays", put(365), "one secret for a year"),
    change("images-unscanned", REPOSITORY, "Properties.ImageScanningConfiguration.ScanOnPush", flip, "known holes stay"),
    change("tags-mutable", REPOSITORY, "Properties.ImageTagMutability", put("MUTABLE"), "a push changes what runs"),
    change("images-for-ever", REPOSITORY, "Properties.LifecyclePolicy", remove, "old holes can be started"),
    change("key-arn-of-aws", TABLE, "Properties.SSESpecification.KMSMasterKeyId", put("arn:aws:kms:eu-west-1:000000000000:alias/aws/dynamodb"), "under AWS's key"),
    change("bucket-tls-typo", BUCKET_POLICY, "Properties.PolicyDocument.Statement.0.Condition", replace("aws:SecureTransport", "aws:SecureTransfer"), "a condition that never holds"),
)  # fmt: skip
