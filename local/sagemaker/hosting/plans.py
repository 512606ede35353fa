"""What an endpoint config asks for, resolved to the last container: values that can be stored and hosted again later.

Reads records of models, endpoint configs and model packages; starts nothing and downloads nothing. A plan does not
change when its model or config is deleted, as an endpoint on AWS does not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from local.sagemaker.errors import validation
from local.sagemaker.store import Record, Store

PRIMARY = "primary"


@dataclass(frozen=True, kw_only=True)
class ContainerSource:
    """One container: its image is a name only, as every image is played by the same interpreter."""

    name: str
    image: str
    model_uri: str | None
    environment: Mapping[str, str]
    model_etag: str | None = None


@dataclass(frozen=True, kw_only=True)
class VariantPlan:
    """One production variant. ``direct`` says that a request names the one container it is for."""

    name: str
    weight: float
    instances: int
    direct: bool
    containers: tuple[ContainerSource, ...]


@dataclass(frozen=True, kw_only=True)
class FleetPlan:
    """All that is hosted for one endpoint config. ``capture`` is its DataCaptureConfig.

    ``shadows`` get copies of requests; the weight of one, against the production variant's, is the share of them.
    """

    config_name: str
    variants: tuple[VariantPlan, ...]
    shadows: tuple[VariantPlan, ...] = ()
    capture: Record | None
    asynchronous: Record | None = None
    """The AsyncInferenceConfig, where requests lie in S3 and are answered in their turn."""

    @classmethod
    def of(cls, config_name: str, store: Store, arn: Callable[[str, str], str]) -> "FleetPlan":
        """Resolve a stored config; AwsError as AWS words it where it, or a model of it, does not exist."""
        config = store.get("endpoint-config", config_name)
        if config is None:
            raise validation(f'Could not find endpoint configuration "{arn("endpoint-config", config_name)}".')
        return cls(
            config_name=config_name,
            variants=tuple(_variant(given, store, arn) for given in config["ProductionVariants"]),
            shadows=tuple(_variant(given, store, arn) for given in config.get("ShadowProductionVariants", [])),
            capture=config.get("DataCaptureConfig"),
            asynchronous=config.get("AsyncInferenceConfig"),
        )

    @classmethod
    def of_model(cls, model_name: str, store: Store, arn: Callable[[str, str], str]) -> "FleetPlan":
        """One variant of a stored model, without an endpoint config and without capture."""
        variant = _variant({"VariantName": model_name, "ModelName": model_name}, store, arn)
        return cls(config_name=model_name, variants=(variant,), capture=None)

    @classmethod
    def from_record(cls, record: Record) -> "FleetPlan":
        """The plan that ``to_record`` stored."""

        def variants(member: str) -> tuple[VariantPlan, ...]:
            return tuple(
                VariantPlan(**{**each, "containers": tuple(ContainerSource(**source) for source in each["containers"])})
                for each in record.get(member, [])
            )

        return cls(
            config_name=record["config_name"],
            variants=variants("variants"),
            shadows=variants("shadows"),
            capture=record["capture"],
            asynchronous=record.get("asynchronous"),
        )

    def to_record(self) -> Record:
        """The plan as JSON values."""
        return asdict(self)

    def hosted(self) -> tuple[VariantPlan, ...]:
        """Every variant, shadows included."""
        return (*self.variants, *self.shadows)

    def with_properties_of(self, other: "FleetPlan", *, excluded: set[str]) -> "FleetPlan":
        """This plan with the retained variant properties of ``other``, but for the ``excluded`` types."""
        before = {variant.name: variant for variant in other.hosted()}

        def retained(variant: VariantPlan) -> VariantPlan:
            old = before.get(variant.name)
            if old is None:
                return variant
            return replace(
                variant,
                weight=variant.weight if "DesiredWeight" in excluded else old.weight,
                instances=variant.instances if "DesiredInstanceCount" in excluded else old.instances,
            )

        capture = self.capture if "DataCaptureConfig" in excluded else other.capture
        return replace(self._with_each(retained), capture=capture)

    def with_capacities(self, desired: Mapping[str, Record]) -> "FleetPlan":
        """This plan with other weights and instance counts, by variant name."""

        def changed(variant: VariantPlan) -> VariantPlan:
            wish = desired.get(variant.name, {})
            return replace(
                variant,
                weight=float(wish.get("DesiredWeight", variant.weight)),
                instances=int(wish.get("DesiredInstanceCount", variant.instances)),
            )

        return self._with_each(changed)

    def with_etags(self, etag_of: Callable[[str], str]) -> "FleetPlan":
        """This plan with the version of each model fixed."""

        def fixed(source: ContainerSource) -> ContainerSource:
            if source.model_uri is None or source.model_etag is not None:
                return source
            return replace(source, model_etag=etag_of(source.model_uri))

        return self._with_each(
            lambda variant: replace(variant, containers=tuple(fixed(source) for source in variant.containers))
        )

    def sources(self) -> Iterator[ContainerSource]:
        """All containers of all variants."""
        for variant in self.hosted():
            yield from variant.containers

    def _with_each(self, change: Callable[[VariantPlan], VariantPlan]) -> "FleetPlan":
        return replace(self, variants=tuple(map(change, self.variants)), shadows=tuple(map(change, self.shadows)))


def _variant(given: Record, store: Store, arn: Callable[[str, str], str]) -> VariantPlan:
    model_name = given.get("ModelName")
    model = store.get("model", model_name) if model_name else None
    if model is None:
        raise validation(f'Could not find model "{arn("model", str(model_name))}".')
    definitions = model.get("Containers") or [model["PrimaryContainer"]]
    definitions = [each for definition in definitions for each in _unpackaged(definition, store)]
    if len(definitions) == 1:
        names = [definitions[0].get("ContainerHostname", PRIMARY)]
    else:
        names = [each.get("ContainerHostname", f"container-{index}") for index, each in enumerate(definitions, start=1)]
    return VariantPlan(
        name=given["VariantName"],
        weight=float(given.get("InitialVariantWeight", 1.0)),
        instances=int(given.get("InitialInstanceCount", 1)),
        direct=model.get("InferenceExecutionConfig", {}).get("Mode") == "Direct",
        containers=tuple(_source(name, each) for name, each in zip(names, definitions, strict=True)),
    )


def _unpackaged(definition: Record, store: Store) -> list[Record]:
    """A container that is given as a model package stands for the containers of that package."""
    package_name = definition.get("ModelPackageName")
    if package_name is None:
        return [definition]
    for package in store.list("model-package"):
        if package_name in (package.get("ModelPackageArn"), package.get("ModelPackageName")):
            environment = definition.get("Environment", {})
            containers = package["InferenceSpecification"]["Containers"]
            return [{**each, "Environment": {**each.get("Environment", {}), **environment}} for each in containers]
    raise validation(f'Could not find model package "{package_name}".')


def _source(name: str, definition: Record) -> ContainerSource:
    uri: Any = definition.get("ModelDataUrl")
    source = definition.get("ModelDataSource", {}).get("S3DataSource")
    if uri is None and source is not None:
        if source.get("CompressionType") != "Gzip":
            raise validation("Uncompressed model data is not offered by the local SageMaker: give a model.tar.gz.")
        uri = source["S3Uri"]
    return ContainerSource(
        name=name,
        image=definition.get("Image", ""),
        model_uri=uri,
        environment=dict(definition.get("Environment", {})),
    )
