"""Order the changes of a plan so that no user temporarily loses or gains access where that can be avoided."""
