"""Superset on this machine: an environment, a home and one process of its own."""
