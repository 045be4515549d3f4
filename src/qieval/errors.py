"""What can go wrong that a user can mend. Anything else surfaces as the bug it is."""


class QievalError(Exception):
    """A mistake a user can mend; its text is meant to be read by that user, without a traceback."""


class DataError(QievalError):
    """The tables cannot be used as they are."""


class ParameterError(QievalError):
    """A setting is misspelt, of the wrong type or impossible."""


class ReportError(QievalError):
    """A report could not be written where it was asked for."""


def bulleted(heading: str, items: list[str]) -> str:
    """One message that names every problem at once: a heading, then a line each."""
    things = "1 thing needs attention" if len(items) == 1 else f"{len(items)} things need attention"
    return "\n".join([f"{heading}: {things}", *(f"  - {item}" for item in items)])
