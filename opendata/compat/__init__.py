"""Faces that speak other systems' languages: CKAN's Action API, DCAT and other feeds."""
