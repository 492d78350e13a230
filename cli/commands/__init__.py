"""One file for each group of commands: options in, a call of the domain and its adapters, an exit status out."""
