"""Columns and rows for a graph, left to right: cycles cut, longest ways, few crossings (after Sugiyama et al., 1981).

The same graph comes out the same, to the last row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise

Link = tuple[str, str]
#: how often the columns are put in order anew
_SWEEPS = 8


@dataclass(frozen=True, slots=True)
class Grid:
    """Where every node stands, and by which cells each forward link goes."""

    column: Mapping[str, int]
    row: Mapping[str, int]
    #: of each link that leads on: the rows it takes in the columns between its ends
    between: Mapping[Link, tuple[int, ...]]
    back: frozenset[Link]  #: those that lead back, or to themselves
    rows: Mapping[int, int] = field(default_factory=dict)  #: of each band: how many rows it has


def layered(
    nodes: Sequence[str], links: Sequence[Link], below: Mapping[str, str], band: Mapping[str, int], most: int
) -> Grid:
    """Lay a graph out. ``below``: nodes that stand under another one; ``band``: the swim lane of each.

    ``most`` bounds the places that are kept for long links; ValueError beyond.
    """
    free = [node for node in nodes if node not in below]
    links = list(dict.fromkeys(link for link in links if link[0] not in below and link[1] not in below))
    seen, back = _walked(free, links)
    forward = [link for link in links if link not in back]
    column = _columns(seen, forward)
    chains: dict[Link, list[str]] = {}
    order: dict[int, list[str]] = defaultdict(list)
    for node in seen:
        order[column[node]].append(node)
    bands = dict(band)
    numbered = count()
    for link in forward:
        chain: list[str] = []
        for place in range(column[link[0]] + 1, column[link[1]]):
            name = f"\0{next(numbered)}"
            if len(chains) + len(column) + len(chain) > most:
                raise ValueError(f"more than {most:,} places are needed")
            column[name] = place
            bands[name] = bands.get(link[1], 0)
            order[place].append(name)
            chain.append(name)
        chains[link] = chain
    nexts, befores = _neighbours(chains)
    _put_in_order(order, nexts, befores, bands)
    for node, host in below.items():
        column[node] = column.get(host, 0)
        places = order[column[node]]
        places.insert(places.index(host) + 1 if host in places else len(places), node)
        bands[node] = bands.get(host, 0)
    row = _rows(order, befores, below, bands)
    depth: dict[int, int] = defaultdict(lambda: 1)
    for node, place in row.items():
        depth[bands.get(node, 0)] = max(depth[bands.get(node, 0)], place + 1)
    return Grid(
        column={node: column[node] for node in nodes},
        row={node: row[node] for node in nodes},
        between={link: tuple(row[name] for name in chain) for link, chain in chains.items()},
        back=frozenset(back),
        rows=dict(depth),
    )


def _walked(nodes: Sequence[str], links: Sequence[Link]) -> tuple[list[str], set[Link]]:
    """The nodes as they are come by, depth first; and the links that lead back to where one came from."""
    onward: dict[str, list[str]] = defaultdict(list)
    entered = {target for source, target in links if source != target}
    for source, target in links:
        onward[source].append(target)
    state: dict[str, int] = {}
    back: set[Link] = set()
    seen: list[str] = []
    for root in [*(node for node in nodes if node not in entered), *nodes]:
        if root in state:
            continue
        state[root] = 1
        seen.append(root)
        path: list[tuple[str, Iterator[str]]] = [(root, iter(onward[root]))]
        while path:
            node, rest = path[-1]
            onto = next(rest, None)
            if onto is None:
                state[node] = 2
                path.pop()
            elif state.get(onto) == 1:
                back.add((node, onto))
            elif onto not in state:
                state[onto] = 1
                seen.append(onto)
                path.append((onto, iter(onward[onto])))
    return seen, back


def _columns(nodes: Sequence[str], forward: Sequence[Link]) -> dict[str, int]:
    """The longest way to each node."""
    onward: dict[str, list[str]] = defaultdict(list)
    waits: dict[str, int] = defaultdict(int)
    for source, target in forward:
        onward[source].append(target)
        waits[target] += 1
    column = {node: 0 for node in nodes if not waits[node]}
    ready = list(column)
    for node in ready:
        for target in onward[node]:
            column[target] = max(column.get(target, 0), column[node] + 1)
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    return column


def _neighbours(chains: Mapping[Link, Sequence[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    nexts: dict[str, list[str]] = defaultdict(list)
    befores: dict[str, list[str]] = defaultdict(list)
    for (source, target), chain in chains.items():
        way = [source, *chain, target]
        for here, there in pairwise(way):
            nexts[here].append(there)
            befores[there].append(here)
    return nexts, befores


def _put_in_order(
    order: dict[int, list[str]],
    nexts: Mapping[str, list[str]],
    befores: Mapping[str, list[str]],
    bands: Mapping[str, int],
) -> None:
    """Each node where its neighbours are on average, forth and back again."""
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        neighbours = befores if forth else nexts
        for number in sorted(order, reverse=not forth):
            place = {node: at for other in (number - 1, number + 1) for at, node in enumerate(order.get(other, ()))}
            wanted = {}
            for at, node in enumerate(order[number]):
                near = [place[other] for other in neighbours.get(node, ()) if other in place]
                wanted[node] = (bands.get(node, 0), sum(near) / len(near) if near else at, at)
            order[number].sort(key=wanted.__getitem__)


def _rows(
    order: Mapping[int, Sequence[str]],
    befores: Mapping[str, list[str]],
    below: Mapping[str, str],
    bands: Mapping[str, int],
) -> dict[str, int]:
    """Each node in the row of what leads to it, or in the next one that is free."""
    row: dict[str, int] = {}
    for number in sorted(order):
        last: dict[int, int] = defaultdict(lambda: -1)
        for node in order[number]:
            mine = bands.get(node, 0)
            near = sorted(row[other] for other in befores.get(node, ()) if other in row and bands.get(other, 0) == mine)
            wanted = row[below[node]] + 1 if below.get(node) in row else near[(len(near) - 1) // 2] if near else 0
            row[node] = last[mine] = max(wanted, last[mine] + 1)
    return row
