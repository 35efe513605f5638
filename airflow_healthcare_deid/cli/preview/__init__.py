"""What a config does to files on the user's own machine, as a page to look at."""
