"""How fast the harness is, by hand: ``python -m benchmarks``; no test asserts a time.

Each module measures one thing and prints it. What is reported is a ratio of two things that were measured in the same
run wherever there is such a ratio, since seconds say more of the machine than of the harness.
"""
