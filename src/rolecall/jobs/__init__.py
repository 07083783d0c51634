"""One function a use case: ports in, values out. No click, no printing, no environment."""
