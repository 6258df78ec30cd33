"""What can go wrong, by what a person does about it. Commands print the sentence, never a traceback."""


class DaysliceError(Exception):
    """One sentence: what was wrong, where (file, table, ds, column), and what to do. Ends a command with 1."""

    exit_code = 1


class UsageError(DaysliceError):
    """The command, a setting or a file that a person wrote is wrong; nothing was begun. Ends a command with 2."""

    exit_code = 2


class Refused(DaysliceError):
    """A slice was not published; the published one, where there is one, is as it was."""


class NotYet(Refused):
    """A slice was not computed because one that it waits for is not published: later it may be."""


class Transient(DaysliceError):
    """A service did not answer or a lock was held: the same call may succeed later, so it is worth a retry."""
