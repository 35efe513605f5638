"""The questions a validation asks, one function each: plain data in, a ``CheckResult`` out."""
