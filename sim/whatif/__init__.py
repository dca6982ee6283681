"""What-ifs: an experiment and changes of it, run on the same draws and compared run by run.

    words of a command line -> question (checked configs of all sides) -> runs -> findings (tables) -> figures, report

Every draw is a function of the seed, a stream, an entity and a number. So the same shopper, parcel and truck has the same luck
on both sides, and what differs between two runs with one seed is the change.
"""

from sim.whatif.findings import Findings, find
from sim.whatif.question import Question, Side, ask
from sim.whatif.store import folder, write

__all__ = ["Findings", "Question", "Side", "ask", "find", "folder", "write"]
