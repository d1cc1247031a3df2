"""Import a module when it is first used, so that checks can be read without TensorFlow."""

import importlib
import sys
from types import ModuleType
from typing import Any


class _Lazy(ModuleType):
    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self.__name__), attribute)


def lazy(name: str) -> ModuleType:
    """Return the module `name`, or a stand-in that imports it at the first use of an attribute."""
    return sys.modules.get(name) or _Lazy(name)
