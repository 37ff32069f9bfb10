"""Files by content: what is stored is named by the SHA-256 of its bytes. Two stores exist: `inbox` and `public`."""
