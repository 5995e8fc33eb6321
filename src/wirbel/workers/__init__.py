"""One piece of work on many studies: here, in processes of this machine, or on a Dask cluster.

Nothing is imported here: a cluster's scheduler and workers load `wirbel.workers.turn` and little else.
"""
