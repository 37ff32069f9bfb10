"""Actions on resource views: how a client wants a resource to be shown."""
