"""Sign-in at the load balancer: the API's authentication actions, and the redirects to an identity provider and back.

Source: Application Load Balancers user guide, "Authenticate users using an Application Load Balancer", unless another
is named. Deviations from AWS: an identity provider at a loopback address (``https://127.0.0.1:…``) stands for a public
one, with any certificate; there are no Cognito user pools, so requests to the domain of a user pool have no client
secret; the session and the login time out at the embedded AWS's pace, but an access token expires after the real
seconds that its provider states.
"""
