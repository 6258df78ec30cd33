"""`dayslice adopt`: this home takes a warehouse over."""

import click

from dayslice.commands.options import target
from dayslice.errors import UsageError
from dayslice.metastore import readers_file
from dayslice.metastore.ownership import adopt, take_places
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.runner.project import load_project


@click.command()
@target
def command(target: str | None) -> None:
    """Make this home the owner of its DAYSLICE_WAREHOUSE, whoever was before.

    Only one home may write and clean in a warehouse: another one's tables would be nobody's to it. Do this when the
    home before is gone for good, or its metastore was restored here.

    Where home or warehouse were moved, to another folder or bucket, what the metastore recorded of the old place is set
    to this one, after a look at all files by name and size.

    \b
    Examples:
      dayslice adopt
    """
    chosen = load_project(target=target).target
    if not chosen.is_local:
        raise UsageError("whose a warehouse on Trino is, its catalog says: there is nothing to adopt")
    with SQLiteMetastore(chosen.metastore_file) as metastore:
        taken = take_places(metastore, chosen.warehouse)
        before = adopt(metastore, chosen.warehouse)
        owner = metastore.owner()
    if taken and chosen.database_file is not None:
        readers_file.make(chosen.database_file, chosen.metastore_file, chosen.warehouse)
    was = f" (was {before})" if before and before != owner else ""
    click.echo(f"{chosen.warehouse} belongs to {chosen.home}, {owner}{was}")
    if taken:
        click.echo(f"{taken} versions that were recorded in another place are recorded here")
