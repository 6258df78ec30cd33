"""The target of a run, as profiles.yml gives it: which engine, and where slices and files lie."""

import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from dayslice.engines.session import in_time_zone
from dayslice.errors import UsageError
from dayslice.rules.publications import Naming

PROJECT_FILE = "dbt_project.yml"
# Set by `dayslice backfill --together` for its own processes.
STAGED_IN = "DAYSLICE_TOGETHER"
# Set by `dayslice check --build`, besides.
TRIAL = "DAYSLICE_TRIAL"
# What commands ask of credentials without a connection to the engine. None of it is secret.
KNOWN_CREDENTIALS = ("type", "database", "schema", "warehouse", "metastore", "metastore_uri", "glue_catalog")
# What a connection to Trino takes besides, where its login has no secret.
_OPEN = "none"
_CONNECTION = ("host", "port", "user", "client_tags", "roles", "session_properties", "cert", "timezone", "method")


@dataclass(frozen=True)
class Target:
    """One output of the profile. `warehouse` is the root of slices' files: a directory, or s3://bucket/prefix.

    `database_file`: on the local target, the DuckDB file for readers; the metastore lies beside it.
    """

    name: str
    type: str
    database: str
    schema: str
    home: Path
    warehouse: str
    database_file: Path | None
    credentials: Any
    variables: frozenset[str] = frozenset()
    """The environment variables that profiles.yml asked for."""

    @classmethod
    def known(cls, root: Path, *, name: str, credentials: Mapping[str, Any], **facts: Any) -> "Target":
        """A target whose facts are known. Its credentials are read from profiles.yml when something needs them."""
        return cls(name=name, home=home_of(root), credentials=ReadLater(root, name, credentials), **facts)

    @property
    def is_local(self) -> bool:
        """Whether the engine is DuckDB in this machine's processes."""
        return self.type == "duckdb"

    @property
    def notes(self) -> Path:
        """Where builds on this machine note why they refused what they staged: in the home, apart by target."""
        return self.home if self.is_local else notes_of(self.home, self.name)

    def naming(self) -> Naming:
        """What others call this warehouse."""
        if self.database_file is not None:
            return local_naming(self.database_file, self.database)
        return trino_naming(self.credentials)

    @property
    def metastore_file(self) -> Path:
        """The local target's metastore."""
        assert self.database_file is not None
        return metastore_beside(self.database_file)


def local_naming(readers_file: Path, database: str) -> Naming:
    """What others call the warehouse that a readers' file shows."""
    return Naming(f"duckdb://{readers_file.absolute()}", database)


def trino_naming(credentials: Any) -> Naming:
    """What others call a catalog of Trino: as its own OpenLineage listener does."""
    return Naming(f"trino://{credentials.host}:{credentials.port}", credentials.database)


def notes_of(home: Path, target: str) -> Path:
    """The notes of a target on Trino: a local one's are those of its own files."""
    return home / "refused" / target


def metastore_beside(database_file: Path) -> Path:
    """The metastore of the home that a readers' file lies in; within a run that publishes together, its own."""
    return staged_in() or truth_beside(database_file)


def truth_beside(database_file: Path) -> Path:
    """The metastore of the home that a readers' file lies in, whoever asks."""
    return database_file.with_name("metastore.sqlite")


def staged_in() -> Path | None:
    """The file of the run that publishes together, in its own processes: what they publish is published in there."""
    return Path(os.environ[STAGED_IN]) if os.environ.get(STAGED_IN) else None


def is_trial() -> bool:
    """Whether this is a process of a run whose staged slices are thrown away, so that it changes no table."""
    return bool(os.environ.get(TRIAL))


class ReadLater:
    """Credentials of which some facts are known, and which are read when more is asked for: that starts dbt."""

    def __init__(self, root: Path, target: str, known: Mapping[str, Any]):
        self._root, self._target, self._known = root, target, known

    @cached_property
    def _read(self) -> Any:
        return load_target(self._root, self._target).credentials

    def __getattr__(self, name: str) -> Any:
        return self._known[name] if name in self._known else getattr(self._read, name)

    def trino_auth(self) -> Any:
        """How Trino is logged in to: None where that takes nothing."""
        return None if self._known.get("method") == _OPEN else self._read.trino_auth()


