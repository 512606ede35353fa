"""`earshot forget` over stores as moto keeps them: what is gone, what stays as it was, and what being killed does."""

import io
import json

import pyarrow.parquet as pq
import pytest

from lambdas.aws.attributes import to_item
from lambdas.channels.calls.transcriber import job_name
from lambdas.channels.drop import Dropped
from lambdas.channels.pseudonym import of_address
from tests.contract.erasure.conftest import GONE, MARK, OTHER, Killed, text_of

THEIRS = ("fb-1", "fb-2", "fb-9")


def texts(key, content):
    """What an object says, readable: Parquet is unpacked, captured batches are decoded."""
    if content.startswith(b"PAR1"):
        return json.dumps(pq.read_table(io.BytesIO(content)).to_pylist()).lower()
    found = content.decode("utf-8", "replace")
    if key.startswith("capture/"):
        import base64

        for each in found.splitlines():
            for side in json.loads(each)["captureData"].values():
                found += base64.b64decode(side["data"]).decode() if side["encoding"] == "BASE64" else side["data"]
    return found.lower()


def leaks(contents):
    """Places that still name the customer, by mark, id or reference."""
    found = []
    for (store, key, version), content in contents.items():
        said = texts(key, content)
        words = set(said.replace('\\"', '"').replace(",", '"').split('"'))
        names = {*THEIRS, GONE.lower()}
        if MARK in said or names & words or any(f"{id_}." in key or key.endswith(id_) for id_ in THEIRS):
            found.append((store, key, version))
    return found


def test_nothing_of_the_customer_is_left_in_any_version_of_any_store(stage):
    assert len(leaks(stage.contents())) > 30
    receipt, place = stage.forget(GONE)
    assert leaks(stage.contents()) == []
    assert receipt.feedbacks == 3
    assert all(erased.records for store, erased in receipt.erased.items()), receipt.erased
    assert place.startswith("s3://lake/reports/forget/")


def test_what_is_not_theirs_is_byte_for_byte_what_it_was(stage):
    before = stage.contents()
    stage.forget(GONE)
    after = stage.contents()
    clean = {place for place in before if place not in leaks(before)}
    kept = {place for place in clean if place in after}
    assert all(after[place] == before[place] for place in kept)
    gone = {key for _, key, _ in clean - kept}
    # Clean old versions go where the newest had to be written anew.
    assert gone == set(), gone
    for id_ in ("fb-10", "fb-20"):
        assert text_of(id_).encode() in b"".join(after.values())
        assert ("ledger", id_, "") in kept
        assert ("originals", id_, "") in kept


def test_rewritten_objects_keep_the_rows_of_others(stage):
    stage.forget(GONE)

    def latest(key):
        answer = stage.s3.get_object(Bucket="lake", Key=key)
        assert answer["ContentType"] == "application/x-test"
        return answer["Body"].read()

    lines = latest("feedback/dt=2026-03-01/a.jsonl").splitlines()
    assert [json.loads(each)["feedback_id"] for each in lines] == ["fb-10", "fb-20"]
    rows = pq.read_table(io.BytesIO(latest("curated/features/run/train/part-0.parquet"))).to_pylist()
    assert [row["text_id"] for row in rows] == ["2"]
    batch, alone = map(json.loads, latest("capture/e/AllTraffic/2026/03/01/10/x.jsonl").splitlines())
    for side in ("endpointInput", "endpointOutput"):
        asked = batch["captureData"][side]["data"].splitlines()
        assert [json.loads(each)["id"] for each in asked] == ["fb-10", "fb-20"]
    assert "fb-10" in alone["captureData"]["endpointInput"]["data"]


def test_items_of_the_desk_lose_only_the_parts_that_name_them(stage):
    stage.forget(GONE)
    key = to_item({"pk": "storm#P-1", "sk": "w1"})
    storm = stage.dynamodb.get_item(TableName="desk", Key=key)["Item"]
    assert [each["M"]["feedback_id"]["S"] for each in storm["examples"]["L"]] == ["fb-10", "fb-20"]
    assert [each["S"] for each in storm["ids"]["L"]] == ["fb-10", "fb-20"]
    assert (storm["count"], storm["known"]) == ({"N": "7"}, {"M": {"a": {"N": "1"}}})


