"""What every store promises, on each of them."""

import gc

import pytest

from dayslice.store.directory import Directory
from dayslice.store.s3 import S3
from stack.objectstore import ObjectStore
from stack.versitygw import missing_for_versitygw


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


def test_a_large_file_goes_up_in_parts_and_comes_back_whole(server, tmp_path):
    server.create_bucket("warehouse")
    store = S3("s3://warehouse/large", server.client())
    body = bytes(range(251)) * 160_000  # 40 MB: three parts
    with store.create("x/file") as file:
        for start in range(0, len(body), 1 << 20):
            file.write(body[start : start + (1 << 20)])
        assert store.sizes("x") == {}, "nothing is there before it is whole"
    assert server.client().get_object(Bucket="warehouse", Key="large/x/file")["Body"].read() == body


def test_a_file_that_nobody_closed_is_never_there(server):
    server.create_bucket("warehouse")
    store = S3("s3://warehouse/half", server.client())
    file = store.create("x/file")
    file.write(bytes(40 << 20))
    del file
    gc.collect()
    assert store.sizes("x") == {}
    assert "Uploads" not in server.client().list_multipart_uploads(Bucket="warehouse")


def test_more_files_than_one_request_can_name(server):
    server.create_bucket("warehouse")
    store = S3("s3://warehouse/many", server.client())
    for number in range(1101):
        write(store, f"t/{number}", b"")
    assert len(store.sizes("t")) == 1101
    store.remove("t")
    assert store.sizes("t") == {}
