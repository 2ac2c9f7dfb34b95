"""Who does the work: each agent plans a job when it is decided, and runs it when its turn comes."""
