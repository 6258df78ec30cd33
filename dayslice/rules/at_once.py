"""How many nodes of one command may run at the same time as a given one: what they share is divided by it."""

from collections.abc import Collection, Mapping
from graphlib import TopologicalSorter


def at_once(parents: Mapping[str, Collection[str]], threads: int) -> dict[str, int]:
    """For each node, how many may run together with it, itself included; at most `threads`.

    `parents`: the command's nodes, and what each waits for; what is no node of the command is left out. Nodes run
    together only where neither waits for the other, also by way of others. So, of any that do run together, none is
    given fewer than they are: their shares, each one divided by this number, are together at most the whole.
    """
    inner = {node: [each for each in above if each in parents] for node, above in parents.items()}
    order = list(TopologicalSorter(inner).static_order())
    bits = {node: 1 << at for at, node in enumerate(order)}
    above, below = dict(bits), dict(bits)  # sets of nodes as bits of a number: many nodes stay cheap
    for node in order:
        for parent in inner[node]:
            above[node] |= above[parent]
    for node in reversed(order):
        for parent in inner[node]:
            below[parent] |= below[node]
    return {node: min(threads, len(order) + 1 - (above[node] | below[node]).bit_count()) for node in order}
