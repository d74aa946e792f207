"""Sign-in at the load balancer: what the API takes of it, and the way from a visitor to an identity provider and back.

Source: Application Load Balancers user guide, "Authenticate users using an Application Load Balancer", unless another
is named. Liberties: an identity provider at a loopback address (``https://127.0.0.1:…``) stands for one that is public,
whatever certificate it shows; there are no user pools of Cognito, so that what stands at the domain of one is asked
without a client secret; the session and the login last at the embedded AWS's pace, an access token as long as
its provider says, in real seconds.
"""
