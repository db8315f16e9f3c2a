"""What gatekit costs, each figure beside the least that the same work can cost on the same machine.

`python -m benchmarks` prints the table. Every ratio is of two things measured in turns in one run, so that it holds
on a busy machine, where seconds do not.
"""
