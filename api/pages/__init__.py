"""Pages to print: each whole in itself, with its charts and style, without scripts, loading nothing."""
