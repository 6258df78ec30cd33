"""What a person is told when something is not installed: which versions, and how to get them."""

import json
import os

import pytest
from click.testing import CliRunner

from dayslice.commands.stack import command
from dayslice.errors import UsageError
from dayslice.services.service import free_port
from dayslice.services.stack import java, packages, versitygw


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with nothing: no Java, no Maven, no Go, an empty cache."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DAYSLICE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DAYSLICE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(java, "_homes", lambda: iter([tmp_path / "jvm" / "old"]))
    return tmp_path


def make_java(home, version, modules="java.base"):
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text(f"#!/bin/sh\nfor module in {modules}; do echo $module@{version}; done\n")
    program.chmod(0o755)
    (home / "release").write_text(f'JAVA_VERSION="{version}.0.1"\n')


def test_stack_up_names_everything_that_is_missing_at_once(bare):
    with pytest.raises(UsageError) as refused:
        CliRunner().invoke(command, ["up", "--s3-port", str(free_port())], catch_exceptions=False)
    for said in ("Java 24 or newer", "Java 17 to 23", "found: none", "Maven 3.6", "Go 1.24", "apt-get install"):
        assert said in str(refused.value)


def test_a_java_that_does_not_fit_is_named(bare):
    make_java(bare / "jvm" / "old", 11)
    assert "found: 11 in" in str(java.missing_java(java.METASTORE))


def test_a_java_without_the_vector_module_does_not_run_trino(bare, monkeypatch):
    monkeypatch.setenv("PATH", os.defpath)
    make_java(bare / "jvm" / "old", 25)
    assert "jdk.incubator.vector" in str(java.missing_java(java.TRINO))
    (bare / "jvm" / "old" / "bin" / "java").write_text("#!/bin/sh\necho jdk.incubator.vector@25\n")
    assert java.missing_java(java.TRINO) is None
    assert java.find_java(java.TRINO) == bare / "jvm" / "old" / "bin" / "java"
    assert java.missing_java(java.METASTORE), "25 is too new for it"


def test_an_interrupted_download_leaves_nothing_that_looks_whole(bare, monkeypatch):
    def fill(target):
        (target / "one.jar").write_text("half")
        raise KeyboardInterrupt

    packages.metastore_jars().parent.mkdir(parents=True)
    with pytest.raises(KeyboardInterrupt):
        packages._into(packages.metastore_jars(), fill)
    assert not packages.downloaded()
    assert list(packages.metastore_jars().parent.iterdir()) == []
    assert "Maven" in str(packages.missing_maven())
    assert "Go" in str(versitygw.missing_for_versitygw())


def test_status_and_down_need_nothing_installed(bare):
    done = CliRunner().invoke(command, ["status", "--json"], catch_exceptions=False)
    assert done.exit_code == 1
    assert [each["running"] for each in json.loads(done.output)] == [False] * 4
    assert CliRunner().invoke(command, ["down"], catch_exceptions=False).output == ""


def test_env_points_at_the_stack_and_prints_no_secret(bare):
    done = CliRunner().invoke(command, ["env"], catch_exceptions=False)
    lines = dict(line.removeprefix("export ").split("=", 1) for line in done.output.splitlines())
    assert lines["DAYSLICE_TARGET"] == "trino"
    assert lines["DAYSLICE_METASTORE_URI"].startswith("thrift://127.0.0.1:")
    assert not any("SECRET" in name for name in lines)
