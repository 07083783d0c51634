"""rolecall: access and provisioning settings of a WRITER org, as code."""

__version__ = "0.1.0"
