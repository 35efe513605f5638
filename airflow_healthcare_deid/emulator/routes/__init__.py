"""What the emulator answers, a module for each kind of resource; the table of all routes is in `app`."""
