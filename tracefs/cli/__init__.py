"""The command line: one subcommand, one file, imported when it is asked for."""
