"""The journey over HTTP: datasets, their files, uploads in parts, releases and decisions."""

from opendata.publishing.api.routes import router

__all__ = ["router"]