@pytest.mark.parametrize("writes", [1, 7])
def test_killed_again_and_again_it_ends_with_nothing_left(stage, writes):
    for attempt in range(200):
        # The first writes of a run may only save progress, so that later runs are given one more.
        try:
            receipt, place = stage.forget(GONE, writes=writes + attempt % 5)
        except Killed:
            continue
        break
    assert attempt > 2
    assert leaks(stage.contents()) == []
    assert receipt.runs == attempt + 1 or receipt.runs > 1
    assert place is not None
    assert {id_ for store, id_, _ in stage.contents() if store == "ledger"} == {"fb-10", "fb-20"}


def test_the_second_time_nothing_is_left_and_no_second_receipt_is_written(stage):
    _, first = stage.forget(GONE)
    before = stage.contents()
    receipt, second = stage.forget(GONE)
    assert second == first
    assert sum(erased.records for erased in receipt.erased.values()) == 0
    assert stage.contents() == before


def test_a_dry_run_counts_and_changes_nothing(stage):
    before = stage.contents()
    dry, place = stage.forget(GONE, dry_run=True)
    assert stage.contents() == before
    assert place is None
    assert dry.is_dry_run
    real, _ = stage.forget(GONE)
    assert {store: each.records for store, each in dry.erased.items()} == {
        store: each.records for store, each in real.erased.items()
    }


def test_the_receipt_names_nobody_and_says_what_stays(stage):
    _, place = stage.forget(GONE)
    stored = stage.s3.get_object(Bucket="lake", Key=place.removeprefix("s3://lake/"))["Body"].read().decode()
    document = json.loads(stored)
    assert len(document["customer_sha256"]) == 64
    assert document["counts_are_complete"]
    assert document["erased"]["ledger"] == {"records": 2, "objects": 2, "versions": 0}
    assert {"what": "alerts that SNS, mail or chat delivered", "until": "cannot be called back"} in document["kept"]
    assert not any(name in stored for name in (MARK, *(f'"{id_}"' for id_ in THEIRS), f'"{GONE}"'))


def test_an_address_finds_what_its_pseudonym_stands_on(stage):
    item = {"feedback_id": "mail-7", "customer_ref": of_address("Jane@Shop.example"), "received_at": "2026-03-01"}
    event = {"id": "mail-7", "text": "So sad about it", "customer_ref": item["customer_ref"]}
    stage.dynamodb.put_item(TableName="ledger", Item=to_item({**item, "event": event}))
    receipt, _ = stage.forget("jane@shop.example")
    assert receipt.erased["ledger"].records == 1


def test_a_file_whose_name_was_redacted_is_found_by_the_original(stage):
    event = {
        "id": "fb-78",
        "text": "Hear me",
        "customer_ref": "C-78",
        "metadata": {"source": "calls/audio/[phone].wav"},
    }
    item = {"feedback_id": "fb-78", "customer_ref": "C-78", "received_at": "2026-03-01", "event": event}
    original = {"feedback_id": "fb-78", "text": "Hear me", "metadata": {"source": "calls/audio/+12125550123.wav"}}
    stage.dynamodb.put_item(TableName="ledger", Item=to_item(item))
    stage.dynamodb.put_item(TableName="originals", Item=to_item(original))
    stage.put("drop", "calls/audio/+12125550123.wav", b"RIFF", b"RIFF again")
    assert stage.forget("C-78")[0].erased["drops"].versions == 2


