"""rolecall: access and provisioning settings of a WRITER organisation, as code."""

__version__ = "0.1.0"
