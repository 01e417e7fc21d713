"""The registry's store on libgit2: a bare repository, one writer at a time, an index."""
