"""A machine that runs lifecycle scripts: what notebook instances and the apps of Studio share."""
