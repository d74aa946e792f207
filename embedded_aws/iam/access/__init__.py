"""Who may call what: IAM's policies, asked before each call of a caller that IAM knows.

Callers that IAM knows are users with an access key that was made here, and sessions of roles. Any other access key
is a stand-in for an administrator's, who is asked nothing.

``callers`` finds out who is calling, ``resources`` which ARNs a call is about, ``context`` what is known about it,
``queries`` puts these together, ``authorizer`` decides. ``reference.json`` is cut out of AWS's Service Authorization
Reference by ``scripts/service-reference``.
"""
