"""What is downloaded is what the repository lists, by SHA-256: no host is believed."""

import json

import pytest

from dayslice.errors import DaysliceError
from dayslice.services.stack.packages import (
    HIVE_VERSION,
    TRINO_VERSION,
    check_packages,
    downloaded,
    known_sums,
    metastore_jars,
    sha256,
)
from dayslice.services.stack.versitygw import SUM, check_source


def test_another_file_a_missing_and_an_additional_one_are_refused_by_name(tmp_path):
    good = tmp_path / "good.jar"
    good.write_bytes(b"good")
    check_packages(tmp_path, {"good.jar": sha256(good)})
    for wrong in ({"good.jar": "0" * 64}, {}, {"good.jar": sha256(good), "absent.jar": "0" * 64}):
        with pytest.raises(DaysliceError, match=r"1 of the downloaded files .*(good|absent)\.jar"):
            check_packages(tmp_path, wrong)


def test_the_sums_are_of_the_pinned_versions():
    names = known_sums()
    assert f"trino-server-{TRINO_VERSION}.tar.gz" in names
    assert f"hive-standalone-metastore-server-{HIVE_VERSION}.jar" in names
    assert all(len(digest) == 64 for digest in names.values())


def test_the_jars_that_are_here_are_the_listed_ones():
    if not downloaded():
        pytest.skip("nothing is downloaded here")
    check_packages(metastore_jars(), {name: digest for name, digest in known_sums().items() if name.endswith(".jar")})


def test_another_source_of_the_s3_server_is_refused():
    check_source(json.dumps({"Sum": SUM}))
    with pytest.raises(DaysliceError, match="nothing was installed"):
        check_source(json.dumps({"Sum": "h1:other"}))
