"""The benchmarks: each measures the product beside its floor, in the same run."""
