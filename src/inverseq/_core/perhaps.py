"""What may be None, as type checkers are told of it: typeshed's "Any trick".

Whether a solution has a reward, or a table of decisions times, is known to whoever asked for it and
not to a checker, which would complain of every line that uses it.
"""

from typing import TYPE_CHECKING, Any, Optional, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    Perhaps = T | Any
else:
    Perhaps = Optional
