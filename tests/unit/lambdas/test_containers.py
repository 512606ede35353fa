import pytest

from lambdas.containers import ForeignArtifactsError, artifact_uris, release_prefix

PREFIX = "s3://artifacts/models/r1/"


def test_a_release_is_its_prefix_and_back():
    uris = artifact_uris(PREFIX)
    assert list(uris) == ["transform", "classify", "label"]
    assert uris["classify"] == "s3://artifacts/models/r1/classify.tar.gz"
    assert release_prefix(list(uris.values())) == PREFIX


@pytest.mark.parametrize(
    "uris",
    [
        [],
        ["s3://artifacts/models/r1/transform.tar.gz"],
        list(reversed(artifact_uris(PREFIX).values())),
        [*list(artifact_uris(PREFIX).values())[:2], "s3://artifacts/models/r2/label.tar.gz"],
        [uri.replace("s3", "https") for uri in artifact_uris(PREFIX).values()],
    ],
)
def test_other_artifacts_are_not_a_release(uris):
    with pytest.raises(ForeignArtifactsError):
        release_prefix(uris)


@pytest.mark.parametrize("prefix", ["models/r1/", "s3://artifacts/models/r1", ""])
def test_a_prefix_is_an_s3_address_that_ends_with_a_slash(prefix):
    with pytest.raises(ForeignArtifactsError):
        artifact_uris(prefix)
