"""What a library writes past Python is turned away, and only that."""

import os
import sys
import warnings

import pytest

import labs


def test_nothing_of_the_block_is_heard_and_all_that_follows_is(capfd, recwarn):
    print("before")
    with labs.quiet():
        print("from Python")
        print("an error", file=sys.stderr)
        os.write(1, b"from C++\n")
        os.write(2, b"from C++\n")
        warnings.warn("a warning", stacklevel=1)
    print("after")
    os.write(2, b"after\n")
    heard = capfd.readouterr()
    assert (heard.out, heard.err) == ("before\nafter\n", "after\n")
    assert not recwarn.list


def test_an_exception_passes_and_the_descriptors_come_back(capfd):
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(ValueError, match="mine"), labs.quiet():
        raise ValueError("mine")
    os.write(1, b"heard\n")
    assert capfd.readouterr().out == "heard\n"
    assert not before or len(os.listdir("/proc/self/fd")) == before
