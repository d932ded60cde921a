"""The use cases. The command line, the demo and the cogs all speak to these."""
