"""Progress: how far pupils came from one assessment point to another, worked out from their results.

Nothing here is stored. Every figure says how many pupils are behind it; what cannot be known is said not to
be, and never made up.
"""
