"""What `dayslice init` lays down: a dbt project of a few files; all else comes from the installed package."""
