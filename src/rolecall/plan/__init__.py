"""The planner: desired and live in, a plan out. Pure: a date is an input, and nothing here does I/O."""
