"""What models can do: each operation is declared once, in its own module.

The wire, hosts, workers, leases and the service know only ``Operation``. A backend lists its
operations, and a model has one method for each.
"""

from .align import ALIGN
from .detect import DETECT
from .diarize import DIARIZE
from .embed import EMBED
from .listen import LISTEN
from .operation import Fed, Needs, Operation
from .phonemize import PHONEMIZE
from .synthesize import SYNTHESIZE
from .transcribe import TRANSCRIBE
from .turn_end import PREDICT_TURN_END

__all__ = [
    "ALIGN",
    "DETECT",
    "DIARIZE",
    "EMBED",
    "LISTEN",
    "PHONEMIZE",
    "PREDICT_TURN_END",
    "SYNTHESIZE",
    "TRANSCRIBE",
    "Fed",
    "Needs",
    "Operation",
]
