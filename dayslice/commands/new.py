"""`dayslice new`: write what a person would otherwise type."""

import click

from dayslice.commands.options import target
from dayslice.errors import UsageError
from dayslice.runner.project import load_project


@click.group()
def command() -> None:
    """Write the file of something new, with what is known of it.

    \b
    Examples:
      dayslice new import erp.orders
      dayslice new import erp.payments --events-on paid_at
    """


@command.command("import")
@click.argument("names", nargs=-1, metavar="SOURCE.TABLE…")
@click.option("--all", "every", is_flag=True, help="All tables of the schema that are no imports yet; name the source.")
@click.option("--connection", metavar="NAME", help="The named connection; default: the source's, or its name.")
@click.option("--from", "place", metavar="SCHEMA.TABLE", help="The table in PostgreSQL; default: public and its name.")
@click.option("--events-on", "on", metavar="COLUMN", help="Cut by this date or timestamp; default: a daily snapshot.")
@target
def new_import(
    names: tuple[str, ...], every: bool, connection: str | None, place: str | None, on: str | None, target: str | None
) -> int:
    """Write models/SOURCE/TABLE.yml with the table's columns, types, comments and keys.

    A pattern takes all tables of the schema that it fits and that are no imports yet; --from is then a schema.

    \b
    Examples:
      dayslice new import erp.orders
      dayslice new import erp.payments --events-on paid_at --from billing.payments
      dayslice new import 'erp.order*' erp.customers
      dayslice new import erp --all --from billing
    """
    from dayslice.runner.new_imports import NewImports, Wanted  # noqa: PLC0415 - psycopg2, only when something is asked of a source

    wanted = [Wanted.parse(f"{name}.*" if every and "." not in name else name) for name in names]
    if not wanted:
        raise UsageError("say which table to import, as in erp.orders, or a source and --all")
    if (on or (place and "." in place)) and (len(wanted) > 1 or wanted[0].is_pattern):
        raise UsageError("--events-on and --from SCHEMA.TABLE are of one table: name it, without a pattern")
    made = NewImports(load_project(target=target), connection, place, on)
    failed = False
    for each in wanted:
        for said, is_wrong in made.write(each):
            click.echo(said, err=is_wrong)
            failed = failed or is_wrong
    return 1 if failed else 0
