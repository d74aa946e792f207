"""What all components depend on: the data plane, its pace, and faults."""
