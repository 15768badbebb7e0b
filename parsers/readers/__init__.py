"""The only place where PDF libraries are imported: each reader turns bytes into a `records.document.Document`."""
