"""The model registry: packages in versioned groups or by name, their approval, and the event that each change is.

Groups themselves are plain resources. Knows nothing of what is in a package's artifacts.
"""

import threading
import time

from local.sagemaker import listing
from local.sagemaker.errors import AwsError, validation
from local.sagemaker.events import announce
from local.sagemaker.kinds import MODEL_PACKAGE, MODEL_PACKAGE_GROUP
from local.sagemaker.resources import Operations, Records
from local.sagemaker.shapes import Fields
from local.sagemaker.tags import Tags

EVENT = "SageMaker Model Package State Change"
NOT_KEPT = frozenset({"Tags"})
REPLACED_BY_UPDATE = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
)


class Registry:
    """Model packages."""

    def __init__(self, records: Records, tags: Tags) -> None:
        self._records = records
        self._store = records.store
        self._tags = tags
        self._lock = threading.Lock()

    def operations(self) -> Operations:
        """What this part of SageMaker answers."""
        return {
            "CreateModelPackage": self.create,
            "DescribeModelPackage": self.describe,
            "UpdateModelPackage": self.update,
            "DeleteModelPackage": self.delete,
            "ListModelPackages": self.page,
        }

    def create(self, request: Fields) -> Fields:
        """Register a package: the next version of its group, or one by its own name."""
        group, name = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
        if group and name:
            raise validation(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
                "Cannot determine which one to use."
            )
        if not group and not name:
            raise validation("Either ModelPackageName or ModelPackageGroupName must be provided.")
        with self._lock:
            earlier = self._made_with(request.get("ClientToken"))
            if earlier is not None:
                return {"ModelPackageArn": earlier["ModelPackageArn"]}
            record = self._versioned(request, group) if group else self._unversioned(request)
        self._tags.keep(record["ModelPackageArn"], request.get("Tags"))
        self._announce(record, [])
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def describe(self, request: Fields) -> Fields:
        """A package by ARN, or by name where it is not versioned."""
        return self._records.find(MODEL_PACKAGE, request["ModelPackageName"])

    def update(self, request: Fields) -> Fields:
        """Change approval, metadata or what a package says of itself, and tell what has changed."""
        with self._lock:
            record = self._records.find(MODEL_PACKAGE, request["ModelPackageArn"])
            if "ModelApprovalStatus" in request and "ModelPackageVersion" not in record:
                raise validation("ModelApprovalStatus can only be updated for versioned model packages.")
            changes = _changes(record, request)
            updated = self._store.update(MODEL_PACKAGE.kind, _key(record), **changes, LastModifiedTime=time.time())
        self._announce(updated, sorted(changes))
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def delete(self, request: Fields) -> Fields:
        """Forget a package. Its version number is not given again."""
        record = self._records.find(MODEL_PACKAGE, request["ModelPackageName"])
        self._store.delete(MODEL_PACKAGE.kind, _key(record))
        self._tags.forget(record["ModelPackageArn"])
        return {}

    def page(self, request: Fields) -> Fields:
        """One page of packages: of a group, or those without one."""
        packages = self._store.list(MODEL_PACKAGE.kind)
        group = request.get("ModelPackageGroupName")
        if group:
            name = self._records.find(MODEL_PACKAGE_GROUP, group)["ModelPackageGroupName"]
            packages = [package for package in packages if package.get("ModelPackageGroupName") == name]
        else:
            wanted = request.get("ModelPackageType", "Unversioned")
            packages = [
                package
                for package in packages
                if wanted == "Both" or (wanted == "Versioned") == ("ModelPackageVersion" in package)
            ]
        approval = request.get("ModelApprovalStatus")
        if approval:
            packages = [package for package in packages if package.get("ModelApprovalStatus") == approval]
        page = listing.page([{**package, "Key": _key(package)} for package in packages], request, name="Key")
        return {"ModelPackageSummaryList": page.pop("records"), **page}

    def _made_with(self, token: str | None) -> Fields | None:
        packages = self._store.list(MODEL_PACKAGE.kind) if token else []
        return next((package for package in packages if package.get("ClientToken") == token), None)

    def _versioned(self, request: Fields, group_name: str) -> Fields:
        group = self._records.find(MODEL_PACKAGE_GROUP, group_name)
        name = group["ModelPackageGroupName"]
        version = int(group.get("LatestVersion", 0)) + 1
        self._store.update(MODEL_PACKAGE_GROUP.kind, name, LatestVersion=version)
        record = self._new(
            request,
            f"{name}/{version}",
            ModelPackageGroupName=name,
            ModelPackageVersion=version,
            ModelApprovalStatus=request.get("ModelApprovalStatus", "PendingManualApproval"),
        )
        self._store.put(MODEL_PACKAGE.kind, f"{name}/{version}", record)
        return record

    def _unversioned(self, request: Fields) -> Fields:
        name = request["ModelPackageName"]
        if not request.get("InferenceSpecification") and not request.get("SourceAlgorithmSpecification"):
            raise validation("Either InferenceSpecification or SourceAlgorithmSpecification must be provided.")
        if "ModelApprovalStatus" in request:
            raise validation("ModelApprovalStatus does not apply to model packages that are not versioned.")
        record = self._new(request, name)
        if not self._store.add(MODEL_PACKAGE.kind, name, record):
            raise self._records.error(MODEL_PACKAGE.taken, MODEL_PACKAGE, name)
        return record

    def _new(self, request: Fields, key: str, **more: object) -> Fields:
        now = time.time()
        return {
            **{member: value for member, value in request.items() if member not in NOT_KEPT},
            **more,
            "ModelPackageArn": self._records.context.arn(MODEL_PACKAGE.kind, key),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": request.get("CertifyForMarketplace", False),
            "CreationTime": now,
            "LastModifiedTime": now,
        }

    def _announce(self, record: Fields, updated: list[str]) -> None:
        announce(self._records.context, EVENT, "DescribeModelPackage", record, UpdatedModelPackageFields=updated)


def _key(record: Fields) -> str:
    """The name that a package's record is kept under: ``group/version`` or its own."""
    return str(record["ModelPackageArn"].partition(f":{MODEL_PACKAGE.kind}/")[2])


def _changes(record: Fields, request: Fields) -> Fields:
    changes = {member: request[member] for member in REPLACED_BY_UPDATE if member in request}
    removed = request.get("CustomerMetadataPropertiesToRemove", [])
    if removed or "CustomerMetadataProperties" in request:
        merged = {**record.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
        changes["CustomerMetadataProperties"] = {key: value for key, value in merged.items() if key not in removed}
    added = request.get("AdditionalInferenceSpecificationsToAdd", [])
    if added:
        kept = record.get("AdditionalInferenceSpecifications", [])
        names = {specification["Name"] for specification in kept}
        repeated = [specification["Name"] for specification in added if specification["Name"] in names]
        if repeated:
            raise AwsError("ConflictException", f"Inference specification {repeated[0]} already exists.")
        changes["AdditionalInferenceSpecifications"] = [*kept, *added]
    return changes
