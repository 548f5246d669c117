"""Benchmarks: what TCdatalogger costs, beside what its peers cost for the same work.

Ratios of CPU time between processes that took turns in one session, because absolute times say
nothing on a shared machine. Run with ``make bench``; ``make bench ARGS="--quick flatten"`` tries one.
"""
