"""What every part stands on: the data plane, its pace, and the faults that are ordered."""