def test_of_a_call_the_recording_goes_with_its_transcript(stage):
    stage.put("drop", "calls/audio/P-1/monday.wav", b"RIFF")
    stage.put("drop", "calls/audio/P-1/tuesday.wav", b"RIFF")
    version = stage.s3.list_object_versions(Bucket="drop", Prefix="calls/audio/P-1/monday")["Versions"][0]["VersionId"]
    recording = Dropped(bucket="drop", key="calls/audio/P-1/monday.wav", version_id=version)
    source = f"calls/transcripts/P-1/{job_name(recording)}.json"
    stage.put("drop", source, b'{"words": "it broke"}')
    event = {"id": "call-1", "text": "It broke", "customer_ref": "C-79", "metadata": {"source": source}}
    item = {"feedback_id": "call-1", "customer_ref": "C-79", "received_at": "2026-03-01", "event": event}
    stage.dynamodb.put_item(TableName="ledger", Item=to_item(item))
    assert stage.forget("C-79")[0].erased["drops"].objects == 2
    left = {each["Key"] for each in stage.s3.list_object_versions(Bucket="drop", Prefix="calls/")["Versions"]}
    assert left == {"calls/audio/P-1/tuesday.wav"}


def test_a_notice_of_their_file_goes_from_the_dead_letters(stage):
    notice = {"Records": [{"s3": {"bucket": {"name": "drop"}, "object": {"key": "files/fb-1.csv"}}}]}
    other = {"Records": [{"s3": {"bucket": {"name": "drop"}, "object": {"key": "files/fb-10.csv"}}}]}
    for body in (notice, other):
        stage.sqs.send_message(QueueUrl=stage.queues["dead"], MessageBody=json.dumps(body))
    stage.forget(GONE)
    bodies = [content.decode() for (store, _, _), content in stage.contents().items() if store == "dead"]
    assert json.dumps(other) in bodies
    assert json.dumps(notice) not in bodies


def test_a_partner_that_is_named_as_the_source_is_not_taken_for_a_file(stage):
    event = {"id": "fb-80", "text": "Over a partner", "customer_ref": "C-80", "metadata": {"source": "slack"}}
    item = {"feedback_id": "fb-80", "customer_ref": "C-80", "received_at": "2026-03-01", "event": event}
    stage.dynamodb.put_item(TableName="ledger", Item=to_item(item))
    stage.sqs.send_message(QueueUrl=stage.queues["alerts"], MessageBody=json.dumps({"source": "slack", "id": "fb-81"}))
    assert stage.forget("C-80")[0].erased["queues"].records == 0


def test_a_product_that_is_called_like_the_customer_is_not_taken_for_them(stage):
    stage.sqs.send_message(QueueUrl=stage.queues["alerts"], MessageBody=json.dumps({"product_id": GONE, "id": "fb-81"}))
    item = {"pk": "trend#2026-03-01", "sk": "product#X", "name": GONE, "negative": 3}
    stage.dynamodb.put_item(TableName="desk", Item=to_item(item))
    before = stage.contents()
    stage.forget(GONE)
    after = stage.contents()
    assert after["desk", "trend#2026-03-01|product#X", ""] == before["desk", "trend#2026-03-01|product#X", ""]
    assert any(store == "alerts" and b"fb-81" in content for (store, _, _), content in after.items())


def test_a_message_about_others_goes_on_without_the_examples_of_theirs(stage):
    about = {
        "version": 1,
        "kind": "product",
        "id": "spike-1",
        "figures": {"negative": 9},
        "examples": ["fb-1", "fb-10"],
    }
    stage.sqs.send_message(QueueUrl=stage.queues["alerts"], MessageBody=json.dumps(about))
    stage.forget(GONE)
    bodies = [json.loads(content) for (store, _, _), content in stage.contents().items() if store == "alerts"]
    assert [body for body in bodies if body.get("id") == "spike-1"] == [about | {"examples": ["fb-10"]}]


def test_a_thorough_look_finds_what_the_index_lacks(stage):
    event = {"id": "fb-77", "text": "Never in the index", "customer_ref": "C-77"}
    stage.dynamodb.put_item(TableName="ledger", Item=to_item({"feedback_id": "fb-77", "event": event}))
    assert stage.forget("C-77")[0].feedbacks == 0
    assert stage.forget("C-77", thorough=True)[0].erased["ledger"].records == 1


def test_a_customer_whose_reference_begins_alike_is_left_alone(stage):
    stage.forget(OTHER)
    assert {id_ for store, id_, _ in stage.contents() if store == "ledger"} == {"fb-1", "fb-2"}
