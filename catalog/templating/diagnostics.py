"""What an inspection finds in a template."""

from dataclasses import dataclass

UNDEFINED = "template-undefined"
LIST_MEMBER = "template-list-member"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A certain fault in a template: where its tag begins, and what was probably meant.

    ``id`` is that of the error that the rendering would raise, ``template-never`` for a comparison
    whose outcome is the same whatever the values are, or ``template-list-member`` for a member
    that a list never has, where a missing value is no error.
    """

    id: str
    message: str
    at: int
    suggestion: str = ""
