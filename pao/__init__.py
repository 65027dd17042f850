"""Platform Automation Orchestrator: what ties the packages together."""
