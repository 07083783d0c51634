"""Guards: checks on a whole plan that pass it, require approval or block it. One module for each subject."""
