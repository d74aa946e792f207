"""Why a release is not live: the closed list of causes, the evidence, and what explains it."""
