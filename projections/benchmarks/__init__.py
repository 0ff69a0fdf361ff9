"""Benchmark releases: what all schools together show, told so that no school and no pupil can be found.

`proposing` counts every school at a recorded position and says what could be told; `publishing` publishes a
proposal, or withdraws a release; `released` reads what was published. Decision 0032 says why it is done so.
"""
