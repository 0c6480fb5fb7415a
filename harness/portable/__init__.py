"""What runs on both sides of the process boundary: standard library and NumPy, Python 3.8."""
