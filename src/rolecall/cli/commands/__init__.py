"""One small file a command. Each is imported only when it is called for."""
