"""Run commands and dialogs. The only package that reads the environment, prints and exits."""
