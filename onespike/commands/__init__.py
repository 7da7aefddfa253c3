"""The subcommands of `onespike`: a command has the file of its name, a group the folder of its name."""
