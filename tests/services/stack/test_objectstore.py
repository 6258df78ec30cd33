"""The S3 server on one machine: real, restartable, its secret in no process list."""

import contextlib

import psutil
import pytest
from botocore.exceptions import ClientError

from dayslice.errors import DaysliceError
from dayslice.services.service import Service, free_port
from dayslice.services.stack.objectstore import ObjectStore
from dayslice.services.stack.versitygw import missing_for_versitygw


@pytest.fixture(scope="module")
def store(tmp_path_factory, require):
    require(missing_for_versitygw())
    with ObjectStore(tmp_path_factory.mktemp("objectstore")) as store:
        store.create_bucket("warehouse")
        yield store


def test_what_was_put_survives_a_restart(store):
    body = bytes(range(256)) * 40_000
    store.client().put_object(Bucket="warehouse", Key="a/b=c d/e", Body=body)
    store.stop()
    store.start()
    assert store.client().get_object(Bucket="warehouse", Key="a/b=c d/e")["Body"].read() == body


def test_listing_and_deleting_by_prefix(store):
    client = store.client()
    for name in ("x/1", "x/2", "xy/3"):
        client.put_object(Bucket="warehouse", Key=name, Body=b"")
    found = client.list_objects_v2(Bucket="warehouse", Prefix="x/")["Contents"]
    assert [one["Key"] for one in found] == ["x/1", "x/2"]
    client.delete_objects(Bucket="warehouse", Delete={"Objects": [{"Key": "x/1"}, {"Key": "x/2"}]})
    assert "Contents" not in client.list_objects_v2(Bucket="warehouse", Prefix="x/")


def test_a_wrong_secret_is_refused(store, tmp_path):
    stranger = ObjectStore(tmp_path, port=store.port)
    with pytest.raises(ClientError, match="No user exists"):
        stranger.client().list_buckets()


def test_the_secret_is_in_no_process_list_and_its_file_is_the_users_alone(store):
    _, secret = store.credentials()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            assert secret not in " ".join(process.cmdline())
    assert store.credentials_file.stat().st_mode & 0o077 == 0
    assert secret not in store.service().log.read_text()


def test_a_port_in_use_is_refused_by_number(store, tmp_path):
    with pytest.raises(DaysliceError, match=f"port {store.port} is in use"):
        ObjectStore(tmp_path, port=store.port).start()


def test_a_server_that_dies_shows_the_end_of_its_log(tmp_path):
    broken = Service("S3 server", tmp_path, lambda: ["/bin/sh", "-c", "echo no such disk; exit 3"], port=free_port())
    broken.start()
    with pytest.raises(DaysliceError, match="no such disk"):
        broken.wait_until_listening(seconds=20)
    assert not broken.pid_file.exists()


def test_starting_twice_is_one_server_and_stopping_twice_is_quiet(store):
    first = store.service().process()
    store.start()
    assert store.service().process() == first
    store.stop()
    store.stop()
    store.start()
