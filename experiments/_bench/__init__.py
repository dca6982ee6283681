"""The workloads of `peakday bench`, and how each of the tools serves them: a file per tool."""
