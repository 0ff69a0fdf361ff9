"""Assessment schemes: the scales that results stand on, several side by side, each in its versions."""
