"""The one exception for mistakes that a person can mend."""


class LabsError(Exception):
    """Says in one clear sentence what is wrong and what to do.

    The command line prints the sentence and exits with status 1; in a notebook it ends the cell. It
    never stands for a defect of the kit itself: those keep their traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """Tell IPython to show the sentence alone."""
        return [str(self)]
