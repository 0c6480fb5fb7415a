"""The float64 reference of an operator, and what its bounds need."""
