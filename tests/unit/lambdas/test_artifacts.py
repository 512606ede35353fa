"""The archives of a release are judged where they lie: read once, as streams, and named with the rule that refuses."""

import io
import json

import pytest

from lambdas.artifacts import RefusedArtifactError, inspect_release
from lambdas.aws.lake import NoSuchObjectError
from tests.unit.model_artifact.artifact_kit import VERSION, release_of
from tests.unit.model_artifact.hostile import HOSTILE

PREFIX = "s3://artifacts/models/r/"


class LakeInMemory:
    """Hands out each object once, as S3's answer to one request."""

    def __init__(self, objects):
        self.objects = {f"{PREFIX}{name}": content for name, content in objects.items()}

    def open(self, uri):
        try:
            return io.BytesIO(self.objects.pop(uri))
        except KeyError:
            raise NoSuchObjectError(f"There is no object {uri}, or no right to read it.") from None


def digests(release):
    return json.loads(release["manifest.json"])["artifacts"]


def test_a_whole_release_is_read_once_and_tells_its_version():
    lake = LakeInMemory(release_of())
    assert inspect_release(PREFIX, digests(release_of()), lake=lake) == VERSION
    assert list(lake.objects) == [f"{PREFIX}manifest.json"]


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"10,001 members", "a JSON file too large to read"}))
def test_a_hostile_archive_is_refused_by_the_rule_though_its_digest_is_right(name):
    release = release_of() | {"classify.tar.gz": HOSTILE[name][1]()}
    with pytest.raises(
        RefusedArtifactError, match=r"^artifact-safety: classify\.tar\.gz is refused \([a-z-]+\): .*\.$"
    ):
        inspect_release(PREFIX, digests(release_of()), lake=LakeInMemory(release))


def test_archives_of_two_models_are_no_release():
    release = release_of() | {"label.tar.gz": release_of("other-1")["label.tar.gz"]}
    expected = digests(release_of()) | {"label.tar.gz": digests(release_of("other-1"))["label.tar.gz"]}
    with pytest.raises(RefusedArtifactError, match="more than one model version"):
        inspect_release(PREFIX, expected, lake=LakeInMemory(release))


@pytest.mark.parametrize("stated", ["0" * 64, None, 7])
def test_another_archive_than_the_evaluated_one_is_refused(stated):
    with pytest.raises(RefusedArtifactError, match=r"label\.tar\.gz is not the archive that was evaluated\."):
        inspect_release(PREFIX, digests(release_of()) | {"label.tar.gz": stated}, lake=LakeInMemory(release_of()))
