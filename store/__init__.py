"""Keep everything: the only place that knows tables. One module of functions per question the program asks."""