def known_credentials(given: Any) -> dict[str, Any]:
    """What of credentials may be kept in a file: no secret, and all that a connection takes where there is none."""
    known = {name: getattr(given, name) for name in KNOWN_CREDENTIALS if hasattr(given, name)}
    if known.get("type") != "dayslice_trino" or given.method != _OPEN or given.http_headers:
        return known
    scheme = getattr(given.http_scheme, "value", given.http_scheme)
    own = {name: getattr(given, name) for name in _CONNECTION}
    return {
        **known,
        **own,
        "http_scheme": scheme,
        "http_headers": None,
        "impersonation_user": getattr(given, "impersonation_user", None),
    }


def home_of(root: Path) -> Path:
    """Where everything local lies: DAYSLICE_HOME, or `warehouse` in the repository."""
    return (root / os.environ.get("DAYSLICE_HOME", "warehouse")).absolute()


@contextmanager
def home_kept(home: Path) -> Iterator[None]:
    """For a while DAYSLICE_HOME is this one: a copy of a project lies elsewhere, and its warehouse is where it was."""
    before = os.environ.get("DAYSLICE_HOME")
    os.environ["DAYSLICE_HOME"] = str(home)
    try:
        yield
    finally:
        if before is None:
            del os.environ["DAYSLICE_HOME"]
        else:
            os.environ["DAYSLICE_HOME"] = before


def profile_of(root: Path) -> str:
    """The profile that dbt_project.yml names. Raises UsageError where it names none."""
    profile = _project_file(root).get("profile")
    if not isinstance(profile, str) or not profile:
        raise UsageError(f"{PROJECT_FILE} names no profile: add `profile: <its name in profiles.yml>`")
    return profile


def time_zone_of(root: Path) -> ZoneInfo:
    """The project's time zone, by its dbt_project.yml. Raises UsageError for one that there is not."""
    project = _project_file(root)
    variables = project.get("vars") or {}
    name = {**variables, **(variables.get(project.get("name")) or {})}.get("time_zone", "UTC")
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageError(f"{PROJECT_FILE}: vars: time_zone: there is no time zone {name!r}") from None


def _project_file(root: Path) -> dict[str, Any]:
    try:
        project = yaml.safe_load((root / PROJECT_FILE).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UsageError(f"{PROJECT_FILE}: {' '.join(str(error).split())}") from None
    return project if isinstance(project, dict) else {}


def load_target(root: Path, name: str | None = None) -> Target:
    """The target by name; by default the profile's own default. Raises UsageError for one that is not there."""
    from dbt.config.profile import Profile, read_profile  # noqa: PLC0415 - dbt takes a second to import
    from dbt.config.renderer import ProfileRenderer  # noqa: PLC0415
    from dbt.flags import set_from_args  # noqa: PLC0415
    from dbt_common.context import set_invocation_context  # noqa: PLC0415
    from dbt_common.exceptions import DbtBaseException  # noqa: PLC0415

    set_invocation_context(dict(os.environ))
    set_from_args(Namespace(log_cache_events=False, profiles_dir=str(root), project_dir=str(root)), None)
    renderer = ProfileRenderer({})
    try:
        profile = Profile.from_raw_profiles(read_profile(str(root)), profile_of(root), renderer, target_override=name)
    except DbtBaseException as error:
        raise UsageError(f"profiles.yml: {' '.join(str(error).split())}") from None
    credentials: Any = in_time_zone(profile.credentials, time_zone_of(root).key)
    local = credentials.type == "dayslice_duckdb"
    warehouse = credentials.warehouse
    return Target(
        name=profile.target_name,
        type=credentials.type.removeprefix("dayslice_"),
        database=credentials.database,
        schema=credentials.schema,
        home=home_of(root),
        warehouse=warehouse if "://" in warehouse else str((root / warehouse).absolute()),
        database_file=(root / credentials.path).absolute() if local else None,
        credentials=credentials,
        variables=frozenset(renderer.ctx_obj.env_vars),
    )
