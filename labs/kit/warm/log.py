"""The background process's log: its standard error, kept to a bounded size."""

import os
import time
from contextlib import suppress

MOST_BYTES = 64_000


class Log:
    """Writes lines with the time; a full disk loses the line, never the process."""

    def __call__(self, text: str) -> None:
        """Write one line."""
        with suppress(OSError):
            if os.fstat(2).st_size > MOST_BYTES:
                os.ftruncate(2, 0)
            stamp = time.strftime("%Y-%m-%d %H:%M:%S")
            os.write(2, f"{stamp} {os.getpid()} {text}\n".encode(errors="replace"))
