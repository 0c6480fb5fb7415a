"""What runs inside a worker process: shipped as source, needs only torch and numpy, Python 3.8 and PyTorch 1.13 on.

The modules of this package, and generation's `layouts` and `fills`, are installed in the worker as one synthetic
package, so they import one another relatively and nothing else of the harness.
"""
