"""What a rule says can't be understood or done, before it is known where the rule was written."""


class RefusedError(Exception):
    """A part of a rule is refused.

    Args:
        what: was expected, and what was seen.
        key: of the option that is to blame; None: the rule, or who calls knows it.
    """

    def __init__(self, what: str, key: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.key = key
