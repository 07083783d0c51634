"""Commands and dialogues. The only room that reads the environment, prints and exits."""
