"""Builds the document of each subject: a plan, a drift check, a run, access. One module for each subject."""
