"""Platform Automation Orchestrator: what ties the rooms together."""
