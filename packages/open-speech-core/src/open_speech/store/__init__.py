"""The weight store: one folder for the weights of all models.

Needs ``pip install 'open-speech-core[hub]'`` for downloading; what is here already works without.
"""

from ._licenses import Licenses
from ._policy import DownloadPolicy
from ._progress import Progress, ProgressCallback
from ._records import StoredModel
from ._store import Store

__all__ = ["DownloadPolicy", "Licenses", "Progress", "ProgressCallback", "Store", "StoredModel"]
