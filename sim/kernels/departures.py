"""Jobs in service: the departures of a station as a tournament, whose winner is the next to leave.

    node 1                   the earliest of all
      2   3                  each the earlier of the two below it, and whose slot it comes from
     4 5 6 7                 leaves, one a slot: when its job departs; inf: nobody is there

When a slot changes, the matches to be played anew are known as soon as the slot is, and the earlier of two times is taken
without a jump. In a heap the next place to look at depends on who was smaller, which the processor guesses wrong half of
the time. Every match is decided by (time, key): where two times are equal, which is rare, the matches of that slot are
played once more with the keys in hand.

All stations share the arrays, each has its own tree in them, so that a small station does not pay for a large one.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel


class Departures(NamedTuple):
    """Jobs in service at S stations, which have L leaves in all."""

    leaves: np.ndarray  # int64[S], of the station's tree, a power of two
    first: np.ndarray  # int64[S], its first leaf among all; its nodes begin at twice that
    node_s: np.ndarray  # float64[2 L], earliest departure below the node
    node_leaf: np.ndarray  # float64[2 L], its leaf: as a float, for a choice of two floats is never compiled to a jump
    job: np.ndarray  # int32[L], whom a leaf serves
    idle: (
        np.ndarray
    )  # int32[L], for each station its idle leaves, as a stack that grows downwards: from place `busy` on


class Tree(NamedTuple):
    """One station's part of them."""

    leaves: int
    node_s: np.ndarray
    node_leaf: np.ndarray
    job: np.ndarray
    idle: np.ndarray


def station_tree(s, departures):
    """The tree of station s: views, nothing is copied."""
    leaves = departures.leaves[s]
    first = departures.first[s]
    end = first + leaves
    return Tree(
        leaves,
        departures.node_s[2 * first : 2 * end],
        departures.node_leaf[2 * first : 2 * end],
        departures.job[first:end],
        departures.idle[first:end],
    )


tree_of = inlined(station_tree)  # for kernels, which cannot hand arrays to Python


def idle_slots(slots: np.ndarray) -> Departures:
    """Nobody in service; room for so many jobs at each station. slots: int64[S]."""
    leaves = np.array([1 << (max(1, most) - 1).bit_length() for most in slots.tolist()], np.int64)
    own = [np.arange(n) for n in leaves]
    nodes = [np.concatenate([np.zeros(leaf.size), leaf]) for leaf in own]
    n = int(leaves.sum())
    return Departures(
        leaves=leaves,
        first=np.cumsum(leaves) - leaves,
        node_s=np.full(2 * n, np.inf),
        node_leaf=np.concatenate(nodes) if nodes else np.zeros(0),
        job=np.zeros(n, np.int32),
        idle=np.concatenate(own).astype(np.int32) if own else np.zeros(0, np.int32),
    )


def with_leaves(departures: Departures, slots: np.ndarray) -> Departures:
    """The same jobs in service, with room for so many at each station; no station has less than before.

    A tree that doubles becomes the left half of a larger one, so that no match is played and no job changes its leaf.
    """
    wider = idle_slots(np.maximum(slots, departures.leaves))
    for s in range(departures.leaves.size):
        old, new = station_tree(s, departures), station_tree(s, wider)
        new.job[: old.leaves] = old.job
        new.idle[: old.leaves] = old.idle
        doublings = int(new.leaves // old.leaves).bit_length() - 1
        for column, old_column in ((new.node_s, old.node_s), (new.node_leaf, old.node_leaf)):
            column[2 ** np.arange(doublings)] = old_column[1]
            level = 1
            while level <= old.leaves:
                column[level << doublings : (level << doublings) + level] = old_column[level : 2 * level]
                level *= 2
    return wider


def in_service(s: int, departures: Departures) -> np.ndarray:
    """The jobs in service at station s, int32[busy]."""
    tree = station_tree(s, departures)
    serving: np.ndarray = tree.job[tree.node_s[tree.leaves :] < np.inf]
    return serving


@kernel
def _decide(leaf, tree, key):
    """Play all matches of a leaf, of two at one instant for the job with the smaller key."""
    node = leaf + tree.leaves
    while node > 1:
        one, other = node, node ^ 1
        if tree.node_s[other] < tree.node_s[one]:
            one = other
        elif tree.node_s[other] == tree.node_s[one]:
            key_of_one = key[tree.job[np.int64(tree.node_leaf[one])]]
            if key[tree.job[np.int64(tree.node_leaf[other])]] < key_of_one:
                one = other
        node >>= 1
        tree.node_s[node] = tree.node_s[one]
        tree.node_leaf[node] = tree.node_leaf[one]


@inlined
def change_departure(leaf, time_s, tree, key):
    """The job of a leaf departs at another instant than before; inf: the leaf is idle from now on."""
    node = leaf + tree.leaves
    tree.node_s[node] = time_s
    who = np.float64(leaf)
    tied = False
    while node > 1:
        other_s = tree.node_s[node ^ 1]
        other = tree.node_leaf[node ^ 1]
        tied |= (other_s == time_s) & (time_s < np.inf)
        lost = other_s < time_s
        time_s = other_s if lost else time_s
        who = other if lost else who
        node >>= 1
        tree.node_s[node] = time_s
        tree.node_leaf[node] = who
    if tied:
        _decide(leaf, tree, key)


@inlined
def add_departure(leaf, time_s, job, tree, key):
    """An idle leaf takes a job."""
    tree.job[leaf] = job
    node = leaf + tree.leaves
    tree.node_s[node] = time_s
    node >>= 1
    while node > 0:
        best_s = tree.node_s[node]
        if best_s < time_s or (best_s == time_s and key[tree.job[np.int64(tree.node_leaf[node])]] < key[job]):
            break
        tree.node_s[node] = time_s
        tree.node_leaf[node] = leaf
        node >>= 1
