"""Warm kernels: kernels forked from a background process that has imported TensorFlow and run nothing.

`provisioner` is what Jupyter calls; `client` speaks to the background process, which is `parent`; `child` is
what a fork does to become a kernel. Where a fork would not equal an ordinary kernel, an ordinary one starts.
"""
