"""The environment variables that must be set before the imports: one list, with the reasons.

A fork cannot take these over any more, so each set of them has a background process of its own.
"""

from collections.abc import Mapping

PREFIXES = {
    "PYTHON": "read by the interpreter when it starts",
    "_PYTHON": "read by the interpreter when it starts",
    "LD_": "read by the loader, for every library",
    "GLIBC_": "read by the C library when it starts",
    "MALLOC_": "read by the C library when it starts",
    "LC_": "decides the encodings of the interpreter and of its files",
    "TF_": "TensorFlow reads some of them at import and others at their first use",
    "TF2_": "decides what `import tensorflow` switches on",
    "XLA_": "flags of the compiler, parsed once",
    "KERAS_": "Keras reads its backend and settings at import",
    "TFDS_": "TensorFlow Datasets reads its folders at import",
    "CUDA_": "decides which GPUs the process may ever see",
    "NVIDIA_": "decides which GPUs the process may ever see",
    "HIP_": "decides which GPUs the process may ever see",
    "ROCR_": "decides which GPUs the process may ever see",
    "OMP_": "sizes pools of threads when a library is loaded",
    "KMP_": "sizes pools of threads when a library is loaded",
    "GOTO_": "sizes OpenBLAS' pool of threads when NumPy is loaded",
    "OPENBLAS_": "sizes OpenBLAS' pool of threads when NumPy is loaded",
    "MKL_": "sizes pools of threads when a library is loaded",
    "ONEDNN_": "chooses among kernels whose last digits differ",
    "DNNL_": "chooses among kernels whose last digits differ",
    "NPY_": "NumPy chooses its code for this processor at import",
    "NUMPY_": "NumPy chooses its memory handling at import",
    "MPL": "matplotlib reads its settings and its backend at import",
    "HDF5_": "read by the library when it is loaded",
    "GCS_": "TensorFlow's file systems register themselves at import",
    "GRPC_": "read by the library when it is loaded",
    "ABSL_": "absl sets up its logging at import",
    "GFORTRAN_": "read by NumPy's Fortran library when it is loaded",
    "LLVM_": "read by the library when it is loaded",
    "OPENSSL_": "read by the library when it is loaded",
    "PROTOCOL_BUFFERS_": "protobuf chooses its implementation at import",
    "TQDM_": "tqdm takes its defaults at import",
    "PILLOW_": "Pillow sizes its memory at import",
    "WRAPT_": "wrapt chooses its implementation at import",
    "TORNADO_": "Tornado chooses its implementation at import",
    "PYZMQ_": "PyZMQ chooses its implementation at import",
    "PYDEV": "the debugger chooses its implementation at import",
    "DEBUG_PYDEVD": "the debugger chooses its implementation at import",
    "GEVENT_": "the debugger chooses its implementation at import",
    "PYCHARM_": "the debugger chooses its implementation at import",
    "DEBUGPY_": "the debugger chooses its implementation at import",
    "PSUTIL_": "read at import",
    "JOBLIB_": "scikit-learn's library for workers reads it at import; Keras imports scikit-learn if it is there",
    "LOKY_": "scikit-learn's library for workers reads it at import",
    "SCIPY_": "SciPy chooses its implementations at import",
    "SKLEARN_": "scikit-learn takes its defaults at import",
    "IPYTHON_": "read at import",
    "TRAITLETS_": "read at import",
    "XDG_": "where configuration and caches lie: matplotlib looks at import",
    "TEST_": "absl takes folders and seeds of a test runner at import",
}
"""The beginning of a variable's name, and why it must be there before the imports."""

NAMES = {
    "DISABLE_HOST_SEND_RECV_REGISTRATION": "TensorFlow registers its kernels at import",
    "ENABLE_RUNTIME_UPTIME_TELEMETRY": "read by `import tensorflow`",
    "FREETYPE_PROPERTIES": "read by matplotlib's fonts when they are loaded",
    "HOME": "where configuration and caches lie: Keras and matplotlib look at import",
    "IPYTHONENABLE": "the debugger's console reads it at import",
    "JUPYTER_ALLOW_INSECURE_WRITES": "read at import",
    "JUPYTER_PLATFORM_DIRS": "read at import",
    "LANG": "decides the encodings of the interpreter and of its files",
    "LANGUAGE": "decides the language of messages",
    "LOGNAME": "Jupyter's messages carry the name, taken at import",
    "MATPLOTLIBRC": "matplotlib reads its settings at import",
    "JUPYTER_USE_PROGRAMDATA": "read at import",
    "MSGPACK_PUREPYTHON": "read at import, where Dask has brought msgpack along",
    "PATHS_FROM_ECLIPSE_TO_PYTHON": "the debugger reads it at import",
    "PYPARSINGENABLEALLWARNINGS": "read at import",
    "PY_SAX_PARSER": "read at import",
    "SOURCE_DATE_EPOCH": "read at import",
    "SQLITE_TMPDIR": "read by the library when it is loaded",
    "TEMPORARILY_DISABLE_PROTOBUF_VERSION_CHECK": "read at import",
    "USER": "Jupyter's messages carry the name, taken at import",
}
"""Other variables, by their whole name."""

ONLY_AT_IMPORT = {
    "KERAS_BACKEND": "tensorflow",
    "MKL_NUM_THREADS": None,
    "MPLBACKEND": None,
    "OMP_NUM_THREADS": None,
    "OPENBLAS_NUM_THREADS": None,
    "TFDS_DATA_DIR": None,
    "TF_ENABLE_ONEDNN_OPTS": None,
}
"""What notebooks set in a cell before they import and what has no effect afterwards, with what holds if unset.

Others can still be set in a fork's cell, because they are read at the first use: seen for
`TF_USE_LEGACY_KERAS`, `XLA_FLAGS`, `TF_NUM_INTRAOP_THREADS`.
"""


def before_import(env: Mapping[str, str]) -> dict[str, str]:
    """Return those variables of `env` that must be set before the imports."""
    prefixes = tuple(PREFIXES)
    return {name: env[name] for name in sorted(env) if name in NAMES or name.startswith(prefixes)}
