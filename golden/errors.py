"""The one exception a user's mistake raises."""


class InputError(ValueError):
    """A value the user gave cannot be used.

    The message is one sentence that names the thing, its value and what is allowed; the command
    line prints it as it is and exits with status 2.
    """
