"""The demo: a made-up school and eleven smaller ones, taken through everything that the software does."""
