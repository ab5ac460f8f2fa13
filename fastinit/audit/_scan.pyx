# cython: language_level=3, boundscheck=False, wraparound=False
"""The bridge to the C text of the audit (src_c/scan.h), which releases the GIL."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

import numpy as np

cdef extern from "fastinit.h" nogil:
    size_t fi_dtype_size(int dtype)

cdef extern from "scan.h" nogil:
    enum:
        FI_SCAN_BINS, FI_SCAN_WINDOW, FI_SCAN_FACTORS
    ctypedef struct fi_scan_plan:
        int dtype, isa, sparse
        double median, scale, reach
        uint64_t width
        int rarity
        uint32_t factors[1024]
    ctypedef struct fi_scan_sums:
        uint64_t finite, nans, zeros, low_count, high_count
        double low, high, bulk_low, bulk_high
        double bulk[5]
        double outliers[5]
        uint64_t histogram[1024]
    ctypedef struct fi_scan_anchor:
        uint64_t hash, place
    void fi_scan_start(fi_scan_sums *sums)
    void fi_scan_add(fi_scan_sums *sums, const fi_scan_sums *more)
    size_t fi_scan(const fi_scan_plan *plan, const void *elements, uint64_t start, size_t n, fi_scan_sums *sums,
                   uint64_t *hashes, uint8_t *alive, fi_scan_anchor *anchors, size_t room)

BINS = FI_SCAN_BINS
FACTORS = FI_SCAN_FACTORS


cdef class Sums:
    """What was found of some elements, or of none yet."""

    cdef fi_scan_sums c

    def __cinit__(self):
        fi_scan_start(&self.c)

    def add(self, Sums more):
        fi_scan_add(&self.c, &more.c)

    def fields(self):
        """The struct's members by name."""
        return self.c


cdef class ScanPlan:
    """What is asked of a tensor's elements: see fi_scan_plan. `factors` are FACTORS random numbers."""

    cdef fi_scan_plan c

    def __init__(self, int dtype, int isa, bint sparse, double median, double scale, double reach,
                 uint64_t width, const uint32_t[::1] factors):
        cdef int i
        if factors.shape[0] != FI_SCAN_FACTORS:
            raise ValueError(f"factors: expected {FI_SCAN_FACTORS}, got {factors.shape[0]}")
        self.c.dtype, self.c.isa, self.c.sparse = dtype, isa, sparse
        self.c.median, self.c.scale, self.c.reach = median, scale, reach
        self.c.width = width
        for i in range(FI_SCAN_FACTORS):
            self.c.factors[i] = factors[i]

    def scan(self, const uint8_t[::1] elements, uint64_t start, int rarity):
        """Of elements from `start` on, as aligned bytes: sums, hashes and liveliness of the rows that they reach into, and
        anchors' hashes and places, for rarity > 0."""
        cdef fi_scan_plan plan = self.c
        cdef size_t n = elements.shape[0] // fi_dtype_size(self.c.dtype)
        cdef size_t rows = (start + n - 1) // plan.width - start // plan.width + 1 if n and plan.width else 0
        cdef size_t room = 64 + (n >> rarity << 2 if rarity else 0), found
        cdef Sums sums = Sums()
        hashes, alive, anchors = np.zeros(rows, np.uint64), np.zeros(rows, np.uint8), np.empty((room, 2), np.uint64)
        cdef uint64_t[::1] c_hashes = hashes
        cdef uint8_t[::1] c_alive = alive
        cdef uint64_t[:, ::1] c_anchors = anchors
        cdef uint64_t *to_hashes = &c_hashes[0] if rows else NULL
        cdef uint8_t *to_alive = &c_alive[0] if rows else NULL
        if not n:
            return sums, hashes, alive, anchors[:0]
        plan.rarity = rarity
        with nogil:
            found = fi_scan(&plan, &elements[0], start, n, &sums.c, to_hashes, to_alive,
                            <fi_scan_anchor *>&c_anchors[0, 0], room)
        return sums, hashes, alive, anchors[:min(found, room)]
