"""AWS App Runner: services that run their image as real processes behind an address of their own.

What is not as on AWS: TLS; source code and public images, whose services exist without a process; scaling, since as
many instances run as MinSize says, however many requests there are; the network of a VPC connector, which is
described but stands in nobody's way; who may call a private service, which is whoever reaches its port once it has an
ingress connection.
"""
