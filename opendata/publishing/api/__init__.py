"""The journey over HTTP: datasets, their files, uploads in parts, releases and decisions."""

from opendata.publishing.api.routes import router
from opendata.publishing.api.uploads import face as tus_face

__all__ = ["router", "tus_face"]
