"""Words of the command line and yaml files → a config, refused where it means nothing."""
