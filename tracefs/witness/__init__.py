"""Who made a request, and with which system call."""
