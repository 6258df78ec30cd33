"""Options that several commands share, so that they are spelled and explained once."""

import click

target = click.option("--target", "-t", metavar="NAME", help="The target of profiles.yml; default: local.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
select = click.option(
    "--select", "-s", multiple=True, metavar="TABLES", help="dbt's selection: flights_flat+, erp.flights, tag:daily."
)
exclude = click.option("--exclude", multiple=True, metavar="TABLES", help="dbt's selection of what to leave out.")
