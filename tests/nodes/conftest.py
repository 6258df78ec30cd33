import atexit
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.nodes.cluster import Broker, Cluster
from tests.nodes.network import Network, missing_for_namespaces
from tests.sql.conftest import emptied

__all__ = ["emptied"]


def pytest_collection_modifyitems(items):
    """All tests here want more of a machine than CI has left."""
    for item in items:
        if "tests/nodes/" in item.path.as_posix():
            item.add_marker(pytest.mark.nodes)
            item.add_marker(pytest.mark.trino)


@pytest.fixture(scope="session")
def make_home():
    """Folders outside of pytest's own, which close to PostgreSQL's user when a second pytest starts."""

    def make() -> Path:
        folder = Path(mkdtemp(prefix="dayslice-test-"))
        folder.chmod(0o755)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder

    return make


@pytest.fixture(scope="session")
def start_cluster(stack, make_home, require):
    """`with start_cluster(root) as cluster`: three nodes that make the project in `root` on the stack."""
    require(missing_for_namespaces())
    require(Broker.missing())
    ports = [stack.ports.s3, stack.ports.metastore, stack.ports.trino]
    environment = {**stack.environment(), "DAYSLICE_TRINO_SCHEME": "http", "DAYSLICE_GRACE_HOURS": "0"}

    @contextmanager
    def start(root):
        with Network() as network:
            cluster = Cluster(make_home(), root, "trino", environment, ports, network)
            try:
                cluster.start()
                yield cluster
            finally:
                cluster.stop()

    return start
