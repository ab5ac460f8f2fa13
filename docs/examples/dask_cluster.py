"""A matrix whose chunks are made by the workers of a cluster: the values of one array, whatever the chunks."""

from dask.distributed import Client

import fastinit as fi
import fastinit.dask

if __name__ == "__main__":
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None):
        w = fi.dask.xavier_normal((4096, 4096), chunks=(1024, 1000), seed=0, name="fc.weight")
        print(float(w.std().compute()))
        print(bool((w[1000:1010].compute() == fi.xavier_normal((4096, 4096), seed=0, name="fc.weight")[1000:1010]).all()))
