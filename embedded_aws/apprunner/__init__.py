"""AWS App Runner: services that run their image as real processes, each with an address of its own.

Differences from AWS: there is no TLS; services from source code or public images exist without a process; the number
of instances is always MinSize, however many requests there are; a VPC connector is described but does not restrict
traffic; a private service with an ingress connection accepts requests from everybody who reaches its port.
"""
