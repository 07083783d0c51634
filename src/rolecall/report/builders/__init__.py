"""What is said about each subject: a plan, a drift check, a run, who has access. One module builds one subject."""
