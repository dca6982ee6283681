"""A binary heap of events, in order of (time, key), from which any can be taken out.

heap_s: float64[>= n], heap_job: int32[>= n], key: int64[J] of the jobs, place: int32[J] of each job in the heap.
"""

from sim.kernels import inlined, kernel


@inlined
def before(time_a, job_a, time_b, job_b, key):
    """Whether event a comes before event b: the earlier, of two at one instant that of the smaller key."""
    return time_a < time_b or (time_a == time_b and key[job_a] < key[job_b])


@kernel
def put_in_place(heap_s, heap_job, at, n, time_s, job, key, place):
    """Put (time_s, job) into the free place `at` of a heap of n places, up or down to where it belongs."""
    while at > 0:
        parent = (at - 1) >> 1
        if not before(time_s, job, heap_s[parent], heap_job[parent], key):
            break
        heap_s[at] = heap_s[parent]
        heap_job[at] = heap_job[parent]
        place[heap_job[at]] = at
        at = parent
    while True:
        child = 2 * at + 1
        if child >= n:
            break
        if child + 1 < n and before(heap_s[child + 1], heap_job[child + 1], heap_s[child], heap_job[child], key):
            child += 1
        if not before(heap_s[child], heap_job[child], time_s, job, key):
            break
        heap_s[at] = heap_s[child]
        heap_job[at] = heap_job[child]
        place[heap_job[at]] = at
        at = child
    heap_s[at] = time_s
    heap_job[at] = job
    place[job] = at
