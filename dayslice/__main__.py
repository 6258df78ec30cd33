"""`python -m dayslice`."""

from dayslice.cli import main

main()
