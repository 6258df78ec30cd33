"""`dayslice new`: write what a person would otherwise type."""

import click

from dayslice.commands.options import target
from dayslice.errors import UsageError
from dayslice.rules.settings import Kind
from dayslice.runner.project import load_project


class New(click.Group):
    """Takes every word that is no subcommand for the name of a table."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """`dayslice new daily_sales …`."""
        if args[0] in self.commands or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        return "TABLE", new_table, args


@click.group(cls=New, subcommand_metavar="TABLE | import SOURCE.TABLE…")
def command() -> None:
    """Write the files of a new table, or of new imports, with what is known of them.

    dayslice new TABLE --help shows the options of each.

    \b
    Examples:
      dayslice new daily_sales --from shop.orders
      dayslice new import erp.orders
      dayslice new import erp.payments --events-on paid_at
    """


@click.command()
@click.argument("table")
@click.option("--from", "reads", multiple=True, metavar="TABLE", help="What it reads: shop.orders; may be given again.")
@click.option("--folder", metavar="NAME", help="Its folder under models/; default: that of the first it reads.")
@click.option(
    "--slice", "kind", type=click.Choice([each.value for each in Kind]), help="Default: as the first it reads."
)
@click.option("--owner", metavar="NAME", help="Who answers for it.")
@click.option("--description", metavar="TEXT", help="What it holds: one row per …")
@target
def new_table(
    table: str,
    reads: tuple[str, ...],
    folder: str | None,
    kind: str | None,
    owner: str | None,
    description: str | None,
    target: str | None,
) -> None:
    """Write models/FOLDER/TABLE.sql, its YAML and its latest view. Nothing is overwritten.

    The SELECT and the YAML have the columns of what it reads, with their descriptions. What only you know is left as a
    TODO, which dayslice check refuses.

    \b
    Examples:
      dayslice new daily_sales --from shop.orders
      dayslice new order_lines --from shop.orders --from shop.products --folder sales --owner sales-team
    """
    from dayslice.runner.new_tables import write_table  # noqa: PLC0415 - yaml

    project = load_project(target=target)
    for path in write_table(project, table, reads, folder, Kind(kind) if kind else None, owner, description):
        click.echo(path)
    click.echo(f"then: dayslice check, and dayslice build --select {table}+ --ds …", err=True)


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
