"""What every store promises, on each of them."""

import contextlib
import gc
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.awsrequest import AWSResponse, HeadersDict

from dayslice.errors import DaysliceError
from dayslice.services.stack.objectstore import ObjectStore
from dayslice.services.stack.versitygw import missing_for_versitygw
from dayslice.store.directory import Directory
from dayslice.store.s3 import S3
from dayslice.store.s3_upload import part_bytes


@pytest.fixture(scope="module")
def server(tmp_path_factory, require):
    require(missing_for_versitygw())
    with ObjectStore(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["directory", "s3"])
def store(request, tmp_path):
    if request.param == "directory":
        return Directory(str(tmp_path / "warehouse"))
    server = request.getfixturevalue("server")
    server.create_bucket("warehouse")
    return S3(f"s3://warehouse/{tmp_path.name}", server.client())


def write(store, path, body):
    with store.create(path) as file:
        file.write(body)


def test_what_is_written_is_listed_with_its_size_and_removed_with_its_folder(store):
    for path, body in (("t/v1/ds=1/a", b"12"), ("t/v1/ds=1/b", b""), ("t/v2/ds=1/a", b"123"), ("t2/v1/a", b"1")):
        write(store, path, body)
    assert store.folders("t") == ["v1", "v2"]
    assert store.folders("absent") == []
    assert sorted(store.sizes("t").values()) == [0, 2, 3]
    store.remove("t/v1")
    store.remove("absent")
    assert store.folders("t") == ["v2"]
    assert list(store.sizes("t2").values()) == [1]
    store.remove("t")
    assert store.folders("t") == []
    assert store.sizes("t") == {}


def test_of_many_who_put_a_small_file_at_once_one_does_and_its_content_is_whole(store):
    contents = [f"writer {n}".encode() * 100 for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        placed = list(threads.map(lambda content: store.put("mark", content), contents))
    assert placed.count(True) == 1
    assert store.read("mark") == contents[placed.index(True)]
    assert store.put("mark", b"another", replace=True)
    assert store.read("mark") == b"another"
    assert store.folders("") == []


def test_a_conflict_with_another_writer_is_asked_again_and_says_nothing_of_a_winner(server, tmp_path):
    """S3 answers so while another writer is at it, whether or not that one comes to its end."""
    server.create_bucket("warehouse")
    client = server.client()
    conflict = b"<Error><Code>ConditionalRequestConflict</Code><Message>conflicting</Message></Error>"
    answers = [conflict, conflict]

    def answer(request, **more):
        return Answer(request.url, answers.pop()) if answers else None

    client.meta.events.register("before-send.s3.PutObject", answer)
    store = S3(f"s3://warehouse/{tmp_path.name}", client)
    assert store.put("mark", b"ours")
    assert store.read("mark") == b"ours"
    answers[:] = [conflict]
    assert not store.put("mark", b"another")
    assert store.read("mark") == b"ours"
    answers[:] = [conflict] * 100
    with pytest.raises(DaysliceError, match="ConditionalRequestConflict"):
        store.put("other", b"ours")


class Answer(AWSResponse):
    """409, as S3 gives it."""

    def __init__(self, url, body):
        super().__init__(url, 409, HeadersDict({}), None)
        self._content = body


def test_a_large_file_goes_up_in_parts_and_comes_back_whole(server, tmp_path):
    server.create_bucket("warehouse")
    store = S3("s3://warehouse/large", server.client())
    body = bytes(range(251)) * 160_000  # 40 MB: three parts
    with store.create("x/file") as file:
        for start in range(0, len(body), 1 << 20):
            file.write(body[start : start + (1 << 20)])
        assert store.sizes("x") == {}, "nothing is there before it is whole"
    assert server.client().get_object(Bucket="warehouse", Key="large/x/file")["Body"].read() == body


def test_an_abandoned_file_is_never_there_and_its_parts_go_with_its_folder(server):
    server.create_bucket("warehouse")
    store = S3("s3://warehouse/half", server.client())
    file = store.create("x/file")
    file.write(bytes(40 << 20))
    file.abandon()
    assert store.sizes("x") == {}
    store.remove("x")
    assert "Uploads" not in server.client().list_multipart_uploads(Bucket="warehouse", Prefix="half")


def test_a_file_that_nobody_closed_is_never_there(store):
    file = store.create("x/file")
    file.write(b"1")
    del file
    gc.collect()
    assert set(store.sizes("x").values()) <= {1}, "a directory shows what was written; S3 shows nothing"
    assert isinstance(store, Directory) or store.sizes("x") == {}


def test_what_a_killed_upload_left_is_found_and_deleted(server):
    server.create_bucket("warehouse")
    store, client = S3("s3://warehouse/killed", server.client()), server.client()
    place = {"Bucket": "warehouse", "Key": "killed/t/v1/ds=1/file"}
    upload = client.create_multipart_upload(**place)["UploadId"]
    client.upload_part(**place, UploadId=upload, PartNumber=1, Body=bytes(5 << 20))
    assert store.folders("t") == ["v1"]
    assert store.folders("t/v1") == ["ds=1"]
    store.remove("t/v1")
    assert store.folders("t") == []
    assert "Uploads" not in client.list_multipart_uploads(Bucket="warehouse", Prefix="killed")


def test_parts_grow_so_that_any_file_fits_into_what_s3_allows():
    assert part_bytes(1) == part_bytes(500) == 5 << 20
    assert part_bytes(501) == 10 << 20
    assert sum(map(part_bytes, range(1, 10_001))) > 400 << 30


def test_encryption_and_storage_class_come_from_the_environment(server, monkeypatch):
    monkeypatch.setenv("DAYSLICE_S3_ENCRYPTION", "AES256")
    monkeypatch.setenv("DAYSLICE_S3_STORAGE_CLASS", "STANDARD_IA")
    sent = []
    client = server.client()
    client.meta.events.register("before-sign.s3.PutObject", lambda request, **_: sent.append(dict(request.headers)))
    server.create_bucket("warehouse")
    with contextlib.suppress(DaysliceError):  # this server knows neither; what counts is that it was asked
        write(S3("s3://warehouse/encrypted", client), "file", b"1")
    assert sent[0]["x-amz-server-side-encryption"] in ("AES256", b"AES256")
    assert sent[0]["x-amz-storage-class"] in ("STANDARD_IA", b"STANDARD_IA")


def test_more_files_than_one_request_can_name(server):
    server.create_bucket("warehouse")
    store = S3("s3://warehouse/many", server.client())
    for number in range(1101):
        write(store, f"t/{number}", b"")
    assert len(store.sizes("t")) == 1101
    store.remove("t")
    assert store.sizes("t") == {}
